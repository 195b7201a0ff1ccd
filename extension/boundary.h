// Where C++ ends and C begins. Every callback that SQLite gets from us runs inside guarded(): no
// exception leaves it, and a Status becomes an SQLite result code and message.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "engine/status.h"
#include "extension/sqlite_api.h"

namespace personalize {

// The SQLite result code of a failure.
int sqlite_code(const Status& status);

// Runs `body`, which returns an SQLite result code; an exception becomes SQLITE_NOMEM or
// SQLITE_ERROR.
template <typename Body>
int guarded(Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (...) {
    return SQLITE_ERROR;
  }
}

// The same for a scalar function: `body` returns a Status; what is not OK becomes the function's
// error.
void set_error(sqlite3_context* context, const Status& status) noexcept;
template <typename Body>
void guarded_function(sqlite3_context* context, Body&& body) noexcept {
  try {
    if (const Status status = std::forward<Body>(body)(); !status.is_ok())
      set_error(context, status);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (...) {
    sqlite3_result_error(context, "personalize: internal error", -1);
  }
}

// For virtual table callbacks: leaves the message in table->zErrMsg and gives the result code.
int set_error(sqlite3_vtab* table, const Status& status) noexcept;
template <typename Body>
int guarded_table(sqlite3_vtab* table, Body&& body) noexcept {
  return guarded([&] { return set_error(table, std::forward<Body>(body)()); });
}

// For xCreate and xConnect: leaves the message in *message.
int set_error(char** message, const Status& status) noexcept;

// Text of an SQLite value: pointer and length, so that NUL bytes survive. NULL gives "".
std::string_view text_of(sqlite3_value* value);

// What SQLite says about its last failure on `db`, as a Status. `doing` leads the message.
Status sqlite_failure(sqlite3* db, int code, std::string_view doing);

// An id as users write it: TEXT as it is; INTEGER 42, REAL 42.0 and TEXT '42' are all "42". Errors:
// kInvalidInput naming `column` for NULL, an empty text, a blob, a real that is no whole number, or
// more than 2,048 bytes.
Result<std::string> id_of(sqlite3_value* value, std::string_view column);

}  // namespace personalize
