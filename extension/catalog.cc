#include "extension/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>

#include "extension/boundary.h"
#include "extension/catalog_checks.h"
#include "extension/prices.h"
#include "sql/catalog_sql.h"

namespace personalize {
namespace {

constexpr std::string_view kNoDataset =
    "there is no dataset yet: CREATE VIRTUAL TABLE interactions USING personalize_interactions";

// Whether `schema` has the table that every catalog has. Asks SQLite's own memory of the schema,
// which is faster than a statement; where that knows none, another process may have made one since,
// and only a statement makes SQLite look. A database other than main that cannot be read has none.
Result<bool> has_catalog(Connection& connection, const std::string& schema) {
  if (sqlite3_table_column_metadata(connection.db(), schema.c_str(), "personalize_identity",
                                    nullptr, nullptr, nullptr, nullptr, nullptr,
                                    nullptr) == SQLITE_OK)
    return true;
  const auto look = [&]() -> Result<bool> {
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection.cached(
            fmt::format("SELECT 1 FROM {}.sqlite_master WHERE name = 'personalize_identity'",
                        sql_name(schema))));
    return statement.step();
  };
  const Result<bool> found = look();
  if (!found.is_ok() && schema != "main") return false;
  return found;
}

// The schemas in which to look for `name`, and the name without a schema before it.
struct Search {
  std::vector<std::string> schemas;
  std::string name;
};

Result<Search> where_to_look(Connection& connection, std::string_view name) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::vector<std::string> schemas, catalog_schemas(connection));
  if (const size_t dot = name.rfind('.'); dot != std::string_view::npos) {
    const std::string_view wanted = name.substr(0, dot);
    for (const std::string& schema : schemas) {
      if (sqlite3_stricmp(schema.c_str(), std::string(wanted).c_str()) == 0)
        return Search{{schema}, std::string(name.substr(dot + 1))};
    }
  }
  return Search{std::move(schemas), std::string(name)};
}

// All names of `table` in `schemas`, for a message.
Result<std::vector<std::string>> names_in(Connection& connection,
                                          std::span<const std::string> schemas,
                                          std::string_view table) {
  std::vector<std::string> names;
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement, connection.cached(fmt::format("SELECT name FROM {}.{} ORDER BY name",
                                                           sql_name(schema), table)));
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
      if (!row) break;
      names.emplace_back(statement.text(0));
    }
  }
  return names;
}

// What find_solution and find_campaign say when there is no such row. `kind`: "solution".
Status not_found(Connection& connection, std::span<const std::string> schemas,
                 std::string_view kind, std::string_view name, std::string_view caller,
                 std::string_view how_to_make_one) {
  std::string start =
      fmt::format("ResourceNotFoundException: {}: {} '{}' does not exist; ", caller, kind, name);
  if (schemas.empty()) return {StatusCode::kNotFound, start + std::string(kNoDataset)};
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                               names_in(connection, schemas, fmt::format("personalize_{}s", kind)));
  if (names.empty())
    return {StatusCode::kNotFound, fmt::format("{}there is none: {}", start, how_to_make_one)};
  return {StatusCode::kNotFound, fmt::format("{}there are: {}", start, fmt::join(names, ", "))};
}

constexpr std::string_view kCampaignColumns =
    "c.id, c.name, c.version, c.min_provisioned_tps, c.max_tps, c.on_throttle, c.config, "
    "s.dataset_group";

// A campaign's rows, joined with the solution whose version it names.
std::string campaign_query(std::string_view schema, std::string_view condition) {
  return fmt::format(
      "SELECT {0} FROM {1}.personalize_campaigns c JOIN {1}.personalize_solutions s "
      "ON s.name = substr(c.version, 1, instr(c.version, '/') - 1) WHERE {2} ORDER BY c.name",
      kCampaignColumns, sql_name(schema), condition);
}

// The row that `statement` stands on; its columns are kCampaignColumns.
Result<CampaignEntry> read_campaign(const Statement& statement, std::string_view schema) {
  CampaignEntry entry;
  entry.schema = schema;
  entry.id = statement.integer(0);
  entry.name = statement.text(1);
  PERSONALIZE_ASSIGN_OR_RETURN(VersionName version,
                               parse_version_name(statement.text(2), "personalize_campaigns"));
  entry.solution = std::move(version.solution);
  entry.number = version.number;
  entry.min_provisioned_tps = statement.integer(3);
  if (!statement.is_null(4)) entry.max_tps = statement.integer(4);
  entry.wait_on_throttle = statement.text(5) == "wait";
  PERSONALIZE_ASSIGN_OR_RETURN(entry.config, parse_campaign_config(statement.text(6)));
  entry.dataset_group = statement.text(7);
  return entry;
}

}  // namespace

