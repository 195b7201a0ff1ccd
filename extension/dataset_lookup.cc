#include "extension/dataset_lookup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "extension/column_types.h"

namespace personalize {
namespace {

constexpr DatasetKind kKinds[] = {DatasetKind::kInteractions, DatasetKind::kUsers,
                                  DatasetKind::kItems};

bool same_name(std::string_view a, std::string_view b) { return upper_case(a) == upper_case(b); }

// Every dataset of a schema.
Result<std::vector<DatasetEntry>> datasets_of(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT dataset_group, kind, table_name, arguments FROM "
                                    "{}.personalize_datasets ORDER BY table_name",
                                    sql_name(schema))));
  std::vector<DatasetEntry> entries;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return entries;
    const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](DatasetKind one) {
      return dataset_kind_name(one) == statement.text(1);
    });
    if (kind == std::end(kKinds)) continue;
    entries.push_back({schema, std::string(statement.text(0)), *kind,
                       std::string(statement.text(2)), std::string(statement.text(3))});
  }
}

}  // namespace

Result<std::optional<Dataset>> find_dataset_of_group(Connection& connection,
                                                     std::string_view schema,
                                                     std::string_view group, DatasetKind kind) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  const bool has_catalog = std::any_of(schemas.begin(), schemas.end(),
                                       [&](const auto& one) { return same_name(one, schema); });
  if (!has_catalog) return std::optional<Dataset>();
  PERSONALIZE_ASSIGN_OR_RETURN(std::optional<DatasetEntry> entry,
                               find_dataset(connection, schema, group, kind));
  if (!entry) return std::optional<Dataset>();
  PERSONALIZE_ASSIGN_OR_RETURN(DatasetConfig config, DatasetConfig::from_json(entry->arguments));
  return std::optional<Dataset>(Dataset{std::move(*entry), std::move(config)});
}

Result<Dataset> find_interactions(Connection& connection, std::string_view schema,
                                  std::string_view group) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      std::optional<Dataset> dataset,
      find_dataset_of_group(connection, schema, group, DatasetKind::kInteractions));
  if (dataset) return std::move(*dataset);
  const std::string in_group =
      group == "default" ? std::string() : fmt::format("(group='{}')", group);
  return Status(StatusCode::kNotFound,
                fmt::format("ResourceNotFoundException: dataset group '{}' has no interactions; "
                            "CREATE VIRTUAL TABLE interactions USING personalize_interactions{}",
                            group, in_group));
}

Result<Dataset> find_dataset_table(Connection& connection, std::string_view name,
                                   std::string_view caller) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  std::vector<std::string> known;
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(std::vector<DatasetEntry> entries,
                                 datasets_of(connection, schema));
    for (DatasetEntry& entry : entries) {
      const std::string full = fmt::format("{}.{}", schema, entry.table);
      known.push_back(schema == "main" ? entry.table : full);
      if (!same_name(entry.table, name) && !same_name(full, name)) continue;
      PERSONALIZE_ASSIGN_OR_RETURN(DatasetConfig config, DatasetConfig::from_json(entry.arguments));
      return Dataset{std::move(entry), std::move(config)};
    }
  }
  if (known.empty())
    return Status(
        StatusCode::kNotFound,
        fmt::format("ResourceNotFoundException: {}: '{}' is no dataset; there is none yet: "
                    "CREATE VIRTUAL TABLE interactions USING personalize_interactions",
                    caller, name));
  return Status(StatusCode::kNotFound,
                fmt::format("ResourceNotFoundException: {}: '{}' is no dataset; there are: {}",
                            caller, name, fmt::join(known, ", ")));
}

}  // namespace personalize
