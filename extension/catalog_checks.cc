#include "extension/catalog_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/json_text.h"
#include "engine/store/versions.h"
#include "engine/training/job.h"
#include "engine/training/memory_size.h"
#include "extension/boundary.h"
#include "extension/catalog.h"
#include "extension/filter_lookup.h"
#include "extension/prices.h"
#include "extension/store_access.h"

namespace personalize {
namespace {

struct CatalogWriters {
  int depth = 0;
};

Status invalid(std::string_view table, std::string_view what) {
  return {StatusCode::kInvalidInput, fmt::format("InvalidInputException: {}: {}", table, what)};
}

// The engine's failure as one of `table`: led by Amazon's exception name and the table.
Status named(const Status& status, std::string_view table) {
  if (status.is_ok()) return status;
  return {status.code(),
          fmt::format("{}: {}: {}",
                      status.code() == StatusCode::kNotFound ? "ResourceNotFoundException"
                                                             : "InvalidInputException",
                      table, status.message())};
}

// Whether `name` is one of `names`, which are joined by ", " (no name contains a comma).
bool listed(std::string_view names, std::string_view name) {
  for (size_t start = 0; start <= names.size();) {
    const size_t end = std::min(names.find(", ", start), names.size());
    if (names.substr(start, end - start) == name) return true;
    start = end + 2;
  }
  return false;
}

// That `group` is one of `groups`, which are all.
Status check_group_exists(std::string_view table, std::string_view group, std::string_view groups) {
  if (listed(groups, group)) return Status::ok();
  return {StatusCode::kNotFound,
          fmt::format("ResourceNotFoundException: {}: dataset group '{}' does not exist; there "
                      "are: {}",
                      table, group, groups)};
}

// A JSON object, or nothing.
Status check_object(std::string_view table, std::string_view column, sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return Status::ok();
  const std::string_view text = text_of(value);
  if (parse_json(text).is_object()) return Status::ok();
  return invalid(table, fmt::format("{} is no JSON object: {}", column, text.substr(0, 200)));
}

// personalize_check_setting(name, value)
Status check_setting(Connection&, sqlite3_value** values) {
  constexpr std::string_view kTable = "personalize_settings";
  const std::string_view name = text_of(values[0]);
  const bool is_null = sqlite3_value_type(values[1]) == SQLITE_NULL;
  const std::string_view value = text_of(values[1]);
  if (name == "store_path") {
    if (is_null || !value.empty()) return Status::ok();
    return invalid(kTable, "store_path is empty; it is a directory, or NULL for the usual place");
  }
  if (name == "max_training_memory") {
    if (is_null || parse_memory_size(value)) return Status::ok();
    return invalid(kTable,
                   fmt::format("max_training_memory is '{}'; it is a number of bytes, such as "
                               "4000000000 or '4 GB', or NULL for half of the machine's memory",
                               value));
  }
  return invalid(
      kTable,
      fmt::format("there is no setting '{}'; there are: max_training_memory, store_path", name));
}

// personalize_check_dataset_group(name)
Status check_dataset_group(Connection&, sqlite3_value** values) {
  return check_name("dataset group", text_of(values[0]));
}

// personalize_check_managed(table)
Status check_managed(Connection& connection, sqlite3_value** values) {
  if (connection.part<CatalogWriters>().depth > 0) return Status::ok();
  return invalid(text_of(values[0]),
                 "this table is written by CREATE VIRTUAL TABLE ... USING personalize_interactions "
                 "(_users, _items), ALTER TABLE and DROP TABLE alone");
}

// personalize_check_unused(kind, name, kind of the users, their names or NULL)
Status check_unused(Connection&, sqlite3_value** values) {
  if (sqlite3_value_type(values[3]) == SQLITE_NULL) return Status::ok();
  return {
      StatusCode::kInUse,
      fmt::format("ResourceInUseException: {} '{}' is used by {} {}; delete that first",
                  text_of(values[0]), text_of(values[1]), text_of(values[2]), text_of(values[3]))};
}

// personalize_check_solution(name, dataset_group, recipe, perform_automl, perform_hpo, event_type,
//   event_value_threshold, hyperparameters, feature_transformation, hpo_config, all groups)
Status check_solution_row(Connection&, sqlite3_value** values) {
  constexpr std::string_view kTable = "personalize_solutions";
  PERSONALIZE_RETURN_IF_ERROR(check_name("solution", text_of(values[0])));
  const std::string_view group = text_of(values[1]);
  PERSONALIZE_RETURN_IF_ERROR(check_group_exists(kTable, group, text_of(values[10])));
  constexpr std::array<std::string_view, 2> kFlags = {"perform_automl", "perform_hpo"};
  for (int i = 0; i < 2; i++) {
    const std::string_view flag = text_of(values[3 + i]);
    if (flag != "0" && flag != "1")
      return invalid(kTable, fmt::format("{} is '{}'; it must be 0 or 1", kFlags[i], flag));
  }
  const int threshold = sqlite3_value_type(values[6]);
  if (threshold != SQLITE_NULL && threshold != SQLITE_FLOAT && threshold != SQLITE_INTEGER)
    return invalid(kTable,
                   fmt::format("event_value_threshold is no number: '{}'", text_of(values[6])));
  PERSONALIZE_RETURN_IF_ERROR(check_object(kTable, "hpo_config", values[9]));
  Solution solution;
  solution.name = text_of(values[0]);
  solution.dataset_group = group;
  solution.recipe = text_of(values[2]);
  solution.filter.event_type = text_of(values[5]);
  solution.filter.has_threshold = threshold != SQLITE_NULL;
  solution.filter.event_value_threshold = sqlite3_value_double(values[6]);
  solution.hyperparameters = text_of(values[7]);
  solution.feature_transformation = text_of(values[8]);
  solution.perform_automl = sqlite3_value_int64(values[3]) != 0;
  solution.perform_hpo = sqlite3_value_int64(values[4]) != 0;
  solution.hpo_config = text_of(values[9]);
  return named(check_solution(solution), kTable);
}

// The schema whose catalog has this uuid. A trigger cannot know the name under which its own
// database is attached.
Result<std::string> schema_of(Connection& connection, std::string_view uuid) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(const Identity who, identity(connection, schema));
    if (who.uuid == uuid) return schema;
  }
  return Status(StatusCode::kInternal,
                "personalize: personalize_identity does not say whose catalog this is");
}

