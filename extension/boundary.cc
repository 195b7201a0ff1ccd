#include "extension/boundary.h"

#include <fmt/format.h>

#include <cmath>

namespace personalize {

namespace {
constexpr size_t kMaxIdBytes = 2048;
}

int sqlite_code(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return SQLITE_OK;
    case StatusCode::kMismatch:
      return SQLITE_MISMATCH;
    case StatusCode::kConstraint:
      return SQLITE_CONSTRAINT;
    case StatusCode::kInterrupted:
      return SQLITE_INTERRUPT;
    case StatusCode::kBusy:
      return SQLITE_BUSY;
    case StatusCode::kReadOnly:
      return SQLITE_READONLY;
    case StatusCode::kFull:
      return SQLITE_FULL;
    case StatusCode::kIo:
      return SQLITE_IOERR;
    case StatusCode::kNoMemory:
      return SQLITE_NOMEM;
    // Not SQLITE_CORRUPT for kCorrupt: hosts would report the database itself as malformed.
    default:
      return SQLITE_ERROR;
  }
}

void set_error(sqlite3_context* context, const Status& status) noexcept {
  sqlite3_result_error(context, status.message().c_str(),
                       static_cast<int>(status.message().size()));
  sqlite3_result_error_code(context, sqlite_code(status));
}

int set_error(sqlite3_vtab* table, const Status& status) noexcept {
  if (status.is_ok()) return SQLITE_OK;
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", status.message().c_str());
  return sqlite_code(status);
}

int set_error(char** message, const Status& status) noexcept {
  if (status.is_ok()) return SQLITE_OK;
  *message = sqlite3_mprintf("%s", status.message().c_str());
  return sqlite_code(status);
}

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_value_bytes(value))};
}

Status sqlite_failure(sqlite3* db, int code, std::string_view doing) {
  const std::string message = fmt::format("{}: {}", doing, sqlite3_errmsg(db));
  switch (code & 0xff) {
    case SQLITE_NOMEM:
      return {StatusCode::kNoMemory, message};
    case SQLITE_INTERRUPT:
      return {StatusCode::kInterrupted, message};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {StatusCode::kBusy, message};
    case SQLITE_READONLY:
      return {StatusCode::kReadOnly, message};
    case SQLITE_FULL:
      return {StatusCode::kFull, message};
    case SQLITE_IOERR:
      return {StatusCode::kIo, message};
    case SQLITE_CONSTRAINT:
      return {StatusCode::kConstraint, message};
    case SQLITE_MISMATCH:
      return {StatusCode::kMismatch, message};
    default:
      return {StatusCode::kInvalidInput, message};
  }
}

Result<std::string> id_of(sqlite3_value* value, std::string_view column) {
  const auto refuse = [&](std::string_view what) {
    return Status(
        StatusCode::kInvalidInput,
        fmt::format(
            "InvalidInputException: {} {}; an id is a text of 1 to {} bytes or a whole number",
            column, what, kMaxIdBytes));
  };
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return refuse("is NULL");
    case SQLITE_BLOB:
      return refuse("is a blob");
    case SQLITE_INTEGER:
      return fmt::format("{}", sqlite3_value_int64(value));
    case SQLITE_FLOAT: {
      const double number = sqlite3_value_double(value);
      if (std::floor(number) != number || std::fabs(number) > 9007199254740992.0)
        return refuse(fmt::format("is {}", number));
      return fmt::format("{}", static_cast<int64_t>(number));
    }
    default:
      break;
  }
  const std::string_view text = text_of(value);
  if (text.empty()) return refuse("is empty");
  if (text.size() > kMaxIdBytes) return refuse(fmt::format("has {} bytes", text.size()));
  return std::string(text);
}

}  // namespace personalize
