// A business table that a dataset declared with content= reads in place.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_config.h"

namespace personalize {

struct BusinessTable {
  bool has_rowid = true;  // false: WITHOUT ROWID
  // The id column (USER_ID's, or ITEM_ID's of items) has no declared type, so that 42 and '42', one
  // id, may both be stored and do not sort together.
  bool id_is_untyped = false;
};

// Looks at the table of `config.content` in `schema`: it must be an ordinary table, have the mapped
// columns, an index that starts with the id's column, and Unix seconds in the timestamp's (the
// first row is looked at). `caller` leads the message. Errors: kInvalidInput, with the statement
// that helps.
Result<BusinessTable> inspect_business_table(Connection& connection, std::string_view schema,
                                             const DatasetConfig& config, std::string_view caller);

// The Unix seconds in the timestamp column of a business table's row. Errors: kInvalidInput,
// kConstraint with the value, and for a text what to do.
Result<int64_t> checked_content_timestamp(const DatasetConfig& config, sqlite3_value* value);

// A name as a person would write it in a statement: quoted only where SQL needs it.
std::string readable_name(std::string_view name);

// The column of the business table that holds what `column` of the dataset shows; NULL as an SQL
// expression where there is none.
std::string content_expression(const DatasetColumn& column);

// A condition that finds an id by two parameters, "first" and "first + 1", which bind_content_id
// sets: the id as text, and as the integer it may be stored as.
std::string content_id_condition(std::string_view content_column, int first);
void bind_content_id(Statement& statement, int first, std::string_view id);

}  // namespace personalize
