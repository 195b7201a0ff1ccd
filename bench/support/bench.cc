#include "bench/support/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace bench {

void die(std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  std::exit(1);
}

Statement::Statement(sqlite3* connection, std::string_view sql) : connection_(connection) {
  if (sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK)
    die(fmt::format("{}: {}", sqlite3_errmsg(connection), sql));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int place, int64_t value) {
  sqlite3_bind_int64(statement_, place, value);
  return *this;
}

Statement& Statement::bind(int place, double value) {
  sqlite3_bind_double(statement_, place, value);
  return *this;
}

Statement& Statement::bind(int place, std::string_view value) {
  sqlite3_bind_text(statement_, place, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  return *this;
}

// As a host takes a value: a number is not made a text, which would take longer than finding it.
void Statement::take(int column) {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      sqlite3_column_int64(statement_, column);
      break;
    case SQLITE_FLOAT:
      sqlite3_column_double(statement_, column);
      break;
    default:
      sqlite3_column_text(statement_, column);
  }
}

int Statement::run() {
  int rows = 0;
  int code = sqlite3_step(statement_);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement_)) {
    for (int column = 0; column < sqlite3_column_count(statement_); column++) take(column);
    rows++;
  }
  if (code != SQLITE_DONE)
    die(fmt::format("{}: {}", sqlite3_errmsg(connection_), sqlite3_sql(statement_)));
  sqlite3_reset(statement_);
  return rows;
}

bool Statement::run_unless(std::string_view expected) {
  int code = sqlite3_step(statement_);
  while (code == SQLITE_ROW) code = sqlite3_step(statement_);
  if (code != SQLITE_DONE && !std::string_view(sqlite3_errmsg(connection_)).starts_with(expected))
    die(fmt::format("{}: {}", sqlite3_errmsg(connection_), sqlite3_sql(statement_)));
  sqlite3_reset(statement_);
  return code == SQLITE_DONE;
}

Database::Database(const std::string& path, const std::string& extension) {
  if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK)
    die(fmt::format("{}: {}", path, sqlite3_errmsg(connection_)));
  sqlite3_busy_timeout(connection_, 5'000);  // another process may just be opening it
  if (extension.empty()) return;
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  char* message = nullptr;
  if (sqlite3_load_extension(connection_, extension.c_str(), nullptr, &message) != SQLITE_OK)
    die(message);
}

Database::~Database() { sqlite3_close(connection_); }

void Database::execute(std::string_view sql) {
  char* message = nullptr;
  if (sqlite3_exec(connection_, std::string(sql).c_str(), nullptr, nullptr, &message) != SQLITE_OK)
    die(fmt::format("{}: {}", message, sql));
}

std::string Database::text(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK)
    die(fmt::format("{}: {}", sqlite3_errmsg(connection_), sql));
  std::string result;
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    if (text != nullptr) result = text;
  } else if (code != SQLITE_DONE) {
    die(fmt::format("{}: {}", sqlite3_errmsg(connection_), sql));
  }
  sqlite3_finalize(statement);
  return result;
}

double Database::number(std::string_view sql) { return std::atof(text(sql).c_str()); }

std::vector<std::vector<std::string>> read_csv(const std::string& path) {
  std::ifstream file(path);
  if (!file) die(fmt::format("{}: can't be read", path));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string>& row = rows.emplace_back();
    size_t start = 0;
    for (size_t comma; (comma = line.find(',', start)) != std::string::npos; start = comma + 1)
      row.push_back(line.substr(start, comma - start));
    row.push_back(line.substr(start));
  }
  return rows;
}

double quantile(std::vector<double>& samples, double share) {
  const auto place = samples.begin() + static_cast<long>(share * double(samples.size() - 1));
  std::nth_element(samples.begin(), place, samples.end());
  return *place;
}

void report(std::string_view what, std::string_view ours, std::string_view rival,
            std::string_view required) {
  fmt::print("{}\t{}\t{}\t{}\n", what, ours, rival, required);
  std::fflush(stdout);
}

}  // namespace bench
