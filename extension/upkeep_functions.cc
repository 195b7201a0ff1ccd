// SELECT personalize_repair();       --
// '[{"schema":"main","directory":...,"set_aside":[],"train":[]}]' SELECT personalize_forget('42');
// -- '{"user_id":"42","rows":187,"versions":["movies/1"]}'
#include "extension/upkeep_functions.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/store/store_check.h"
#include "engine/store/versions.h"
#include "extension/boundary.h"
#include "extension/catalog.h"
#include "extension/event_reader.h"
#include "extension/responder.h"
#include "extension/store_access.h"

namespace personalize {
namespace {

// Ids need not be UTF-8.
std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void give(sqlite3_context* context, const std::string& text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

Result<std::vector<std::string>> all_solutions(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT name FROM {}.personalize_solutions ORDER BY name",
                                    sql_name(schema))));
  std::vector<std::string> names;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return names;
    names.emplace_back(statement.text(0));
  }
}

// Solutions that have no ACTIVE version (any more).
Result<std::vector<std::string>> to_be_trained(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::vector<std::string> names, all_solutions(connection, schema));
  const Result<const Stores*> stores = open_stores(connection, schema, OpenMode::kReadWrite);
  if (!stores.is_ok()) {
    if (stores.status().code() == StatusCode::kNotFound) return names;
    return stores.status();
  }
  std::vector<std::string> missing;
  for (std::string& name : names) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<VersionRecord> latest,
                                 latest_version(*(*stores)->models, name));
    if (!latest) missing.push_back(std::move(name));
  }
  return missing;
}

void repair(sqlite3_context* context, int, sqlite3_value**) {
  guarded_function(context, [&]() -> Status {
    Connection& connection = connection_of(context);
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas,
                                 catalog_schemas(connection));
    // A file that this connection has open could not be replaced, under whatever name.
    connection.part<Responders>().close(connection);
    keep_stores(connection, {});
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (const std::string& schema : schemas) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::string directory,
                                   store_directory(connection, schema));
      PERSONALIZE_ASSIGN_OR_RETURN(const Identity who, identity(connection, schema));
      PERSONALIZE_ASSIGN_OR_RETURN(
          const std::vector<std::string> set_aside,
          repair_store(directory, who.uuid, database_file(connection, schema)));
      PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> train,
                                   to_be_trained(connection, schema));
      result.push_back({{"schema", schema},
                        {"directory", directory},
                        {"set_aside", set_aside},
                        {"train", train}});
    }
    give(context, json_text(result));
    return Status::ok();
  });
}

// Removes the user's states, and gives the versions of the group that may have learned from him.
Result<std::vector<std::string>> forget_in_stores(Connection& connection, const std::string& schema,
                                                  std::string_view group,
                                                  std::string_view user_id) {
  std::vector<std::string> versions;
  const Result<const Stores*> stores = open_stores(connection, schema, OpenMode::kReadWrite);
  if (!stores.is_ok()) {
    if (stores.status().code() == StatusCode::kNotFound) return versions;
    return stores.status();
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> records,
                               list_versions(*(*stores)->models, ""));
  std::vector<uint64_t> models;
  for (const VersionRecord& record : records) {
    if (record.dataset_group != group || record.status == kVersionFailed) continue;
    models.push_back(record.model_id);
    versions.push_back(record.name());
  }
  // No model means all models to forget(); then there is nothing to forget.
  if (!models.empty())
    PERSONALIZE_RETURN_IF_ERROR(
        (*stores)->states->forget(user_id, (*stores)->state_secret, models));
  return versions;
}

// The first catalog with interactions of that group.
Result<std::string> schema_of_group(Connection& connection, const std::string& group) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        const std::optional<DatasetEntry> dataset,
        find_dataset(connection, schema, group, DatasetKind::kInteractions));
    if (dataset) return schema;
  }
  return Status(StatusCode::kNotFound,
                fmt::format("ResourceNotFoundException: personalize_forget: dataset group '{}' has "
                            "no interactions",
                            group));
}

void forget(sqlite3_context* context, int count, sqlite3_value** values) {
  guarded_function(context, [&]() -> Status {
    Connection& connection = connection_of(context);
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string user_id, id_of(values[0], "user_id"));
    const std::string group(count > 1 ? text_of(values[1]) : "default");
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string schema, schema_of_group(connection, group));
    // A store that cannot be opened must be known before anything is deleted.
    const Status stores = open_stores(connection, schema, OpenMode::kReadWrite).status();
    if (!stores.is_ok() && stores.code() != StatusCode::kNotFound) return stores;
    const Result<int64_t> rows = delete_user(connection, schema, group, user_id);
    // Also where his events are his host's to delete.
    PERSONALIZE_ASSIGN_OR_RETURN(std::vector<std::string> versions,
                                 forget_in_stores(connection, schema, group, user_id));
    if (!rows.is_ok()) return rows.status();
    // Who was not there was learned from by nobody.
    if (*rows == 0) versions.clear();
    give(context, json_text({{"user_id", user_id}, {"rows", *rows}, {"versions", versions}}));
    return Status::ok();
  });
}

}  // namespace

Status register_upkeep_functions(const std::shared_ptr<Connection>& connection) {
  PERSONALIZE_RETURN_IF_ERROR(
      register_scalar(connection, "personalize_repair", 0, SQLITE_DIRECTONLY, repair));
  for (const int arguments : {1, 2})
    PERSONALIZE_RETURN_IF_ERROR(
        register_scalar(connection, "personalize_forget", arguments, SQLITE_DIRECTONLY, forget));
  return Status::ok();
}

}  // namespace personalize
