// The dictionaries of a native interactions table: shadow tables (code INTEGER PRIMARY KEY, id TEXT
// UNIQUE) that number the texts of users, items and event types from 1. A code that was committed
// keeps its text for ever, except a user's after personalize_forget.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/statement.h"

namespace personalize {

// Hash of a text, for maps that are asked by std::string_view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const;
};

// Text -> code, for writing. Keeps what it has seen in memory; the owner calls forget() whenever
// another connection, or a rollback, may have changed the table.
class IdDictionary {
 public:
  // `table` is quoted: "main"."interactions_user".
  IdDictionary(Connection& connection, std::string table)
      : connection_(&connection), table_(std::move(table)) {}

  // The code of `id`, or 0 if it has none.
  Result<int64_t> find(std::string_view id);
  // The same, with a new code if it has none. Errors: kLimitExceeded after 2^31 - 1 codes.
  Result<int64_t> find_or_add(std::string_view id);

  void forget() { codes_.clear(); }
  // Gives statements back, so that the table can be renamed or dropped.
  void release();

 private:
  void remember(std::string_view id, int64_t code);

  Connection* connection_;
  std::string table_;
  Statement select_;
  Statement insert_;
  std::unordered_map<std::string, int64_t, TextHash, std::equal_to<>> codes_;
};

// Code -> text, for reading. Texts it has given out live as long as it does.
class CodeTexts {
 public:
  CodeTexts(Connection& connection, std::string table)
      : connection_(&connection), table_(std::move(table)) {}

  // The text behind `code`. Drops what it knew when `connection.rollbacks()` has moved. Errors:
  // kCorrupt if the dictionary has no such code.
  Result<std::string_view> text(int64_t code);

  // Codes may mean other texts from now on.
  void forget() { texts_.clear(); }

 private:
  Connection* connection_;
  std::string table_;
  uint64_t rollbacks_ = 0;
  std::unordered_map<int64_t, std::string_view> texts_;
  std::unordered_set<std::string> storage_;
};

}  // namespace personalize
