// personalize_anchor: an eponymous table without rows. Its only purpose: SQLite disconnects virtual
// tables before it looks for unfinalized statements in sqlite3_close, so its xDisconnect is where
// the statement cache must go.
#include "extension/anchor_table.h"

#include "extension/boundary.h"

namespace personalize {
namespace {

struct AnchorTable : sqlite3_vtab {
  Connection* connection;
};

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** table, char**) {
  return guarded([&] {
    const int code = sqlite3_declare_vtab(db, "CREATE TABLE x(unused)");
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto* anchor = new AnchorTable();
    anchor->connection = &connection_of(aux);
    anchor->connection->anchored(true);
    *table = anchor;
    return SQLITE_OK;
  });
}

int disconnect(sqlite3_vtab* table) {
  auto* anchor = static_cast<AnchorTable*>(table);
  anchor->connection->anchored(false);
  anchor->connection->drop_statements();
  delete anchor;
  return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info* info) {
  info->estimatedRows = 1;
  info->estimatedCost = 1;
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  return guarded([&] {
    *cursor = new sqlite3_vtab_cursor();
    return SQLITE_OK;
  });
}
int close(sqlite3_vtab_cursor* cursor) {
  delete cursor;
  return SQLITE_OK;
}
int filter(sqlite3_vtab_cursor*, int, const char*, int, sqlite3_value**) { return SQLITE_OK; }
int next(sqlite3_vtab_cursor*) { return SQLITE_OK; }
int eof(sqlite3_vtab_cursor*) { return 1; }
int column(sqlite3_vtab_cursor*, sqlite3_context*, int) { return SQLITE_OK; }
int rowid(sqlite3_vtab_cursor*, sqlite3_int64* id) {
  *id = 0;
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module = {};
  module.iVersion = 1;
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

Status register_anchor_table(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module module = make_module();
  return register_module(connection, "personalize_anchor", &module);
}

}  // namespace personalize
