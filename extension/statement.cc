#include "extension/statement.h"

#include "extension/boundary.h"
#include "extension/connection.h"

namespace personalize {

Statement::~Statement() {
  if (statement_ == nullptr) return;
  if (lender_ == nullptr) {
    sqlite3_finalize(statement_);
  } else {
    lender_->take_back(statement_);
  }
}

Statement& Statement::bind(int index, std::string_view text) {
  // A view without data would bind NULL.
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind(int index, int64_t number) {
  sqlite3_bind_int64(statement_, index, number);
  return *this;
}
Statement& Statement::bind(int index, double number) {
  sqlite3_bind_double(statement_, index, number);
  return *this;
}
Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}
Statement& Statement::bind(int index, sqlite3_value* value) {
  sqlite3_bind_value(statement_, index, value);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* db = sqlite3_db_handle(statement_);
  const Status status = sqlite_failure(db, code, "personalize");
  sqlite3_reset(statement_);
  return status;
}

Status Statement::run() {
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, step());
    if (!row) break;
  }
  reset();
  return Status::ok();
}

void Statement::reset() { sqlite3_reset(statement_); }

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace personalize
