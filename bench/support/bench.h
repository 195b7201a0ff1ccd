// What the benchmarks share: a database with the extension loaded, a clock, and the line that a
// measurement is printed as. Errors end the program with a sentence: a benchmark has no caller.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// A prepared statement. Values bind by position, from 1.
class Statement {
 public:
  Statement(sqlite3* connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int place, int64_t value);
  Statement& bind(int place, double value);
  Statement& bind(int place, std::string_view value);  // not copied: must live until run()
  // Steps through all rows and takes their values, then resets. Returns the number of rows. Dies on
  // an error.
  int run();
  // As run(), but false on an error whose message begins with `expected`.
  bool run_unless(std::string_view expected);

 private:
  void take(int column);
  sqlite3* connection_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  // `extension`: path of personalize.so, or empty for a plain connection.
  Database(const std::string& path, const std::string& extension);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  sqlite3* handle() const { return connection_; }
  void execute(std::string_view sql);
  std::string text(std::string_view sql);  // first column of the first row; "" for NULL or no row
  double number(std::string_view sql);

 private:
  sqlite3* connection_ = nullptr;
};

// Columns of a CSV file whose fields hold no comma or quote; the header line is left out.
std::vector<std::vector<std::string>> read_csv(const std::string& path);

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The value below which `share` of the samples lie; reorders them.
double quantile(std::vector<double>& samples, double share);

// Prints one measurement: what, ours, the rival or limit in the same run, and what is required.
void report(std::string_view what, std::string_view ours, std::string_view rival,
            std::string_view required);

[[noreturn]] void die(std::string_view message);

}  // namespace bench
