// The engine's EventSource over a group's interactions, in the caller's connection and transaction:
// shadow tables of a native dataset, or the business table of one declared with content=.
#pragma once

#include <memory>
#include <string_view>

#include "engine/dataset/sources.h"
#include "engine/status.h"
#include "extension/catalog.h"
#include "extension/connection.h"

namespace personalize {

// The source of the group's interactions. Lives no longer than `connection`; holds no open
// statement between calls, so it may be kept and used again (its dictionary caches stay warm);
// of_user sees the snapshot of the statement that calls it. Errors: kNotFound if the group has no
// interactions dataset ("CREATE VIRTUAL TABLE interactions USING personalize_interactions"),
// kInvalidInput if the business table has lost a column or its index.
Result<std::unique_ptr<EventSource>> open_event_source(Connection& connection,
                                                       std::string_view schema,
                                                       std::string_view group);

// How far a list of users was read. The code goes on also where the user has gone meanwhile.
struct UserPlace {
  int64_t code = 0;  // of native tables
  std::string id;    // of business tables
};

// Every user id of the group in the order of EventSource::scan (batch_recommend), a page at a time:
// up to `limit` ids that follow `place`, which is moved behind them.
Status list_users(Connection& connection, std::string_view schema, std::string_view group,
                  size_t limit, UserPlace& place, std::vector<std::string>& users);

// Deletes a user's events from a native dataset, and his row from the group's users
// (personalize_forget). Gives the number of rows deleted. kInvalidInput for content= datasets: the
// business table is its owner's to change.
Result<int64_t> delete_user(Connection& connection, std::string_view schema, std::string_view group,
                            std::string_view user_id);

}  // namespace personalize
