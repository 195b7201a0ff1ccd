#include "extension/session_users.h"

#include <fmt/format.h>

#include "extension/shadow_tables.h"

namespace personalize {
namespace {

std::string sessions_of(const DatasetEntry& entry) {
  return shadow_table(entry.schema, entry.table, "session");
}

// The session's anonymous events become the newest of the user's.
Status move_events(Connection& connection, const DatasetEntry& entry, std::string_view session,
                   std::string_view user) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement update,
      connection.prepare(fmt::format("UPDATE {}.{} SET USER_ID = ?2 WHERE USER_ID = ?1 AND "
                                     "SESSION_ID = ?1",
                                     sql_name(entry.schema), sql_name(entry.table))));
  return update.bind(1, session).bind(2, user).run();
}

}  // namespace

Result<std::string> user_of_session(Connection& connection, const Dataset& interactions,
                                    std::string_view session) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement find, connection.cached(fmt::format("SELECT user FROM {} WHERE session = ?1",
                                                    sessions_of(interactions.entry))));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, find.bind(1, session).step());
  return row ? std::string(find.text(0)) : std::string();
}

Status join_session(Connection& connection, const Dataset& interactions, std::string_view session,
                    std::string_view user) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string known,
                               user_of_session(connection, interactions, session));
  if (known == user) return Status::ok();
  PERSONALIZE_RETURN_IF_ERROR(move_events(connection, interactions.entry, session, user));
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement remember,
      connection.cached(fmt::format("INSERT OR REPLACE INTO {}(session, user) VALUES (?1, ?2)",
                                    sessions_of(interactions.entry))));
  return remember.bind(1, session).bind(2, user).run();
}

Status forget_sessions(Connection& connection, const DatasetEntry& interactions,
                       std::string_view user) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement forget,
      connection.cached(fmt::format("DELETE FROM {} WHERE user = ?1 OR session = ?1",
                                    sessions_of(interactions))));
  return forget.bind(1, user).run();
}

}  // namespace personalize
