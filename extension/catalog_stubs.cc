#include "extension/catalog_stubs.h"

#include <fmt/format.h>

#include "extension/boundary.h"

namespace personalize {
namespace {

// A table of sql/catalog.sql; the columns as there, or an INSERT would fail for want of one.
struct Stub {
  const char* name;
  const char* columns;
};

constexpr Stub kStubs[] = {
    {"personalize_settings", "name, value"},
    {"personalize_dataset_groups", "name"},
    {"personalize_datasets", "dataset_group, kind, table_name, arguments"},
    {"personalize_solutions",
     "name, dataset_group, recipe, perform_automl, perform_hpo, event_type, event_value_threshold, "
     "hyperparameters, feature_transformation, hpo_config"},
    {"personalize_campaigns",
     "name, version, min_provisioned_tps, max_tps, on_throttle, config, id"},
};

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** table, char** message) {
  return guarded([&] {
    const auto* stub = static_cast<const Stub*>(static_cast<ModuleContext*>(aux)->extra);
    const int code =
        sqlite3_declare_vtab(db, fmt::format("CREATE TABLE x({})", stub->columns).c_str());
    if (code != SQLITE_OK) return set_error(message, sqlite_failure(db, code, stub->name));
    *table = new sqlite3_vtab();
    return SQLITE_OK;
  });
}

int disconnect(sqlite3_vtab* table) {
  delete table;
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

int update(sqlite3_vtab* table, int, sqlite3_value**, sqlite3_int64*) {
  return guarded_table(table, [] {
    return Status(StatusCode::kNotFound,
                  "ResourceNotFoundException: create a dataset first: CREATE VIRTUAL TABLE "
                  "interactions USING personalize_interactions");
  });
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
  module.xUpdate = update;
  return module;
}

}  // namespace

Status register_catalog_stubs(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module module = make_module();
  for (const Stub& stub : kStubs)
    PERSONALIZE_RETURN_IF_ERROR(register_module(connection, stub.name, &module, &stub));
  return Status::ok();
}

}  // namespace personalize
