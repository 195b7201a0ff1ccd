// Reads the rows of a statement inside one sqlite3_step: SQLite calls us with each row's values,
// which costs half of stepping from row to row and asking for its columns.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/sqlite_api.h"
#include "extension/statement.h"

namespace personalize {

// Receives the rows. Their values live until the call returns. It may run other statements.
class RowVisitor {
 public:
  virtual ~RowVisitor() = default;
  // What is not OK ends the statement.
  virtual Status row(std::span<sqlite3_value*> values) = 0;
};

// The last condition of a statement whose rows are to be visited: it is true of none.
//   SELECT 1 FROM t WHERE a = ?1 AND personalize_visit(?2, b, c) ORDER BY b
// `columns` as they would stand after SELECT, in scope of the WHERE.
std::string visit_condition(int parameter, std::string_view columns);

// Runs a statement with visit_condition(parameter, ...). ORDER BY must be the order in which SQLite
// reads. Errors: those of the statement and the visitor's.
Status visit_rows(Statement& statement, int parameter, RowVisitor& visitor);

// Makes the function that such statements call.
Status register_row_visitor(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
