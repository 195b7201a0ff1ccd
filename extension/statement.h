// A prepared statement with RAII, and a cache of them that never keeps a host's connection from
// closing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/status.h"
#include "extension/sqlite_api.h"

namespace personalize {

class Connection;

// Move-only. Either owns its statement (finalized at the end) or has it on loan from the
// connection's cache (reset, cleared and given back at the end).
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* statement, Connection* lender) : statement_(statement), lender_(lender) {}
  Statement(Statement&& other) noexcept { swap(other); }
  Statement& operator=(Statement&& other) noexcept {
    swap(other);
    return *this;
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  explicit operator bool() const { return statement_ != nullptr; }
  sqlite3_stmt* get() const { return statement_; }

  // Parameters count from 1. Texts must live until the next step() or reset() (they are not
  // copied).
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, int64_t number);
  Statement& bind(int index, double number);
  Statement& bind_null(int index);
  Statement& bind(int index, sqlite3_value* value);

  // True: a row is there. False: done. Errors carry SQLite's message.
  Result<bool> step();
  // Runs to the end, dropping rows, then resets.
  Status run();
  void reset();

  // Columns count from 0. The view lives until the next step() or reset().
  std::string_view text(int column) const;
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  int type(int column) const { return sqlite3_column_type(statement_, column); }
  bool is_null(int column) const { return type(column) == SQLITE_NULL; }

 private:
  void swap(Statement& other) noexcept {
    std::swap(statement_, other.statement_);
    std::swap(lender_, other.lender_);
  }
  sqlite3_stmt* statement_ = nullptr;
  Connection* lender_ = nullptr;  // nullptr: owned
};

// A schema or table name inside SQL, quoted: "a ""b""". Hosts may have DQS off, so texts in our SQL
// are always bound or single-quoted. (Not "quoted": std::quoted would be found first for a
// std::string.)
std::string sql_name(std::string_view name);

}  // namespace personalize