std::string_view dataset_kind_name(DatasetKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"interactions", "users", "items"};
  return kNames[static_cast<size_t>(kind)];
}

Status create_catalog(Connection& connection, std::string_view schema) {
  const CatalogWriting writing(connection);
  const std::string place = " " + sql_name(schema) + ".";
  std::string sql = kCatalogSql;
  constexpr std::string_view kMain = " main.";
  for (size_t at = 0; (at = sql.find(kMain, at)) != std::string::npos; at += place.size())
    sql.replace(at, kMain.size(), place);
  PERSONALIZE_RETURN_IF_ERROR(connection.execute(sql));
  PERSONALIZE_RETURN_IF_ERROR(fill_prices(connection, schema));
  return connection.execute(
      fmt::format("INSERT INTO {0}.personalize_identity(uuid, state_secret) "
                  "SELECT lower(hex(randomblob(16))), random() "
                  "WHERE NOT EXISTS (SELECT 1 FROM {0}.personalize_identity);"
                  "INSERT OR IGNORE INTO {0}.personalize_dataset_groups(name) VALUES ('default')",
                  sql_name(schema)));
}

Result<std::vector<std::string>> schemas_of(Connection& connection) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection.cached("PRAGMA database_list"));
  std::vector<std::string> schemas;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    schemas.emplace_back(statement.text(1));
  }
  return schemas;
}

Result<std::vector<std::string>> catalog_schemas(Connection& connection) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, schemas_of(connection));
  std::vector<std::string> catalogs;
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool has, has_catalog(connection, schema));
    if (has) catalogs.push_back(schema);
  }
  return catalogs;
}

Status add_dataset(Connection& connection, const DatasetEntry& entry) {
  PERSONALIZE_RETURN_IF_ERROR(check_name("dataset group", entry.group));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<DatasetEntry> there,
                               find_dataset(connection, entry.schema, entry.group, entry.kind));
  if (there) {
    return {StatusCode::kAlreadyExists,
            fmt::format("ResourceAlreadyExistsException: dataset group '{}' has its {} in table "
                        "'{}'; a group has one dataset of each kind: name another group with "
                        "group='...', or DROP TABLE {}",
                        entry.group, dataset_kind_name(entry.kind), there->table,
                        sql_name(there->table))};
  }
  const CatalogWriting writing(connection);
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement group,
      connection.cached(fmt::format("INSERT OR IGNORE INTO {}.personalize_dataset_groups(name) "
                                    "VALUES (?1)",
                                    sql_name(entry.schema))));
  PERSONALIZE_RETURN_IF_ERROR(group.bind(1, entry.group).run());
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement dataset, connection.cached(fmt::format(
                             "INSERT INTO {}.personalize_datasets(dataset_group, kind, table_name, "
                             "arguments) VALUES (?1, ?2, ?3, ?4)",
                             sql_name(entry.schema))));
  return dataset.bind(1, entry.group)
      .bind(2, dataset_kind_name(entry.kind))
      .bind(3, entry.table)
      .bind(4, entry.arguments)
      .run();
}

Status rename_dataset(Connection& connection, std::string_view schema, std::string_view from,
                      std::string_view to) {
  const CatalogWriting writing(connection);
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("UPDATE {}.personalize_datasets SET table_name = ?2 "
                                    "WHERE table_name = ?1 COLLATE NOCASE",
                                    sql_name(schema))));
  return statement.bind(1, from).bind(2, to).run();
}

Status remove_dataset(Connection& connection, std::string_view schema, std::string_view table) {
  const CatalogWriting writing(connection);
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement,
                               connection.cached(fmt::format("DELETE FROM {}.personalize_datasets "
                                                             "WHERE table_name = ?1 COLLATE NOCASE",
                                                             sql_name(schema))));
  return statement.bind(1, table).run();
}

