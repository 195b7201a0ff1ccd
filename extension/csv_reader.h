// Reads a CSV file row by row, by libcsv: quotes as in RFC 4180, LF, CRLF or CR, a byte order mark,
// blank lines left out; spaces around a value without quotes are not part of it.
#pragma once

#include <csv.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace personalize {

class CsvReader {
 public:
  // Errors: kInvalidInput with the system's reason if the file can't be opened.
  static Result<std::unique_ptr<CsvReader>> open(const std::string& path, char delimiter);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // Replaces `fields` with the next row's values, views that live until the next call. False: there
  // is none. Errors: kInvalidInput for a broken quote, kIo. The caller adds path and line().
  Result<bool> next(std::vector<std::string_view>& fields);

  // The line of the file, from 1, in which the row began that next() has given or failed at.
  int64_t line() const { return row_line_; }

 private:
  explicit CsvReader(std::FILE* file, char delimiter);
  // Reads the next piece of the file. False: the end.
  Result<bool> refill();
  // Hands libcsv the rest of the current line, or as much of it as has been read.
  Status feed_line();
  Status broken_quote() const;
  static void on_field(void* text, size_t size, void* self);
  static void on_row(int terminator, void* self);

  std::FILE* file_;
  csv_parser parser_;
  std::vector<char> buffer_;
  size_t position_ = 0;  // in buffer_
  size_t filled_ = 0;
  bool at_end_ = false;
  bool after_carriage_return_ = false;
  int64_t line_ = 1;      // of what is fed next
  int64_t row_line_ = 1;  // where the row began
  bool in_row_ = false;
  size_t row_bytes_ = 0;
  std::string text_;          // the row's values, one after the other
  std::vector<size_t> ends_;  // of each value in text_
  bool row_is_complete_ = false;
  bool out_of_memory_ = false;
};

// Whether `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

}  // namespace personalize
