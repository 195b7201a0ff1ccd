// INSERT INTO interactions beside the same INSERT into a plain table of the same columns, clustered
// by user as the events are: in one transaction, and one row a transaction.
// Usage: insert EXTENSION ML_1M_FOLDER WORK_FOLDER
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "bench/support/bench.h"

namespace {

constexpr const char* kPlainTable =
    "CREATE TABLE plain(user_id TEXT, item_id TEXT, event_type TEXT, event_value REAL, timestamp "
    "INTEGER, number INTEGER, PRIMARY KEY(user_id, number)) WITHOUT ROWID";
constexpr const char* kPlainInsert =
    "INSERT INTO plain(user_id, item_id, event_type, event_value, timestamp, number) "
    "VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kInsert =
    "INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp) "
    "VALUES (?, ?, ?, ?, ?)";

struct Event {
  std::string user, item, type;
  double value;
  int64_t timestamp;
};

void insert(bench::Statement& statement, const Event& event, int64_t number, bool plain) {
  statement.bind(1, event.user).bind(2, event.item).bind(3, event.type);
  statement.bind(4, event.value).bind(5, event.timestamp);
  if (plain) statement.bind(6, number);
  statement.run();
}

void prepare(bench::Database& database, const char* create) {
  database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  database.execute(create);
}

// Rows a second.
double in_one_transaction(bench::Database& database, const std::vector<Event>& events, bool plain) {
  bench::Statement statement(database.handle(), plain ? kPlainInsert : kInsert);
  const bench::Stopwatch watch;
  database.execute("BEGIN");
  for (size_t i = 0; i < events.size(); i++)
    insert(statement, events[i], static_cast<int64_t>(i), plain);
  database.execute("COMMIT");
  return double(events.size()) / watch.seconds();
}

// Microseconds, of each of the first `rows` events.
std::vector<double> one_by_one(bench::Database& database, const std::vector<Event>& events,
                               size_t rows, bool plain) {
  bench::Statement statement(database.handle(), plain ? kPlainInsert : kInsert);
  std::vector<double> microseconds;
  for (size_t i = 0; i < rows; i++) {
    const bench::Stopwatch watch;
    insert(statement, events[i], static_cast<int64_t>(events.size() + i), plain);
    microseconds.push_back(watch.seconds() * 1e6);
  }
  return microseconds;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) bench::die("usage: insert EXTENSION ML_1M_FOLDER WORK_FOLDER");
  std::vector<Event> events;
  for (std::vector<std::string>& row :
       bench::read_csv(std::string(arguments[2]) + "/interactions.csv"))
    events.push_back({row[0], row[1], row[2], std::stod(row[3]), std::stoll(row[4])});
  const std::string folder = std::string(arguments[3]) + "/insert";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  bench::Database ours(folder + "/ours.db", arguments[1]);
  prepare(ours, "CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  bench::Database plain(folder + "/plain.db", "");
  prepare(plain, kPlainTable);

  const double plain_rate = in_one_transaction(plain, events, true);
  const double our_rate = in_one_transaction(ours, events, false);
  bench::report("INSERT INTO interactions, 1 M rows in one transaction",
                fmt::format("{:.0f} rows/s ({:.0f} %)", our_rate, 100 * our_rate / plain_rate),
                fmt::format("{:.0f} rows/s: plain table, same columns and key", plain_rate),
                "60 %");

  constexpr size_t kRows = 20000;
  std::vector<double> plain_times = one_by_one(plain, events, kRows, true);
  std::vector<double> our_times = one_by_one(ours, events, kRows, false);
  bench::report("INSERT of one row a transaction, WAL NORMAL",
                fmt::format("p50 {:.0f} us, p99 {:.0f} us", bench::quantile(our_times, 0.5),
                            bench::quantile(our_times, 0.99)),
                fmt::format("p50 {:.0f} us, p99 {:.0f} us: plain table",
                            bench::quantile(plain_times, 0.5), bench::quantile(plain_times, 0.99)),
                "");
}