Result<std::optional<DatasetEntry>> find_dataset(Connection& connection, std::string_view schema,
                                                 std::string_view group, DatasetKind kind) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT table_name, arguments FROM {}.personalize_datasets "
                                    "WHERE dataset_group = ?1 AND kind = ?2",
                                    sql_name(schema))));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row,
                               statement.bind(1, group).bind(2, dataset_kind_name(kind)).step());
  if (!row) return std::optional<DatasetEntry>();
  return std::optional<DatasetEntry>(DatasetEntry{std::string(schema), std::string(group), kind,
                                                  std::string(statement.text(0)),
                                                  std::string(statement.text(1))});
}

Result<SolutionEntry> find_solution(Connection& connection, std::string_view name,
                                    std::string_view caller) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Search search, where_to_look(connection, name));
  for (const std::string& schema : search.schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection.cached(fmt::format(
            "SELECT name, dataset_group, recipe, event_type, event_value_threshold, "
            "hyperparameters, feature_transformation, perform_automl, perform_hpo, hpo_config "
            "FROM {}.personalize_solutions WHERE name = ?1",
            sql_name(schema))));
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, search.name).step());
    if (!row) continue;
    SolutionEntry entry;
    entry.schema = schema;
    entry.solution.name = statement.text(0);
    entry.solution.dataset_group = statement.text(1);
    entry.solution.recipe = statement.text(2);
    entry.solution.filter.event_type = statement.text(3);
    entry.solution.filter.has_threshold = !statement.is_null(4);
    entry.solution.filter.event_value_threshold = statement.real(4);
    entry.solution.hyperparameters = statement.text(5);
    entry.solution.feature_transformation = statement.text(6);
    entry.solution.perform_automl = statement.integer(7) != 0;
    entry.solution.perform_hpo = statement.integer(8) != 0;
    entry.solution.hpo_config = statement.text(9);
    return entry;
  }
  return not_found(connection, search.schemas, "solution", name, caller,
                   "INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'hrnn')");
}

Result<CampaignEntry> find_campaign(Connection& connection, std::string_view name,
                                    std::string_view caller) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Search search, where_to_look(connection, name));
  for (const std::string& schema : search.schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(Statement statement,
                                 connection.cached(campaign_query(schema, "c.name = ?1")));
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, search.name).step());
    if (row) return read_campaign(statement, schema);
  }
  return not_found(
      connection, search.schemas, "campaign", name, caller,
      "INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'movies/latest')");
}

Result<std::vector<CampaignEntry>> campaigns_of_group(Connection& connection,
                                                      std::string_view schema,
                                                      std::string_view group) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement,
                               connection.cached(campaign_query(schema, "s.dataset_group = ?1")));
  statement.bind(1, group);
  std::vector<CampaignEntry> campaigns;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return campaigns;
    PERSONALIZE_ASSIGN_OR_RETURN(CampaignEntry entry, read_campaign(statement, schema));
    campaigns.push_back(std::move(entry));
  }
}

Result<VersionName> parse_version_name(std::string_view text, std::string_view caller) {
  const size_t slash = text.rfind('/');
  const std::string_view number = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  VersionName version{std::string(text.substr(0, slash)), 0};
  if (number == "latest") return version;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), version.number);
  if (error != std::errc() || end != number.data() + number.size() || version.number < 1 ||
      number.front() == '0') {
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: version '{}' is no solution version; one "
                              "is named 'solution/3' or 'solution/latest'",
                              caller, text));
  }
  return version;
}

Result<std::optional<std::string>> find_setting(Connection& connection, std::string_view schema,
                                                std::string_view name) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT value FROM {}.personalize_settings WHERE name = ?1 "
                                    "AND value IS NOT NULL",
                                    sql_name(schema))));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, name).step());
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(statement.text(0));
}

Result<Identity> identity(Connection& connection, std::string_view schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(
          fmt::format("SELECT uuid, state_secret FROM {}.personalize_identity", sql_name(schema))));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
  if (!row || statement.text(0).size() != 32)
    return Status(StatusCode::kCorrupt,
                  fmt::format("personalize: {}.personalize_identity has lost its row; restore it "
                              "from a backup of this database",
                              schema));
  return Identity{std::string(statement.text(0)), static_cast<uint64_t>(statement.integer(1))};
}

}  // namespace personalize
