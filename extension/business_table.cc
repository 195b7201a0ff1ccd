#include "extension/business_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

#include "extension/boundary.h"
#include "extension/column_types.h"
#include "extension/column_value.h"

namespace personalize {
namespace {

struct BusinessColumn {
  std::string name;
  std::string type;
  int64_t primary_key = 0;  // place in the PRIMARY KEY, from 1; 0: not in it
};

bool same_name(std::string_view a, std::string_view b) { return upper_case(a) == upper_case(b); }

Result<std::vector<BusinessColumn>> columns_of(Connection& connection, std::string_view schema,
                                               std::string_view table) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached("SELECT name, type, pk FROM pragma_table_xinfo(?1, ?2)"));
  statement.bind(1, table).bind(2, schema);
  std::vector<BusinessColumn> columns;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return columns;
    columns.push_back(
        {std::string(statement.text(0)), std::string(statement.text(1)), statement.integer(2)});
  }
}

// 'table', 'view', 'virtual', 'shadow', or nothing; and whether it has a rowid.
Result<std::string> type_of(Connection& connection, std::string_view schema, std::string_view table,
                            bool& has_rowid) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached("SELECT type, wr FROM pragma_table_list WHERE schema = ?1 COLLATE NOCASE "
                        "AND name = ?2 COLLATE NOCASE"));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, schema).bind(2, table).step());
  if (!row) return std::string();
  has_rowid = statement.integer(1) == 0;
  return std::string(statement.text(0));
}

// Whether a complete index, or the PRIMARY KEY of a WITHOUT ROWID table, starts with `column`.
Result<bool> is_indexed(Connection& connection, std::string_view schema, std::string_view table,
                        std::string_view column) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(
          "SELECT 1 FROM pragma_index_list(?1, ?2) AS i, "
          "pragma_index_info(i.name, ?2) AS c WHERE i.partial = 0 AND c.seqno = 0 AND "
          "c.name = ?3 COLLATE NOCASE"));
  return statement.bind(1, table).bind(2, schema).bind(3, column).step();
}

// The id is the INTEGER PRIMARY KEY, which is the rowid itself.
bool is_rowid(const std::vector<BusinessColumn>& columns, std::string_view column, bool has_rowid) {
  const auto in_key = [](const BusinessColumn& c) { return c.primary_key > 0; };
  return has_rowid && std::count_if(columns.begin(), columns.end(), in_key) == 1 &&
         std::any_of(columns.begin(), columns.end(), [&](const BusinessColumn& c) {
           return in_key(c) && same_name(c.type, "INTEGER") && same_name(c.name, column);
         });
}

Status check_mapped_columns(std::string_view caller, const DatasetConfig& config,
                            const std::vector<BusinessColumn>& columns) {
  for (const DatasetColumn& column : config.columns) {
    if (column.content_column.empty()) continue;
    const bool there = std::any_of(columns.begin(), columns.end(), [&](const BusinessColumn& c) {
      return same_name(c.name, column.content_column);
    });
    if (there) continue;
    std::string names;
    for (const BusinessColumn& c : columns) names += (names.empty() ? "" : ", ") + c.name;
    std::string lower = column.name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return {
        StatusCode::kInvalidInput,
        fmt::format("{}: '{}' has no column '{}' for {}; name one of its columns by {}='...': {}",
                    caller, config.content, column.content_column, column.name, lower, names)};
  }
  return Status::ok();
}

Status check_first_timestamp(Connection& connection, std::string_view schema,
                             const DatasetConfig& config) {
  const int place = config.find("TIMESTAMP");
  if (config.kind != DatasetKind::kInteractions || place < 0) return Status::ok();
  const std::string column = sql_name(config.columns[place].content_column);
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT {0} FROM {1}.{2} WHERE {0} IS NOT NULL LIMIT 1", column,
                                    sql_name(schema), sql_name(config.content))));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
  if (!row) return Status::ok();
  return checked_content_timestamp(config, sqlite3_column_value(statement.get(), 0)).status();
}

}  // namespace

