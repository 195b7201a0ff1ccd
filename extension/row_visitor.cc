#include "extension/row_visitor.h"

#include <fmt/format.h>

#include <vector>

#include "extension/boundary.h"

namespace personalize {
namespace {

constexpr const char* kPointer = "personalize_visit";  // by this name SQLite tells pointers apart

struct Visit {
  RowVisitor* visitor;
  Status failure;
};

void personalize_visit(sqlite3_context* context, int count, sqlite3_value** values) {
  auto* visit =
      count == 0 ? nullptr : static_cast<Visit*>(sqlite3_value_pointer(values[0], kPointer));
  guarded_function(context, [&] {
    if (visit == nullptr)
      return Status(StatusCode::kInvalidInput,
                    "InvalidInputException: personalize_visit serves the extension's own "
                    "statements; it can't be called from others");
    Status status = visit->visitor->row(std::span(values + 1, static_cast<size_t>(count - 1)));
    if (status.is_ok())
      sqlite3_result_int(context, 0);
    else
      visit->failure = status;
    return status;
  });
}

// Steps from row to row.
Status visit_steps(Statement& statement, RowVisitor& visitor) {
  std::vector<sqlite3_value*> values(static_cast<size_t>(sqlite3_column_count(statement.get())));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    for (size_t i = 0; i < values.size(); i++)
      values[i] = sqlite3_column_value(statement.get(), static_cast<int>(i));
    PERSONALIZE_RETURN_IF_ERROR(visitor.row(values));
  }
  statement.reset();
  return Status::ok();
}

}  // namespace

std::string sql_of(Connection& connection, const VisitedQuery& query) {
  const int most = sqlite3_limit(connection.db(), SQLITE_LIMIT_FUNCTION_ARG, -1);
  const bool in_function = query.column_count < static_cast<size_t>(most);
  std::string condition = query.condition;
  if (in_function) {
    if (!condition.empty()) condition = fmt::format("({}) AND ", condition);
    condition += fmt::format("personalize_visit(?{}, {})", query.parameter, query.columns);
  }
  std::string sql = fmt::format("SELECT {} FROM {}", in_function ? "1" : query.columns, query.from);
  if (!condition.empty()) sql += " WHERE " + condition;
  if (!query.order.empty()) sql += " ORDER BY " + query.order;
  return sql;
}

Status visit_rows(Statement& statement, int parameter, RowVisitor& visitor) {
  if (sqlite3_bind_parameter_count(statement.get()) < parameter)
    return visit_steps(statement, visitor);
  Visit visit{&visitor, Status::ok()};
  sqlite3_bind_pointer(statement.get(), parameter, &visit, kPointer, nullptr);
  const Result<bool> done = statement.step();
  statement.reset();
  sqlite3_bind_null(statement.get(), parameter);
  return visit.failure.is_ok() ? done.status() : visit.failure;
}

Status register_row_visitor(const std::shared_ptr<Connection>& connection) {
  return register_scalar(connection, "personalize_visit", -1, SQLITE_DIRECTONLY, personalize_visit);
}

}  // namespace personalize
