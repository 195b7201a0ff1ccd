// recommend(u, 10) over the 1,682 films of ML-100K, prepared, state warm: one question at a time.
// Beside it what one could write in SQL alone (a Markov chain in a table), and the limit: the bare
// loop of 1,682 products of 64 floats and the ten best of them.
// Usage: recommend EXTENSION ML_100K_DATABASE (as bench/train leaves it)
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "bench/support/bench.h"

namespace {

constexpr int kUsers = 943, kItems = 1682, kWidth = 64, kQuestions = 20000, kTop = 10;

// Microseconds of each question.
std::vector<double> ask(const std::function<void(int user)>& question) {
  std::mt19937 random(1);
  for (int user = 1; user <= kUsers; user++) question(user);
  std::vector<double> microseconds;
  for (int i = 0; i < kQuestions; i++) {
    const int user = 1 + static_cast<int>(random() % kUsers);
    const bench::Stopwatch watch;
    question(user);
    microseconds.push_back(watch.seconds() * 1e6);
  }
  return microseconds;
}

std::string p50_p99(std::vector<double> samples) {
  return fmt::format("p50 {:.0f} us, p99 {:.0f} us", bench::quantile(samples, 0.5),
                     bench::quantile(samples, 0.99));
}

std::vector<double> bare_loop() {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> items(size_t{kItems} * kWidth), users(size_t{kUsers + 1} * kWidth);
  for (float& value : items) value = normal(random);
  for (float& value : users) value = normal(random);
  std::vector<std::pair<float, int>> scored(kItems);
  float kept = 0;  // keeps the loop from being optimised away
  std::vector<double> samples = ask([&](int user) {
    const float* state = &users[size_t(user) * kWidth];
    for (int item = 0; item < kItems; item++) {
      const float* row = &items[size_t(item) * kWidth];
      float sum = 0;
      for (int i = 0; i < kWidth; i++) sum += state[i] * row[i];
      scored[size_t(item)] = {sum, item};
    }
    std::partial_sort(scored.begin(), scored.begin() + kTop, scored.end(), std::greater<>());
    kept += scored[0].first;
  });
  if (kept == 0) bench::die("recommend: the bare loop found nothing");
  return samples;
}

// A Markov chain as a table: what follows what within five steps, weighted, one row a pair.
void make_chain(bench::Database& database) {
  database.execute(R"(
    CREATE TEMP TABLE history AS SELECT user_id, item_id, row_number() OVER
      (PARTITION BY user_id ORDER BY timestamp) AS place FROM interactions;
    CREATE INDEX temp.history_place ON history(user_id, place DESC, item_id);
    CREATE TEMP TABLE chain(item_id, next_id, weight, PRIMARY KEY (item_id, next_id)) WITHOUT ROWID;
    INSERT INTO chain SELECT a.item_id, b.item_id, sum(pow(0.7, b.place - a.place)) FROM history a
      JOIN history b ON b.user_id = a.user_id AND b.place BETWEEN a.place + 1 AND a.place + 5
      GROUP BY 1, 2;)");
}

constexpr const char* kChainQuestion =
    "SELECT next_id, sum(weight) FROM (SELECT item_id FROM history WHERE user_id = ? ORDER BY "
    "place DESC LIMIT 5) JOIN chain USING (item_id) GROUP BY next_id ORDER BY 2 DESC LIMIT 10";

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) bench::die("usage: recommend EXTENSION ML_100K_DATABASE");
  bench::Database database(arguments[2], arguments[1]);
  std::vector<std::string> ids(kUsers + 1);
  for (int user = 1; user <= kUsers; user++) ids[size_t(user)] = std::to_string(user);

  const auto measure = [&](const char* sql) {
    bench::Statement statement(database.handle(), sql);
    return p50_p99(ask([&](int user) {
      if (statement.bind(1, ids[size_t(user)]).run() != kTop)
        bench::die(fmt::format("recommend: not ten rows for user {}", user));
    }));
  };
  make_chain(database);
  const std::string in_sql = measure(kChainQuestion);
  const std::string limit = p50_p99(bare_loop());
  bench::report("recommend(u, 10), hrnn, 1,682 items, prepared, state warm",
                measure("SELECT item_id, score FROM recommend(?, 10) WHERE version = "
                        "'movies/latest'"),
                fmt::format("{}: Markov chain in SQL alone; {}: bare loop of 64 floats an item",
                            in_sql, limit),
                "p50 60 us");
  bench::report("the same, markov",
                measure("SELECT item_id, score FROM recommend(?, 10) WHERE version = "
                        "'chain/latest'"),
                in_sql + ": in SQL alone", "");
}
