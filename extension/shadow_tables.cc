#include "extension/shadow_tables.h"

#include <fmt/format.h>

#include <array>

#include "extension/boundary.h"

namespace personalize {
namespace {

constexpr std::array<std::string_view, 7> kInteractionSuffixes = {
    "event", "user", "item", "type", "exposure", "session", "change"};
constexpr std::array<std::string_view, 1> kUserSuffixes = {"row"};
constexpr std::array<std::string_view, 2> kItemSuffixes = {"row", "change"};

std::string_view storage_type(ColumnType type) {
  switch (type) {
    case ColumnType::kString:
      return "TEXT";
    case ColumnType::kFloat:
    case ColumnType::kDouble:
      return "REAL";
    default:
      return "INTEGER";
  }
}

// The event table's columns: as declared, with codes in place of texts.
std::string event_columns(const DatasetConfig& config) {
  std::string columns = "USER_ID INTEGER PRIMARY KEY";
  for (const DatasetColumn& column : config.columns) {
    if (column.name == "USER_ID") continue;
    const bool is_code = column.name == "ITEM_ID" || column.name == "EVENT_TYPE";
    columns += fmt::format(", {} {}{}", sql_name(column.name),
                           is_code ? "INTEGER" : storage_type(column.type),
                           column.nullable ? "" : " NOT NULL");
  }
  return columns;
}

std::string row_columns(const DatasetConfig& config) {
  std::string columns;
  for (const DatasetColumn& column : config.columns) {
    const bool is_id = column.name == (config.kind == DatasetKind::kUsers ? "USER_ID" : "ITEM_ID");
    columns += fmt::format("{}{} {}{}{}", columns.empty() ? "" : ", ", sql_name(column.name),
                           storage_type(column.type), column.nullable ? "" : " NOT NULL",
                           is_id ? " UNIQUE" : "");
  }
  return columns;
}

std::string columns_of(const DatasetConfig& config, std::string_view suffix) {
  if (suffix == "event") return event_columns(config);
  if (suffix == "row") return row_columns(config);
  if (suffix == "exposure") return "item INTEGER PRIMARY KEY, shown INTEGER NOT NULL";
  if (suffix == "session") return "session TEXT PRIMARY KEY NOT NULL, user TEXT NOT NULL";
  if (suffix == "change")
    return config.kind == DatasetKind::kItems ? "changes INTEGER NOT NULL"
                                              : "mark INTEGER NOT NULL";
  return "code INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE";
}

// Builds before it made no such table.
bool is_dispensable(DatasetKind kind, std::string_view suffix) {
  return kind == DatasetKind::kInteractions && suffix == "change";
}

}  // namespace

std::span<const std::string_view> shadow_suffixes(DatasetKind kind) {
  if (kind == DatasetKind::kInteractions) return kInteractionSuffixes;
  if (kind == DatasetKind::kItems) return kItemSuffixes;
  return kUserSuffixes;
}

std::string shadow_table(std::string_view schema, std::string_view table, std::string_view suffix) {
  return fmt::format("{}.{}", sql_name(schema), sql_name(fmt::format("{}_{}", table, suffix)));
}

Result<bool> has_table(Connection& connection, std::string_view schema, std::string_view table) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT 1 FROM {}.sqlite_schema WHERE type = 'table' AND name "
                                    "= ?1 COLLATE NOCASE",
                                    sql_name(schema))));
  return statement.bind(1, table).step();
}

Result<bool> has_mark(Connection& connection, std::string_view schema, std::string_view table) {
  return has_table(connection, schema, fmt::format("{}_change", table));
}

Status check_shadow_names(Connection& connection, std::string_view schema, std::string_view table,
                          DatasetKind kind) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format(
          "SELECT name FROM {}.sqlite_schema WHERE lower(name) = lower(?1)", sql_name(schema))));
  for (const std::string_view suffix : shadow_suffixes(kind)) {
    const std::string name = fmt::format("{}_{}", table, suffix);
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.bind(1, name).step());
    if (there)
      return {
          StatusCode::kAlreadyExists,
          fmt::format("the dataset '{}' keeps its rows in a table '{}', but there is one of that "
                      "name already: rename it or choose another name for the dataset",
                      table, name)};
    statement.reset();
  }
  return Status::ok();
}

Status create_shadow_tables(Connection& connection, std::string_view schema, std::string_view table,
                            const DatasetConfig& config) {
  std::string sql;
  for (const std::string_view suffix : shadow_suffixes(config.kind))
    sql += fmt::format("CREATE TABLE {}({}){};\n", shadow_table(schema, table, suffix),
                       columns_of(config, suffix), suffix == "session" ? " WITHOUT ROWID" : "");
  if (config.kind != DatasetKind::kUsers)
    sql += fmt::format("INSERT INTO {} VALUES ({});\n", shadow_table(schema, table, "change"),
                       config.kind == DatasetKind::kItems ? "0" : "random()");
  return connection.execute(sql);
}

Status drop_shadow_tables(Connection& connection, std::string_view schema, std::string_view table,
                          DatasetKind kind) {
  std::string sql;
  for (const std::string_view suffix : shadow_suffixes(kind))
    sql += fmt::format("DROP TABLE IF EXISTS {};\n", shadow_table(schema, table, suffix));
  return connection.execute(sql);
}

Status rename_shadow_tables(Connection& connection, std::string_view schema, std::string_view from,
                            std::string_view to, DatasetKind kind) {
  std::string sql;
  for (const std::string_view suffix : shadow_suffixes(kind)) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there,
                                 has_table(connection, schema, fmt::format("{}_{}", from, suffix)));
    if (!there && is_dispensable(kind, suffix)) continue;
    sql += fmt::format("ALTER TABLE {} RENAME TO {};\n", shadow_table(schema, from, suffix),
                       sql_name(fmt::format("{}_{}", to, suffix)));
  }
  return connection.execute(sql);
}

}  // namespace personalize
