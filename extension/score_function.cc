// personalize_score(user_id, item_id [, campaign]): what recommend() would give as the item's
// score.
//
//   SELECT p.* FROM products p ORDER BY personalize_score('42', p.id) DESC LIMIT 20;
//
// All items are scored once for a user and statement, then each row is a look-up. So one request of
// a campaign is one user of a statement, and a statement answers from the events that were there
// when it first asked about him.
#include "extension/score_function.h"

#include <string>
#include <unordered_map>

#include "extension/answer_arguments.h"
#include "extension/boundary.h"
#include "extension/request.h"
#include "extension/unseen_shelf.h"
#include "extension/user_question.h"

namespace personalize {
namespace {

constexpr const char* kName = "personalize_score";

// SQLite keeps auxiliary data under a negative number for all calls of one run of a statement,
// whether their arguments are constant or not; its own JSON functions keep their parsed texts so.
// The number is any that they do not use.
constexpr int kStatementData = -736'421;

// How many bytes of scores a statement keeps before it forgets them all.
constexpr size_t kKeptBytes = 32 << 20;

// All items scored for one user.
struct UserScores {
  std::string user;
  std::string campaign;
  std::shared_ptr<const LoadedModel> model;
  std::shared_ptr<const UnseenTable> unseen;
  Answerer answerer;

  bool are_of(std::string_view asked_user, std::string_view asked_campaign) const {
    return user == asked_user && campaign == asked_campaign;
  }
};

// What one run of a statement has asked so far.
struct StatementScores {
  std::unordered_map<std::string, std::unique_ptr<UserScores>> users;  // by campaign and user
  size_t bytes = 0;
  UserScores* last = nullptr;
};

Result<std::unique_ptr<UserScores>> score_all(Connection& connection, std::string_view user,
                                              std::string_view campaign) {
  Request request(QuestionKind::kScore);
  const Asking asking{Purpose::kRank, kName, campaign, {}};
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<Responder> responder,
                               connection.part<Responders>().find(connection, asking));
  PERSONALIZE_RETURN_IF_ERROR(request.admit(connection, responder, kName));
  auto scores = std::make_unique<UserScores>();
  scores->user = user;
  scores->campaign = campaign;
  scores->model = responder->model;
  PERSONALIZE_ASSIGN_OR_RETURN(scores->unseen,
                               connection.part<UnseenShelf>().get(connection, *responder));
  PERSONALIZE_RETURN_IF_ERROR(
      ask_for_user(connection, *responder, {user, {}, kName}, scores->unseen, scores->answerer)
          .status());
  return scores;
}

Result<UserScores*> scores_of(sqlite3_context* context, std::string_view user,
                              std::string_view campaign) {
  auto* kept = static_cast<StatementScores*>(sqlite3_get_auxdata(context, kStatementData));
  if (kept == nullptr) {
    kept = new StatementScores();
    sqlite3_set_auxdata(context, kStatementData, kept,
                        [](void* scores) { delete static_cast<StatementScores*>(scores); });
    // Without memory SQLite has deleted it already.
    if (sqlite3_get_auxdata(context, kStatementData) != kept)
      return Status(StatusCode::kNoMemory, "personalize_score: no memory");
  }
  if (kept->last != nullptr && kept->last->are_of(user, campaign)) return kept->last;
  std::string key = std::to_string(campaign.size()) + ':';
  key.append(campaign).append(user);
  if (const auto found = kept->users.find(key); found != kept->users.end())
    return kept->last = found->second.get();
  PERSONALIZE_ASSIGN_OR_RETURN(std::unique_ptr<UserScores> scores,
                               score_all(connection_of(context), user, campaign));
  if (kept->bytes > kKeptBytes) {
    kept->users.clear();
    kept->bytes = 0;
  }
  kept->bytes += scores->answerer.item_count() * sizeof(float);
  kept->last = scores.get();
  kept->users[key] = std::move(scores);
  return kept->last;
}

Status score(sqlite3_context* context, int count, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL || sqlite3_value_type(values[1]) == SQLITE_NULL)
    return Status::ok();  // NULL
  std::string user_buffer, item_buffer;
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view user,
                               id_view(values[0], "personalize_score: user_id", user_buffer));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view item,
                               id_view(values[1], "personalize_score: item_id", item_buffer));
  const std::string_view campaign = count > 2 ? text_of(values[2]) : std::string_view();
  PERSONALIZE_ASSIGN_OR_RETURN(UserScores * scores, scores_of(context, user, campaign));
  const ItemIndex index = find_item(*scores->model, scores->unseen.get(), item);
  if (index != kNoItem) sqlite3_result_double(context, scores->answerer.score_of(index));
  return Status::ok();
}

void personalize_score(sqlite3_context* context, int count, sqlite3_value** values) {
  guarded_function(context, [&] { return score(context, count, values); });
}

}  // namespace

Status register_score_function(const std::shared_ptr<Connection>& connection) {
  // Not deterministic: a new event changes the answer.
  for (const int arguments : {2, 3})
    PERSONALIZE_RETURN_IF_ERROR(
        register_scalar(connection, kName, arguments, SQLITE_INNOCUOUS, personalize_score));
  return Status::ok();
}

}  // namespace personalize