// The model store of that catalog; nullptr where nothing was trained yet.
Result<std::shared_ptr<ModelStore>> store_of(Connection& connection, std::string_view uuid) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string schema, schema_of(connection, uuid));
  const Result<const Stores*> stores = open_stores(connection, schema, OpenMode::kReadWrite);
  if (stores.is_ok()) return (*stores)->models;
  if (stores.status().code() == StatusCode::kNotFound) return std::shared_ptr<ModelStore>();
  return stores.status();
}

// personalize_check_no_versions(solution, uuid of the catalog)
Status check_no_versions(Connection& connection, sqlite3_value** values) {
  const std::string_view solution = text_of(values[0]);
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<ModelStore> store,
                               store_of(connection, text_of(values[1])));
  if (!store) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> versions,
                               list_versions(*store, solution));
  if (versions.empty()) return Status::ok();
  return {
      StatusCode::kInUse,
      fmt::format("ResourceInUseException: solution '{0}' has versions, which are named after it: "
                  "DELETE FROM personalize_versions WHERE solution = '{0}' first",
                  solution)};
}

// 'solution/3' must be there and ACTIVE; 'solution/latest' may come to be later.
Status check_version(Connection& connection, const VersionName& version, std::string_view uuid) {
  if (version.number == 0) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<ModelStore> store, store_of(connection, uuid));
  std::vector<std::string> active;
  if (store) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> records,
                                 list_versions(*store, version.solution));
    for (const VersionRecord& record : records) {
      if (record.status != kVersionActive) continue;
      if (record.number == version.number) return Status::ok();
      active.push_back(record.name());
    }
  }
  return {StatusCode::kNotFound,
          fmt::format("ResourceNotFoundException: personalize_campaigns: there is no ACTIVE "
                      "solution version '{}/{}'; there {}",
                      version.solution, version.number,
                      active.empty()
                          ? fmt::format("is none: SELECT personalize_train('{}')", version.solution)
                          : fmt::format("are: {}", fmt::join(active, ", ")))};
}

Status check_tps(sqlite3_value* minimum, sqlite3_value* maximum) {
  constexpr std::string_view kTable = "personalize_campaigns";
  constexpr int64_t kMost = 1'000'000;
  if (sqlite3_value_type(minimum) != SQLITE_INTEGER || sqlite3_value_int64(minimum) < 1 ||
      sqlite3_value_int64(minimum) > kMost)
    return invalid(kTable, fmt::format("min_provisioned_tps is {}; it is a whole number from 1 to "
                                       "1000000",
                                       text_of(minimum)));
  if (sqlite3_value_type(maximum) == SQLITE_NULL) return Status::ok();
  if (sqlite3_value_type(maximum) != SQLITE_INTEGER ||
      sqlite3_value_int64(maximum) < sqlite3_value_int64(minimum))
    return invalid(kTable, fmt::format("max_tps is {}; it is a whole number of at least "
                                       "min_provisioned_tps ({}), or NULL for no limit",
                                       text_of(maximum), text_of(minimum)));
  return Status::ok();
}

// personalize_check_campaign(name, version, min_provisioned_tps, max_tps, on_throttle, config, all
//   solutions, uuid of the catalog)
Status check_campaign(Connection& connection, sqlite3_value** values) {
  constexpr std::string_view kTable = "personalize_campaigns";
  PERSONALIZE_RETURN_IF_ERROR(check_name("campaign", text_of(values[0])));
  PERSONALIZE_ASSIGN_OR_RETURN(const VersionName version,
                               parse_version_name(text_of(values[1]), kTable));
  const std::string_view solutions = text_of(values[6]);
  if (!listed(solutions, version.solution))
    return {StatusCode::kNotFound,
            fmt::format("ResourceNotFoundException: {}: solution '{}' does not exist; there {}",
                        kTable, version.solution,
                        solutions.empty() ? "is none" : fmt::format("are: {}", solutions))};
  PERSONALIZE_RETURN_IF_ERROR(check_tps(values[2], values[3]));
  PERSONALIZE_RETURN_IF_ERROR(check_version(connection, version, text_of(values[7])));
  const std::string_view on_throttle = text_of(values[4]);
  if (on_throttle != "error" && on_throttle != "wait")
    return invalid(kTable,
                   fmt::format("on_throttle is '{}'; it is 'error' or 'wait'", on_throttle));
  if (sqlite3_value_type(values[5]) != SQLITE_NULL)
    PERSONALIZE_RETURN_IF_ERROR(parse_campaign_config(text_of(values[5])).status());
  return Status::ok();
}

