// personalize_anchor: an eponymous table without rows. Its only purpose: SQLite disconnects virtual
// tables before it looks for unfinalized statements in sqlite3_close, so its xDisconnect is where
// the statement cache must go.
#include "extension/anchor_table.h"

#include "extension/boundary.h"
#include "extension/eponymous_module.h"

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

}  // namespace

Status register_anchor_table(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module module = module_without_rows(connect, disconnect);
  return register_module(connection, "personalize_anchor", &module);
}

}  // namespace personalize
