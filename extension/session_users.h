// Whose a session is. Until its user is known the session's id is the user of its events; the first
// event that names both makes them his, and those that come later without a user, too. Kept in the
// shadow table <table>_session of native interactions.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"

namespace personalize {

// The last user who was named together with the session; empty if none was.
Result<std::string> user_of_session(Connection& connection, const Dataset& interactions,
                                    std::string_view session);

// From now on the session is the user's. Its events that were written under its own id become his:
// only those that hold it as SESSION_ID, as another user's id may be the same text. In the caller's
// transaction.
Status join_session(Connection& connection, const Dataset& interactions, std::string_view session,
                    std::string_view user);

// Forgets the sessions of a user, and the session whose id that is. In the caller's transaction.
Status forget_sessions(Connection& connection, const DatasetEntry& interactions,
                       std::string_view user);

}  // namespace personalize