Result<BusinessTable> inspect_business_table(Connection& connection, std::string_view schema,
                                             const DatasetConfig& config, std::string_view caller) {
  BusinessTable business;
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string type,
                               type_of(connection, schema, config.content, business.has_rowid));
  if (type.empty())
    return Status(StatusCode::kInvalidInput, fmt::format("{}: content='{}': there is no such table "
                                                         "in '{}'",
                                                         caller, config.content, schema));
  if (type != "table")
    return Status(StatusCode::kInvalidInput,
                  fmt::format("{}: content='{}' is a {}; it must be an ordinary table, which can "
                              "have an index",
                              caller, config.content, type == "view" ? type : type + " table"));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<BusinessColumn> columns,
                               columns_of(connection, schema, config.content));
  PERSONALIZE_RETURN_IF_ERROR(check_mapped_columns(caller, config, columns));

  const DatasetColumn& id =
      config.columns[config.find(config.kind == DatasetKind::kItems ? "ITEM_ID" : "USER_ID")];
  PERSONALIZE_ASSIGN_OR_RETURN(const bool indexed,
                               is_indexed(connection, schema, config.content, id.content_column));
  if (!indexed && !is_rowid(columns, id.content_column, business.has_rowid)) {
    const std::string index = fmt::format("{}_{}", config.content, id.content_column);
    const std::string prefix = schema == "main" ? "" : readable_name(schema) + ".";
    return Status(
        StatusCode::kInvalidInput,
        fmt::format("{}: '{}' needs an index that starts with '{}'; run: CREATE INDEX "
                    "{}{} ON {}({})",
                    caller, config.content, id.content_column, prefix, readable_name(index),
                    readable_name(config.content), readable_name(id.content_column)));
  }
  for (const BusinessColumn& column : columns)
    if (same_name(column.name, id.content_column))
      business.id_is_untyped = column.type.empty() || same_name(column.type, "BLOB");
  PERSONALIZE_RETURN_IF_ERROR(check_first_timestamp(connection, schema, config));
  return business;
}

Result<int64_t> checked_content_timestamp(const DatasetConfig& config, sqlite3_value* value) {
  const std::string& column = config.columns[config.find("TIMESTAMP")].content_column;
  const ColumnValue seconds = ColumnValue::of(value);
  Result<int64_t> checked = checked_timestamp(config.kind, config.content, column, seconds);
  if (checked.is_ok() || seconds.type != ColumnValue::Type::kText) return checked;
  return Status(StatusCode::kInvalidInput,
                fmt::format("{}. Without changing the column: ALTER TABLE {} ADD COLUMN {} AS "
                            "(unixepoch({})), and timestamp='{}_unix'",
                            checked.status().message(), readable_name(config.content),
                            readable_name(column + "_unix"), readable_name(column), column));
}

std::string readable_name(std::string_view name) {
  const bool plain =
      !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
      std::all_of(
          name.begin(), name.end(),
          [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }) &&
      sqlite3_keyword_check(name.data(), static_cast<int>(name.size())) == 0;
  return plain ? std::string(name) : sql_name(name);
}

std::string content_expression(const DatasetColumn& column) {
  return column.content_column.empty() ? "NULL" : sql_name(column.content_column);
}

std::string content_id_condition(std::string_view content_column, int first) {
  return fmt::format("{} IN (?{}, ?{})", sql_name(content_column), first, first + 1);
}

void bind_content_id(Statement& statement, int first, std::string_view id) {
  statement.bind(first, id);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool is_number = error == std::errc() && end == id.data() + id.size() &&
                         fmt::format("{}", number) == id;  // '042' is another id than 42
  if (is_number) {
    statement.bind(first + 1, number);
  } else {
    statement.bind(first + 1, id);
  }
}

}  // namespace personalize
