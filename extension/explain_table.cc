// explain(user_id, item_id [, campaign, version]): what each of the user's events adds to the
// item's score; engine/serving/explain.h says what the numbers are.
//
//   SELECT kind, event_item_id, timestamp, contribution FROM explain('42', '50');
//   SELECT r.item_id, e.event_item_id FROM recommend('42', 3) r, explain('42', r.item_id) e
//     WHERE e.kind = 'event';
//
// Rows of kind 'event' come first, the largest contribution first; then 'earlier events', if there
// are any; then 'interplay'. A user without events has no rows. A question is one request of its
// campaign.
#include "extension/explain_table.h"

#include <algorithm>
#include <numeric>

#include "engine/serving/explain.h"
#include "extension/computed_table.h"
#include "extension/request.h"
#include "extension/unseen_shelf.h"

namespace personalize {
namespace {

constexpr const char* kName = "explain";

enum Argument : size_t { kUser, kItem, kCampaign, kVersion };

Status answer(Connection& connection, std::span<sqlite3_value* const> values,
              std::vector<ComputedRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string user,
                               id_argument(values, kUser, kName, "user_id"));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string item_id,
                               id_argument(values, kItem, kName, "item_id"));
  Request request(QuestionKind::kExplain);
  const Asking asking{Purpose::kExplain, kName, text_argument(values, kCampaign),
                      text_argument(values, kVersion)};
  auto& responders = connection.part<Responders>();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<Responder> responder,
                               responders.find(connection, asking));
  const LoadedModel& model = *responder->model;
  PERSONALIZE_RETURN_IF_ERROR(check_scores_users(model, kName));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<const UnseenTable> unseen,
                               connection.part<UnseenShelf>().get(connection, *responder));
  const ItemIndex item = find_item(model, unseen.get(), item_id);
  if (item == kNoItem) return unknown_item(model, item_id, kName);
  PERSONALIZE_RETURN_IF_ERROR(request.admit(connection, responder, kName));
  PERSONALIZE_RETURN_IF_ERROR(responders.open_history(connection, *responder));
  UserHistory history;
  PERSONALIZE_RETURN_IF_ERROR(responder->history->read(user, unseen, {}, history));
  if (history.events.empty()) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const Explanation explanation,
                               explain(model, history.question({}), unseen.get(), item,
                                       [&connection] { return connection.interrupted(); }));

  std::vector<size_t> order(explanation.events.size());
  std::iota(order.rbegin(), order.rend(), size_t{0});  // newest first among equal ones
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return explanation.events[a] > explanation.events[b];
  });
  for (const size_t i : order) {
    const ModelEvent& event = history.events[explanation.first + i];
    rows.push_back({"event", std::string(item_id_of(model, unseen.get(), event.item)),
                    event.timestamp, explanation.events[i]});
  }
  if (explanation.first > 0) rows.push_back({"earlier events", {}, {}, explanation.earlier});
  rows.push_back({"interplay", {}, {}, explanation.interplay});
  return Status::ok();
}

constexpr ComputedTable kTable = {
    kName,
    "CREATE TABLE x(kind TEXT, event_item_id TEXT, timestamp INTEGER, contribution REAL, "
    "user_id HIDDEN, item_id HIDDEN, campaign TEXT HIDDEN, version TEXT HIDDEN)",
    4,
    4,
    2,
    "needs a user and an item, whose values must be known here: explain('42', '50'), or FROM "
    "recommend('42', 3) r, explain('42', r.item_id) e",
    30,
    5'000,
    answer};

}  // namespace

Status register_explain_table(const std::shared_ptr<Connection>& connection) {
  return register_computed_table(connection, kTable);
}

}  // namespace personalize
