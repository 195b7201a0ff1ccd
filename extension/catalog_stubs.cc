#include "extension/catalog_stubs.h"

#include <fmt/format.h>

#include "extension/boundary.h"
#include "extension/eponymous_module.h"

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
    {"personalize_filters", "name, dataset_group, expression"},
    {"personalize_campaigns",
     "name, version, min_provisioned_tps, max_tps, on_throttle, config, id"},
    {"personalize_prices", "line, unit, usd"},
    {"personalize_event_trackers", "name, dataset_group, tracking_id"},
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

int update(sqlite3_vtab* table, int, sqlite3_value**, sqlite3_int64*) {
  return guarded_table(table, [] {
    return Status(StatusCode::kNotFound,
                  "ResourceNotFoundException: create a dataset first: CREATE VIRTUAL TABLE "
                  "interactions USING personalize_interactions");
  });
}

sqlite3_module make_module() {
  sqlite3_module module = module_without_rows(connect, delete_table<sqlite3_vtab>);
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
