// What the modules of our eponymous tables (tables that exist by themselves) share: the callbacks
// that only make and delete, those of a table without rows, and the module put together.
#pragma once

#include "extension/boundary.h"
#include "extension/sqlite_api.h"

namespace personalize {

// xDisconnect and xClose of a table and a cursor made by new, and xOpen.
template <typename Table>
int delete_table(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}
template <typename Cursor>
int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  return guarded([&] {
    *cursor = new Cursor();
    return SQLITE_OK;
  });
}
template <typename Cursor>
int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

// No xCreate: CREATE VIRTUAL TABLE ... USING it says "no such module". The caller sets every
// callback that is not optional.
template <typename Cursor>
sqlite3_module eponymous_module(decltype(sqlite3_module::xConnect) connect,
                                decltype(sqlite3_module::xDisconnect) disconnect) {
  sqlite3_module module = {};
  module.iVersion = 1;
  module.xConnect = connect;
  module.xDisconnect = disconnect;
  module.xOpen = open_cursor<Cursor>;
  module.xClose = close_cursor<Cursor>;
  return module;
}

// The same for a table that never has a row.
inline sqlite3_module module_without_rows(decltype(sqlite3_module::xConnect) connect,
                                          decltype(sqlite3_module::xDisconnect) disconnect) {
  sqlite3_module module = eponymous_module<sqlite3_vtab_cursor>(connect, disconnect);
  module.xBestIndex = [](sqlite3_vtab*, sqlite3_index_info* info) {
    info->estimatedRows = 1;
    info->estimatedCost = 1;
    return SQLITE_OK;
  };
  module.xFilter = [](sqlite3_vtab_cursor*, int, const char*, int, sqlite3_value**) {
    return SQLITE_OK;
  };
  module.xNext = [](sqlite3_vtab_cursor*) { return SQLITE_OK; };
  module.xEof = [](sqlite3_vtab_cursor*) { return 1; };
  module.xColumn = [](sqlite3_vtab_cursor*, sqlite3_context*, int) { return SQLITE_OK; };
  module.xRowid = [](sqlite3_vtab_cursor*, sqlite3_int64* id) {
    *id = 0;
    return SQLITE_OK;
  };
  return module;
}

}  // namespace personalize
