// A value on its way into a dataset: checked against its column, with a message that names both.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/status.h"
#include "extension/dataset_config.h"
#include "extension/sqlite_api.h"
#include "extension/statement.h"

namespace personalize {

// NULL, a number or a text, from an SQL statement or a CSV file. A view: the text lives where it
// came from.
struct ColumnValue {
  enum class Type { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;

  static ColumnValue of(sqlite3_value* value);
  static ColumnValue of(int64_t number) { return {Type::kInteger, number, 0, {}}; }
  static ColumnValue of(double number) { return {Type::kReal, 0, number, {}}; }
  static ColumnValue of(std::string_view text) { return {Type::kText, 0, 0, text}; }
  bool is_null() const { return type == Type::kNull; }
};

// Binds it to a parameter; a text must live until the statement has run.
void bind_value(Statement& statement, int parameter, const ColumnValue& value);

// The columns whose values are ids and go through id_of or check_id instead of checked_value.
bool is_id_column(DatasetKind kind, std::string_view column);

// What `value` is in `column` of `table`: a whole number for int, long, boolean (0, 1) and
// timestamps, a real for float and double, text and numbers as they are for string. Text that is a
// number counts as one, since CSV knows nothing else; an empty text in a column that is no string
// is NULL. Errors: kConstraint (so that INSERT OR IGNORE leaves the row out) with table, column,
// value and what would be right.
Result<ColumnValue> checked_value(DatasetKind kind, std::string_view table,
                                  const DatasetColumn& column, const ColumnValue& value);

// The Unix seconds in a value that is not NULL; `table` and `column` are for the message. Errors:
// kConstraint.
Result<int64_t> checked_timestamp(DatasetKind kind, std::string_view table, std::string_view column,
                                  const ColumnValue& value);

// The id in `value`, as id_of (boundary.h) reads it. Errors: kConstraint; also for an id that is
// the column's own name, which is the header line of a CSV file.
Result<std::string> checked_id(std::string_view table, const DatasetColumn& column,
                               sqlite3_value* value);
Status check_id(std::string_view table, const DatasetColumn& column, std::string_view id);

}  // namespace personalize