// personalize_check_event_tracker(name, dataset_group, tracking_id or NULL, all groups, another
//   tracker of the group or NULL)
Status check_event_tracker(Connection&, sqlite3_value** values) {
  constexpr std::string_view kTable = "personalize_event_trackers";
  constexpr size_t kLongest = 256;
  PERSONALIZE_RETURN_IF_ERROR(check_name("event tracker", text_of(values[0])));
  const std::string_view group = text_of(values[1]);
  PERSONALIZE_RETURN_IF_ERROR(check_group_exists(kTable, group, text_of(values[3])));
  const int type = sqlite3_value_type(values[2]);
  const std::string_view tracking_id = text_of(values[2]);
  if (type != SQLITE_NULL &&
      (type == SQLITE_BLOB || tracking_id.empty() || tracking_id.size() > kLongest))
    return invalid(kTable, fmt::format("tracking_id is {}; it is a text of 1 to {} bytes, or NULL "
                                       "for a random one",
                                       type == SQLITE_BLOB   ? "a blob"
                                       : tracking_id.empty() ? "empty"
                                                             : "longer",
                                       kLongest));
  if (sqlite3_value_type(values[4]) == SQLITE_NULL) return Status::ok();
  return {StatusCode::kAlreadyExists,
          fmt::format("ResourceAlreadyExistsException: {}: dataset group '{}' has its event "
                      "tracker, '{}'; a group has one",
                      kTable, group, text_of(values[4]))};
}

// personalize_check_filter(name, dataset_group, expression, all groups, uuid of the catalog)
Status check_filter_row(Connection& connection, sqlite3_value** values) {
  constexpr std::string_view kTable = "personalize_filters";
  PERSONALIZE_RETURN_IF_ERROR(check_name("filter", text_of(values[0])));
  const std::string_view group = text_of(values[1]);
  PERSONALIZE_RETURN_IF_ERROR(check_group_exists(kTable, group, text_of(values[3])));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string schema, schema_of(connection, text_of(values[4])));
  return named(check_filter(connection, schema, group, text_of(values[2])).status(), kTable);
}

// A check as an SQL function.
template <Status (*check)(Connection&, sqlite3_value**)>
void function(sqlite3_context* context, int, sqlite3_value** values) {
  guarded_function(context, [&] {
    Connection& connection = connection_of(context);
    connection.count_catalog_change();
    return check(connection, values);
  });
}

}  // namespace

Status check_name(std::string_view kind, std::string_view name) {
  constexpr size_t kLongest = 63;
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool good = !name.empty() && name.size() <= kLongest && letter_or_digit(name.front()) &&
                    std::all_of(name.begin(), name.end(),
                                [&](char c) { return letter_or_digit(c) || c == '-' || c == '_'; });
  if (good) return Status::ok();
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: {} name '{}' does not fit; a name has 1 to {} "
                      "letters, digits, '-' and '_', and starts with a letter or a digit",
                      kind, name, kLongest)};
}

CatalogWriting::CatalogWriting(Connection& connection) : connection_(connection) {
  connection.part<CatalogWriters>().depth++;
  connection.count_catalog_change();
}
CatalogWriting::~CatalogWriting() { connection_.part<CatalogWriters>().depth--; }

Status register_catalog_checks(const std::shared_ptr<Connection>& connection) {
  struct Check {
    const char* name;
    int arguments;
    void (*function)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr Check kChecks[] = {
      {"personalize_check_setting", 2, function<check_setting>},
      {"personalize_check_dataset_group", 1, function<check_dataset_group>},
      {"personalize_check_managed", 1, function<check_managed>},
      {"personalize_check_unused", 4, function<check_unused>},
      {"personalize_check_solution", 11, function<check_solution_row>},
      {"personalize_check_no_versions", 2, function<check_no_versions>},
      {"personalize_check_campaign", 8, function<check_campaign>},
      {"personalize_check_price", 3, function<check_price>},
      {"personalize_check_event_tracker", 5, function<check_event_tracker>},
      {"personalize_check_filter", 5, function<check_filter_row>},
  };
  // Innocuous: triggers must be able to call them where trusted_schema is off.
  for (const Check& check : kChecks)
    PERSONALIZE_RETURN_IF_ERROR(
        register_scalar(connection, check.name, check.arguments, SQLITE_INNOCUOUS, check.function));
  return Status::ok();
}

}  // namespace personalize
