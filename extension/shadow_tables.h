// Where a native dataset keeps its rows: shadow tables beside it, in the same schema.
//
// interactions:
//   <table>_event     USER_ID INTEGER PRIMARY KEY = user's code << 32 | n, n counting the user's
//                     events in order of arrival; ITEM_ID and EVENT_TYPE are codes; the rest as
//                     declared. So one user's history is one range of the clustered order.
//   <table>_user, <table>_item, <table>_type   code INTEGER PRIMARY KEY, id TEXT UNIQUE
//   <table>_exposure  item INTEGER PRIMARY KEY (a code), shown INTEGER: in the impressions of how
//                     many events the item is
//   <table>_session   session TEXT PRIMARY KEY, user TEXT: whose a session is (session_users.h)
//   <table>_change    one row: mark, another number after each change or deletion of an event.
//                     Databases of builds that knew none lack it: then nothing is remembered by it.
// users, items:
//   <table>_row       the columns as declared, the id UNIQUE
//   <table>_change    of items: one row, how often a row of <table>_row was changed or deleted, so
//                     that a reader knows whether what it has read still holds
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_config.h"

namespace personalize {

// The number of a user's n-th event, n from 0 to kLastPlace, and what it is made of.
inline constexpr int64_t kLastPlace = 0xffffffff;
inline int64_t event_key(int64_t user, int64_t n) { return user << 32 | n; }
inline int64_t user_of_key(int64_t key) { return key >> 32; }
inline int64_t place_of_key(int64_t key) { return key & kLastPlace; }

// The endings of the shadow tables' names, without the underscore.
std::span<const std::string_view> shadow_suffixes(DatasetKind kind);

// A shadow table's name for SQL: "main"."interactions_event".
std::string shadow_table(std::string_view schema, std::string_view table, std::string_view suffix);

// Whether there is a table of that name, in any case.
Result<bool> has_table(Connection& connection, std::string_view schema, std::string_view table);

// Whether an interactions dataset has the mark of changes.
Result<bool> has_mark(Connection& connection, std::string_view schema, std::string_view table);

// Fails with kAlreadyExists if a table that is in the way of a shadow table exists.
Status check_shadow_names(Connection& connection, std::string_view schema, std::string_view table,
                          DatasetKind kind);

Status create_shadow_tables(Connection& connection, std::string_view schema, std::string_view table,
                            const DatasetConfig& config);
Status drop_shadow_tables(Connection& connection, std::string_view schema, std::string_view table,
                          DatasetKind kind);
Status rename_shadow_tables(Connection& connection, std::string_view schema, std::string_view from,
                            std::string_view to, DatasetKind kind);

}  // namespace personalize
