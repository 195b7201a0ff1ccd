// The table of everybody's ten best: CREATE TABLE ... AS SELECT * FROM batch_recommend(10), for
// 200,000 users and 100,000 items. One user in ten has 100 events, the others 20. Prints time and
// memory, and beside it those of a tenth of the users: memory must not depend on their number.
// Usage: batch EXTENSION WORK_FOLDER [ITEMS:WIDTH [USERS]]     (takes minutes, and 2 GB of disk)
#include <fmt/format.h>

#include <random>

#include "bench/support/bench.h"
#include "bench/support/process.h"
#include "bench/support/questions_database.h"

namespace {

constexpr int kEventsOfOthers = 20;
constexpr int kTop = 10;

// Users "more0", "more1", ..., each in a topic of 100 items.
void add_users(bench::Database& database, int users, int items) {
  std::mt19937 random(2);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  database.execute("BEGIN");
  bench::Statement insert(database.handle(),
                          "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)");
  for (int user = 0; user < users; user++) {
    const std::string id = fmt::format("more{}", user);
    const int topic = below(items / 100) * 100;
    int64_t time = 1'660'000'000 + below(1'000'000);
    for (int e = 0; e < kEventsOfOthers; e++) {
      const std::string item = std::to_string(topic + below(100));
      insert.bind(1, id).bind(2, item).bind(3, time += below(3'000)).run();
    }
  }
  database.execute("COMMIT");
}

// The table of so many users' lists; of all of them: 0.
bench::Cost make_table(const std::string& path, const std::string& extension, int users) {
  return bench::in_process([&] {
    bench::Database database(path, extension);
    const bench::Stopwatch watch;
    database.execute(
        fmt::format("CREATE TABLE best AS SELECT * FROM batch_recommend({}, 'questions/latest'){}",
                    kTop, users == 0 ? "" : fmt::format(" LIMIT {}", users * kTop)));
    const double seconds = watch.seconds();
    const std::string counted = database.text(
        "SELECT count(*) || ' rows of ' || count(DISTINCT user_id) || ' users' FROM best");
    database.execute("DROP TABLE best");
    return fmt::format("{} in {:.1f} s", counted, seconds);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) bench::die("usage: batch EXTENSION WORK_FOLDER [ITEMS:WIDTH [USERS]]");
  const std::string extension = argv[1];
  const auto size = bench::CatalogueSize::parse(argc > 3 ? argv[3] : "100000:64");
  const int users = argc > 4 ? std::stoi(argv[4]) : 200'000;
  const std::string path = bench::make_questions_database(extension, argv[2], size);
  {
    bench::Database database(path, extension);
    const int there = static_cast<int>(database.number("SELECT count(*) FROM interactions_user"));
    add_users(database, users - there, size.items);
  }
  const bench::Cost tenth = make_table(path, extension, users / 10);
  const bench::Cost all = make_table(path, extension, 0);
  bench::report(
      fmt::format("{}: CREATE TABLE ... AS SELECT * FROM batch_recommend({})", size.name(), kTop),
      fmt::format("{}; with counting them {}", all.told, all.text()),
      fmt::format("a tenth of them: {}; {}", tenth.told, tenth.text()),
      "memory does not depend on the users, but for mapped pages of their states");
}
