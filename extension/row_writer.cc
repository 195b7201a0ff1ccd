#include "extension/row_writer.h"

#include <fmt/format.h>

#include "extension/boundary.h"
#include "extension/column_value.h"
#include "extension/shadow_tables.h"

namespace personalize {

RowWriter::RowWriter(Connection& connection, std::string_view schema, std::string_view table,
                     const DatasetConfig& config)
    : connection_(connection),
      config_(config),
      table_(table),
      rows_(shadow_table(schema, table, "row")),
      changes_(config.kind == DatasetKind::kItems ? shadow_table(schema, table, "change") : ""),
      id_column_(static_cast<size_t>(
          config.find(config.kind == DatasetKind::kUsers ? "USER_ID" : "ITEM_ID"))) {}

Status RowWriter::bind_row(Statement& statement, std::span<sqlite3_value*> values) {
  for (size_t i = 0; i < values.size(); i++) {
    const DatasetColumn& column = config_.columns[i];
    const int parameter = static_cast<int>(i) + 1;
    if (i == id_column_) {
      PERSONALIZE_ASSIGN_OR_RETURN(id_, checked_id(table_, column, values[i]));
      statement.bind(parameter, id_);
      continue;
    }
    PERSONALIZE_ASSIGN_OR_RETURN(
        const ColumnValue value,
        checked_value(config_.kind, table_, column, ColumnValue::of(values[i])));
    bind_value(statement, parameter, value);
  }
  return Status::ok();
}

Status RowWriter::explain(const Status& status) const {
  if (status.code() != StatusCode::kConstraint) return status;
  const std::string& column = config_.columns[id_column_].name;
  return {StatusCode::kConstraint,
          fmt::format("ResourceAlreadyExistsException: {}.{} '{}' is there already; INSERT OR "
                      "REPLACE puts the new row in its place",
                      table_, column, id_)};
}

Status RowWriter::count_change() {
  if (changes_.empty()) return Status::ok();
  if (!count_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        count_, connection_.cached(fmt::format("UPDATE {} SET changes = changes + 1", changes_)));
  }
  return count_.run();
}

Result<bool> RowWriter::is_there() {
  if (!find_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        find_, connection_.cached(fmt::format("SELECT 1 FROM {} WHERE {} = ?1", rows_,
                                              sql_name(config_.columns[id_column_].name))));
  }
  const Result<bool> found = find_.bind(1, id_).step();
  find_.reset();
  return found;
}

Result<int64_t> RowWriter::insert(std::span<sqlite3_value*> values, int conflict) {
  const bool replaces = conflict == SQLITE_REPLACE;
  Statement& statement = replaces ? replace_ : insert_;
  if (!statement) {
    std::string columns;
    std::string parameters;
    for (size_t i = 0; i < config_.columns.size(); i++) {
      const char* comma = i == 0 ? "" : ", ";
      columns += comma + sql_name(config_.columns[i].name);
      parameters += fmt::format("{}?{}", comma, i + 1);
    }
    PERSONALIZE_ASSIGN_OR_RETURN(
        statement,
        connection_.cached(fmt::format("INSERT{} INTO {}({}) VALUES ({})",
                                       replaces ? " OR REPLACE" : "", rows_, columns, parameters)));
  }
  PERSONALIZE_RETURN_IF_ERROR(bind_row(statement, values));
  if (replaces && !changes_.empty()) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool changes, is_there());
    if (changes) PERSONALIZE_RETURN_IF_ERROR(count_change());
  }
  if (const Status status = statement.run(); !status.is_ok()) return explain(status);
  return sqlite3_last_insert_rowid(connection_.db());
}

Status RowWriter::update(int64_t rowid, std::span<sqlite3_value*> values, int conflict) {
  const bool replaces = conflict == SQLITE_REPLACE;
  Statement& statement = replaces ? update_or_replace_ : update_;
  const int rowid_parameter = static_cast<int>(config_.columns.size()) + 1;
  if (!statement) {
    std::string assignments;
    for (size_t i = 0; i < config_.columns.size(); i++)
      assignments +=
          fmt::format("{}{} = ?{}", i == 0 ? "" : ", ", sql_name(config_.columns[i].name), i + 1);
    PERSONALIZE_ASSIGN_OR_RETURN(
        statement, connection_.cached(fmt::format("UPDATE{} {} SET {} WHERE rowid = ?{}",
                                                  replaces ? " OR REPLACE" : "", rows_, assignments,
                                                  rowid_parameter)));
  }
  PERSONALIZE_RETURN_IF_ERROR(bind_row(statement, values));
  if (const Status status = statement.bind(rowid_parameter, rowid).run(); !status.is_ok())
    return explain(status);
  return count_change();
}

Status RowWriter::remove(int64_t rowid) {
  if (!delete_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        delete_, connection_.cached(fmt::format("DELETE FROM {} WHERE rowid = ?1", rows_)));
  }
  PERSONALIZE_RETURN_IF_ERROR(delete_.bind(1, rowid).run());
  return count_change();
}

void RowWriter::release() {
  for (Statement* statement :
       {&insert_, &replace_, &update_, &update_or_replace_, &delete_, &find_, &count_})
    *statement = Statement();
}

}  // namespace personalize
