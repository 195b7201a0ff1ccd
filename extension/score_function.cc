// personalize_score(user_id, item_id [, campaign]): what recommend() would give as the item's
// score.
//
//   SELECT p.* FROM products p ORDER BY personalize_score('42', p.id) DESC LIMIT 20;
//
// All items are scored once for a user, then each row is a look-up. Where the user is a constant of
// the statement, SQLite keeps those scores with it (auxiliary data) until the statement ends. Where
// users come from rows, the connection keeps those of the last one, and believes them only while
// nothing can have changed in between.
#include "extension/score_function.h"

#include <optional>
#include <string>

#include "extension/answer_arguments.h"
#include "extension/boundary.h"
#include "extension/responder.h"

namespace personalize {
namespace {

constexpr const char* kName = "personalize_score";

// All items scored for one user.
struct UserScores {
  std::string user;
  std::string campaign;
  std::shared_ptr<const LoadedModel> model;
  Answerer answerer;

  bool answer(std::string_view asked_user, std::string_view asked_campaign) const {
    return user == asked_user && campaign == asked_campaign;
  }
};

void free_scores(void* scores) { delete static_cast<std::shared_ptr<UserScores>*>(scores); }

// What changes when anything in the database might have.
struct Moment {
  int64_t own_changes = 0;    // of this connection
  int64_t other_changes = 0;  // of others, as far as this connection's snapshot sees them
  uint64_t rollbacks = 0;
  uint64_t catalog_changes = 0;
  bool operator==(const Moment&) const = default;
};

// Nothing inside of a transaction: ROLLBACK may take back what was counted.
Result<std::optional<Moment>> moment_of(Connection& connection, const std::string& schema) {
  if (sqlite3_get_autocommit(connection.db()) == 0) return std::optional<Moment>();
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement,
                               connection.cached("PRAGMA " + quoted(schema) + ".data_version"));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  return std::optional<Moment>({sqlite3_total_changes64(connection.db()), statement.integer(0),
                                connection.rollbacks(), connection.catalog_changes()});
}

// The scores of the user that was asked about last.
struct LastScores {
  std::shared_ptr<UserScores> scores;
  std::string schema;
  std::optional<Moment> moment;
};

Result<std::shared_ptr<UserScores>> score_all(Connection& connection, std::string_view user,
                                              std::string_view campaign) {
  auto& last = connection.part<LastScores>();
  if (last.scores != nullptr && last.moment && last.scores->answer(user, campaign)) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<Moment> now,
                                 moment_of(connection, last.schema));
    if (now == last.moment) return last.scores;
  }
  last.scores.reset();
  const Asking asking{Purpose::kRank, kName, campaign, {}};
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<Responder> responder,
                               connection.part<Responders>().find(connection, asking));
  PERSONALIZE_RETURN_IF_ERROR(admit(connection, *responder, kName));
  auto scores = std::make_shared<UserScores>();
  scores->user = user;
  scores->campaign = campaign;
  scores->model = responder->model;
  PERSONALIZE_RETURN_IF_ERROR(ask_for_user(connection, *responder, user, scores->answerer));
  PERSONALIZE_ASSIGN_OR_RETURN(last.moment, moment_of(connection, responder->schema));
  last.schema = responder->schema;
  last.scores = scores;
  return scores;
}

Status score(sqlite3_context* context, int count, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL || sqlite3_value_type(values[1]) == SQLITE_NULL)
    return Status::ok();  // NULL
  Connection& connection = connection_of(context);
  std::string user_buffer, item_buffer;
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view user,
                               id_view(values[0], "personalize_score: user_id", user_buffer));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view item,
                               id_view(values[1], "personalize_score: item_id", item_buffer));
  const std::string_view campaign = count > 2 ? text_of(values[2]) : std::string_view();
  std::shared_ptr<UserScores> scores;
  const auto* kept = static_cast<std::shared_ptr<UserScores>*>(sqlite3_get_auxdata(context, 0));
  if (kept != nullptr && (*kept)->answer(user, campaign)) {
    scores = *kept;
  } else {
    PERSONALIZE_ASSIGN_OR_RETURN(scores, score_all(connection, user, campaign));
    sqlite3_set_auxdata(context, 0, new std::shared_ptr<UserScores>(scores), free_scores);
  }
  const ItemIndex index = scores->model->vocabulary.find(item);
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
