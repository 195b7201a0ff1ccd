// The entry point: registers every part with a connection.
#include <fmt/format.h>

#include <memory>

#include "extension/about_functions.h"
#include "extension/anchor_table.h"
#include "extension/answer_table.h"
#include "extension/boundary.h"
#include "extension/catalog_checks.h"
#include "extension/catalog_stubs.h"
#include "extension/connection.h"
#include "extension/cost_table.h"
#include "extension/dataset_table.h"
#include "extension/estimate_table.h"
#include "extension/explain_table.h"
#include "extension/import_function.h"
#include "extension/insights_table.h"
#include "extension/put_events_function.h"
#include "extension/put_rows_function.h"
#include "extension/report_tables.h"
#include "extension/row_visitor.h"
#include "extension/score_function.h"
#include "extension/segment_table.h"
#include "extension/status_tables.h"
#include "extension/train_function.h"
#include "extension/upkeep_functions.h"
#include "extension/usage_table.h"

#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT1
#endif

namespace personalize {
namespace {

constexpr int kOldestSqlite = 3038000;  // sqlite3_vtab_in

Status register_all(sqlite3* db) {
  if (sqlite3_libversion_number() < kOldestSqlite)
    return {StatusCode::kInvalidInput,
            fmt::format("personalize needs SQLite 3.38.0 or later; this program has {}",
                        sqlite3_libversion())};
  const auto connection = std::make_shared<Connection>(db);
  PERSONALIZE_RETURN_IF_ERROR(register_anchor_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_row_visitor(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_about_functions(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_catalog_checks(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_catalog_stubs(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_train_function(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_estimate_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_insights_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_report_tables(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_status_tables(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_usage_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_cost_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_upkeep_functions(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_dataset_modules(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_answer_tables(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_score_function(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_explain_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_segment_table(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_import_function(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_put_events_functions(connection));
  PERSONALIZE_RETURN_IF_ERROR(register_put_rows_functions(connection));
  return Status::ok();
}

#ifndef SQLITE_CORE
// Takes the host's table of routines, which is one for all connections of an SQLite library:
// written once, since other threads read it while a connection is made. False if a second SQLite
// library of this process comes with its own: what one of them allocates, the other must not free.
bool take_routines(const sqlite3_api_routines* api) {
  [[maybe_unused]] static const bool taken = [api] {
    SQLITE_EXTENSION_INIT2(api);
    return true;
  }();
  return sqlite3_api == api;
}
#endif

}  // namespace
}  // namespace personalize

extern "C" __attribute__((visibility("default"))) int sqlite3_personalize_init(
    sqlite3* db, char** message, const sqlite3_api_routines* api) {
#ifndef SQLITE_CORE
  if (!personalize::take_routines(api)) {
    *message = api->mprintf(
        "personalize serves another SQLite library of this process already (version %s); load a "
        "copy "
        "of the file under another name for this one",
        sqlite3_libversion());
    return SQLITE_ERROR;
  }
  // Threads of a training and the registry of open stores must not be unloaded under us.
  constexpr int kSuccess = SQLITE_OK_LOAD_PERMANENTLY;
#else
  (void)api;
  constexpr int kSuccess = SQLITE_OK;  // an automatic extension may return nothing else
#endif
  using namespace personalize;
  return guarded([&] {
    const int code = set_error(message, register_all(db));
    return code == SQLITE_OK ? kSuccess : code;
  });
}
