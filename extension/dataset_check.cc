#include "extension/dataset_check.h"

#include <fmt/format.h>

#include "extension/catalog.h"
#include "extension/dataset_config.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

Result<std::vector<DatasetEntry>> all_datasets(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT table_name, arguments FROM {}.personalize_datasets "
                                    "ORDER BY dataset_group, kind",
                                    sql_name(schema))));
  std::vector<DatasetEntry> entries;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return entries;
    DatasetEntry entry;
    entry.schema = schema;
    entry.table = statement.text(0);
    entry.arguments = statement.text(1);
    entries.push_back(std::move(entry));
  }
}

Result<int64_t> count(Connection& connection, const std::string& sql) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection.prepare(sql));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  return statement.integer(0);
}

// Rows of a shadow table whose code of `suffix`'s dictionary, in `column`, stands for nothing.
Status check_codes(Connection& connection, const DatasetEntry& entry, std::string_view table,
                   std::string_view column, std::string_view suffix,
                   std::vector<DatasetFinding>& findings) {
  const std::string event = shadow_table(entry.schema, entry.table, table);
  const std::string dictionary = shadow_table(entry.schema, entry.table, suffix);
  PERSONALIZE_ASSIGN_OR_RETURN(
      const int64_t lost,
      count(connection, fmt::format("SELECT count(*) FROM {0} WHERE {1} IS NOT "
                                    "NULL AND {1} NOT IN (SELECT code FROM {2})",
                                    event, column, dictionary)));
  if (lost > 0)
    findings.push_back({entry.table, fmt::format("{} rows of {} have a code that {} does not know",
                                                 lost, event, dictionary)});
  return Status::ok();
}

Status check_native(Connection& connection, const DatasetEntry& entry, const DatasetConfig& config,
                    std::vector<DatasetFinding>& findings) {
  const size_t before = findings.size();
  for (const std::string_view suffix : shadow_suffixes(config.kind)) {
    const std::string name = fmt::format("{}_{}", entry.table, suffix);
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, has_table(connection, entry.schema, name));
    if (!there)
      findings.push_back({entry.table, fmt::format("its table '{}' does not exist", name)});
  }
  if (findings.size() > before || config.kind != DatasetKind::kInteractions) return Status::ok();
  constexpr std::string_view kCodes[][3] = {{"event", "USER_ID >> 32", "user"},
                                            {"event", "ITEM_ID", "item"},
                                            {"event", "EVENT_TYPE", "type"},
                                            {"exposure", "item", "item"}};
  for (const auto& [table, column, suffix] : kCodes)
    PERSONALIZE_RETURN_IF_ERROR(check_codes(connection, entry, table, column, suffix, findings));
  return Status::ok();
}

Status check_dataset(Connection& connection, const DatasetEntry& entry,
                     std::vector<DatasetFinding>& findings) {
  PERSONALIZE_ASSIGN_OR_RETURN(const bool there, has_table(connection, entry.schema, entry.table));
  if (!there) {
    findings.push_back(
        {"personalize_datasets", fmt::format("its table '{}' does not exist", entry.table)});
    return Status::ok();
  }
  const Result<DatasetConfig> config = DatasetConfig::from_json(entry.arguments);
  if (!config.is_ok()) {
    findings.push_back({"personalize_datasets", config.status().message()});
    return Status::ok();
  }
  if (config->content.empty()) return check_native(connection, entry, *config, findings);
  PERSONALIZE_ASSIGN_OR_RETURN(const bool business,
                               has_table(connection, entry.schema, config->content));
  if (!business)
    findings.push_back(
        {entry.table, fmt::format("the table '{}' that it reads does not exist", config->content)});
  return Status::ok();
}

}  // namespace

Result<std::vector<DatasetFinding>> check_datasets(Connection& connection,
                                                   const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<DatasetEntry> entries,
                               all_datasets(connection, schema));
  std::vector<DatasetFinding> findings;
  for (const DatasetEntry& entry : entries)
    PERSONALIZE_RETURN_IF_ERROR(check_dataset(connection, entry, findings));
  return findings;
}

}  // namespace personalize
