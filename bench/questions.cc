// What a question costs, beside what this machine can do at best, in the same run: recommend with a
// warm state, after one new event and for a user who is asked about for the first time, rank,
// personalize_score in a join, similar_items, batch_recommend, an INSERT; one process and four.
// Generates its data: users of 100 events each, nine in ten of one topic of 100 items.
// Usage: questions EXTENSION WORK_FOLDER [ITEMS:WIDTH...]
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "bench/support/bench.h"

namespace {

constexpr int kEvents = 100;  // of a user
constexpr int kTop = 10, kListed = 100, kJoined = 1'000;
constexpr int kKnownUsers = 500;  // who are asked about again and again
constexpr const char* kSolution = "questions";

struct Size {
  int items, width;
  // Users enough that each item has twenty events or so, within a minute of training.
  int users() const { return std::clamp(items / 5, 2'000, 20'000); }
  std::string name() const { return fmt::format("{} items, d = {}", items, width); }
};

Size size_of(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) bench::die("questions: '" + text + "' is not ITEMS:WIDTH");
  return {std::stoi(text.substr(0, colon)), std::stoi(text.substr(colon + 1))};
}

std::string user_id(int user) { return fmt::format("u{}", user); }

void make_events(bench::Database& database, const Size& size) {
  constexpr int kTopic = 100;
  std::mt19937 random(1);
  const int topics = std::max(1, size.items / kTopic);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  // Small topics more often.
  const auto any_topic = [&] {
    const double x = std::uniform_real_distribution<>()(random);
    return static_cast<int>(x * x * topics);
  };
  database.execute("BEGIN");
  bench::Statement insert(database.handle(),
                          "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)");
  for (int user = 0; user < size.users(); user++) {
    const std::string id = user_id(user);
    const int topic = any_topic();
    int64_t time = 1'600'000'000 + below(50'000'000);
    for (int e = 0; e < kEvents; e++) {
      const int of = below(10) == 0 ? any_topic() : topic;
      const std::string item = std::to_string(of * kTopic + below(kTopic));
      insert.bind(1, id).bind(2, item).bind(3, time += below(3'000)).run();
    }
  }
  // Every item once, or the models would lack those that nobody had.
  for (int item = 0; item < size.items; item++) {
    const std::string user = fmt::format("all{}", item / kEvents), id = std::to_string(item);
    insert.bind(1, user).bind(2, id).bind(3, int64_t{1'600'000'000 + item}).run();
  }
  database.execute("COMMIT");
}

std::string make_database(const std::string& extension, const std::string& work, const Size& size) {
  const std::string path = fmt::format("{}/questions-{}-{}.db", work, size.items, size.width);
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".personalize"})
    std::filesystem::remove_all(path + suffix);
  bench::Database database(path, extension);
  database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  make_events(database, size);
  database.execute(fmt::format(
      "INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('{}', 'hrnn', "
      "'{{\"epochs\": 1, \"hidden_dimension\": 128, \"embedding_dimension\": {}}}')",
      kSolution, size.width));
  database.text(
      fmt::format("SELECT personalize_train('{}', '{{\"evaluation\": \"none\"}}')", kSolution));
  database.execute(fmt::format(
      "INSERT INTO personalize_campaigns(name, version) VALUES ('home', '{}/latest');", kSolution));
  return path;
}

// The time of each of `count` questions, in microseconds.
std::vector<double> times(int count, const std::function<void(int)>& question) {
  std::vector<double> samples;
  for (int i = 0; i < count; i++) {
    const bench::Stopwatch watch;
    question(i);
    samples.push_back(watch.seconds() * 1e6);
  }
  return samples;
}

std::string quantiles(std::vector<double> samples) {
  return fmt::format("p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us", bench::quantile(samples, 0.5),
                     bench::quantile(samples, 0.99), bench::quantile(samples, 0.999));
}

// Reads as many bytes as the items' vectors have, again and again.
double stream_microseconds(size_t bytes) {
  std::vector<uint64_t> memory(bytes / sizeof(uint64_t) + 1, 3);
  uint64_t sum = 0;
  std::vector<double> samples = times(200, [&](int i) {
    memory[static_cast<size_t>(i) % memory.size()]++;
    sum += std::accumulate(memory.begin(), memory.end(), uint64_t{0});
  });
  if (sum == 0) bench::die("questions: nothing was read");
  return bench::quantile(samples, 0.5);
}

class Questions {
 public:
  Questions(const std::string& path, const std::string& extension, const Size& size)
      : database_(path, extension), size_(size) {
    database_.execute("PRAGMA synchronous = NORMAL");
  }

  void measure() {
    report("a plain ORDER BY over a table of scores", quantiles(plain_order_by()), "");
    bounds_ =
        fmt::format("stream of the vectors: f32 {:.0f} us, int8 {:.0f} us; no answer {:.1f} us",
                    stream_microseconds(vectors() * 4), stream_microseconds(vectors()),
                    bench::quantile(nothing_ = ask(kRecommend, 2'000, false), 0.5));
    const int cold = std::min(size_.users(), std::max(kKnownUsers, count(2'000)));
    report("recommend, asked about for the first time, 100 events", quantiles(cold_users(cold)),
           "p50 200 us");
    report("recommend, state warm", quantiles(ask(kRecommend, count(20'000), true)),
           size_.items < 10'000 ? "p50 25 us, p99 60 us" : "");
    report("recommend, one new event", quantiles(after_an_event()),
           size_.items < 10'000 ? "p50 30 us" : "");
    report("rank, 100 items", quantiles(ranked()), "p50 20 us");
    report("personalize_score, a row of a join", fmt::format("{:.3f} us", joined()), "0.3 us");
    report("similar_items", quantiles(similar()), "");
    report("batch_recommend(10)", fmt::format("{:.0f} users/s", batch()),
           size_.items < 10'000 ? "250,000 users/s" : "");
    report("INSERT of one event, its own transaction, WAL NORMAL", quantiles(inserts()), "25 us");
  }

  // Answers a second of so many processes at once.
  static double of_processes(const std::string& path, const std::string& extension,
                             const Size& size, int processes) {
    constexpr double kSeconds = 2;
    int ends[2];
    if (pipe(ends) != 0) bench::die("questions: no pipe");
    for (int i = 0; i < processes; i++) {
      if (fork() != 0) continue;
      Questions child(path, extension, size);
      child.ask(kRecommend, 200, true);
      int64_t answers = 0;
      const bench::Stopwatch watch;
      for (; watch.seconds() < kSeconds; answers += 20) child.ask(kRecommend, 20, true);
      _exit(write(ends[1], &answers, sizeof answers) == sizeof answers ? 0 : 1);
    }
    close(ends[1]);
    int64_t all = 0;
    for (int64_t answers; read(ends[0], &answers, sizeof answers) == sizeof answers;)
      all += answers;
    close(ends[0]);
    for (int i = 0; i < processes; i++) wait(nullptr);
    return static_cast<double>(all) / kSeconds;
  }

 private:
  static constexpr const char* kRecommend = "SELECT item_id, score FROM recommend(?, 10, 'home')";

  size_t vectors() const {
    return static_cast<size_t>(size_.items) * static_cast<size_t>(size_.width);
  }
  // Fewer of the dear ones.
  int count(int most) const { return std::max(50, std::min(most, 40'000'000 / size_.items)); }
  std::string any_user() { return user_id(static_cast<int>(random_() % kKnownUsers)); }
  std::string any_item() { return std::to_string(random_() % static_cast<unsigned>(size_.items)); }
  void report(std::string_view what, const std::string& ours, std::string_view required) {
    bench::report(fmt::format("{}: {}", size_.name(), what), ours, bounds_, required);
  }

  // Of users who were asked about before, or of nobody: a NULL user.
  std::vector<double> ask(const char* sql, int questions, bool somebody) {
    bench::Statement statement(database_.handle(), sql);
    std::string user;
    return times(questions, [&](int) {
      if (somebody) statement.bind(1, user = any_user());
      statement.run();
    });
  }
  std::vector<double> cold_users(int users) {
    bench::Statement statement(database_.handle(), kRecommend);
    std::string user;
    return times(users, [&](int i) { statement.bind(1, user = user_id(i)).run(); });
  }
  std::vector<double> after_an_event() {
    bench::Statement insert(
        database_.handle(),
        "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, 1800000000 + ?)");
    bench::Statement statement(database_.handle(), kRecommend);
    std::vector<double> samples;
    database_.execute("BEGIN");
    for (int i = 0; i < count(5'000); i++) {
      const std::string user = user_id(i % 50), item = any_item();
      insert.bind(1, user).bind(2, item).bind(3, int64_t{i}).run();
      const bench::Stopwatch watch;
      statement.bind(1, user).run();
      samples.push_back(watch.seconds() * 1e6);
    }
    database_.execute("ROLLBACK");
    return samples;
  }
  std::vector<double> ranked() {
    bench::Statement statement(database_.handle(), "SELECT item_id, score FROM rank(?, ?, 'home')");
    std::string user, items;
    return times(count(10'000), [&](int) {
      items = "[";
      for (int i = 0; i < kListed; i++) items += (i == 0 ? "\"" : ",\"") + any_item() + "\"";
      statement.bind(1, user = any_user()).bind(2, items += "]").run();
    });
  }
  double joined() {
    database_.execute(
        fmt::format("CREATE TEMP TABLE joined AS SELECT item_id FROM (SELECT DISTINCT item_id FROM "
                    "interactions LIMIT {})",
                    kJoined));
    bench::Statement statement(
        database_.handle(), "SELECT sum(personalize_score(?, item_id, 'home')) FROM temp.joined");
    std::string user;
    std::vector<double> samples =
        times(count(500), [&](int) { statement.bind(1, user = any_user()).run(); });
    // What the question itself costs is paid once a statement.
    return bench::quantile(samples, 0.5) / kJoined;
  }
  std::vector<double> similar() {
    bench::Statement statement(
        database_.handle(),
        fmt::format("SELECT item_id FROM similar_items(?, 10) WHERE version = '{}/latest'",
                    kSolution));
    std::string item;
    return times(count(10'000), [&](int) { statement.bind(1, item = any_item()).run(); });
  }
  double batch() {
    bench::Statement statement(
        database_.handle(),
        fmt::format("SELECT count(*), count(DISTINCT user_id) FROM (SELECT user_id, item_id FROM "
                    "batch_recommend({}, '{}/latest') LIMIT {})",
                    kTop, kSolution, kTop * std::max(512, count(size_.users()))));
    statement.run();
    const bench::Stopwatch watch;
    statement.run();
    const double seconds = watch.seconds();
    return std::min(size_.users(), std::max(512, count(size_.users()))) / seconds;
  }
  std::vector<double> inserts() {
    bench::Statement insert(
        database_.handle(),
        "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, 1900000000 + ?)");
    std::string user, item;
    std::vector<double> samples = times(2'000, [&](int i) {
      insert.bind(1, user = any_user()).bind(2, item = any_item()).bind(3, int64_t{i}).run();
    });
    database_.execute("DELETE FROM interactions WHERE timestamp >= 1900000000");
    return samples;
  }
  std::vector<double> plain_order_by() {
    database_.execute(fmt::format(
        "CREATE TEMP TABLE plain AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < {}) SELECT i AS item_id, abs(random() / 1e18) AS score FROM n",
        size_.items - 1));
    bench::Statement statement(
        database_.handle(), "SELECT item_id, score FROM temp.plain ORDER BY score DESC LIMIT 10");
    return times(count(200), [&](int) { statement.run(); });
  }

  bench::Database database_;
  const Size size_;
  std::mt19937 random_{2};
  std::string bounds_;
  std::vector<double> nothing_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) bench::die("usage: questions EXTENSION WORK_FOLDER [ITEMS:WIDTH...]");
  std::vector<Size> sizes;
  for (int i = 3; i < argc; i++) sizes.push_back(size_of(argv[i]));
  if (sizes.empty())
    sizes = {{3'700, 128}, {1'700, 64}, {60'000, 64}, {60'000, 128}, {1'000'000, 64}};
  for (const Size& size : sizes) {
    const std::string path = make_database(argv[1], argv[2], size);
    Questions(path, argv[1], size).measure();
    for (const int processes : {1, 4})
      bench::report(
          fmt::format("{}: recommend, {} process{}", size.name(), processes,
                      processes == 1 ? "" : "es"),
          fmt::format("{:.0f} answers/s", Questions::of_processes(path, argv[1], size, processes)),
          "", "");
  }
}
