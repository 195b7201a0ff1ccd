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

// A statement whose rows are to be visited.
struct VisitedQuery {
  std::string columns;  // as they stand after SELECT, in scope of the WHERE
  size_t column_count = 0;
  std::string from;
  std::string condition;  // "": none
  std::string order;      // "": any; else one in which SQLite reads anyway
  int parameter = 1;      // the statement's own, which is not for the condition
};

// Its text. Where a function may not have so many arguments its rows are stepped through after all.
std::string sql_of(Connection& connection, const VisitedQuery& query);

// Runs a statement of sql_of(). Errors: those of the statement and the visitor's.
Status visit_rows(Statement& statement, int parameter, RowVisitor& visitor);

// Makes the function that such statements call.
Status register_row_visitor(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
