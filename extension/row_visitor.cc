#include "extension/row_visitor.h"

#include <fmt/format.h>

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

}  // namespace

std::string visit_condition(int parameter, std::string_view columns) {
  return fmt::format("personalize_visit(?{}, {})", parameter, columns);
}

Status visit_rows(Statement& statement, int parameter, RowVisitor& visitor) {
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
