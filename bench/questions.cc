// What a question costs, beside what this machine can do at best, in the same run: recommend with a
// warm state, after one new event and for a user who is asked about for the first time, rank,
// personalize_score by itself and in a join, similar_items, batch_recommend, an INSERT; one process
// and four; and the first question of a new process. bench/rivals/neighbours.py has what libraries
// take for the search in it. Usage: questions EXTENSION WORK_FOLDER ITEMS:WIDTH...
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <vector>

#include "bench/support/bench.h"
#include "bench/support/machine.h"
#include "bench/support/questions_database.h"

namespace {

using bench::CatalogueSize;
using Samples = std::vector<double>;  // microseconds

constexpr int kTop = 10, kListed = 100, kJoined = 1'000;
constexpr const char* kFirst = "first-question";  // an argument that it gives itself
constexpr int kKnownUsers = 500;                  // who are asked about again and again

// The time of each of `count` questions.
Samples times(int count, const std::function<void(int)>& question) {
  Samples samples;
  for (int i = 0; i < count; i++) {
    const bench::Stopwatch watch;
    question(i);
    samples.push_back(watch.seconds() * 1e6);
  }
  return samples;
}

std::string quantiles(Samples samples) {
  return fmt::format("p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us", bench::quantile(samples, 0.5),
                     bench::quantile(samples, 0.99), bench::quantile(samples, 0.999));
}

// What so many processes at once measure.
Samples in_processes(int processes, const std::function<Samples()>& measure) {
  std::vector<int> pipes;
  for (int i = 0; i < processes; i++) {
    int ends[2];
    if (pipe(ends) != 0) bench::die("questions: no pipe");
    if (fork() == 0) {
      const Samples samples = measure();
      const auto* bytes = reinterpret_cast<const char*>(samples.data());
      for (size_t left = samples.size() * sizeof(double); left > 0;) {
        const ssize_t written = write(ends[1], bytes, left);
        if (written <= 0) _exit(1);
        bytes += written;
        left -= static_cast<size_t>(written);
      }
      _exit(0);
    }
    close(ends[1]);
    pipes.push_back(ends[0]);
  }
  Samples all;
  for (const int end : pipes) {
    for (double sample; read(end, &sample, sizeof sample) == sizeof sample;) all.push_back(sample);
    close(end);
    wait(nullptr);
  }
  if (all.empty()) bench::die("questions: a process failed");
  return all;
}

class Questions {
 public:
  Questions(const std::string& path, const std::string& extension, const CatalogueSize& size)
      : database_(path, extension), size_(size) {
    database_.execute("PRAGMA synchronous = NORMAL");
    bench::add_empty_table(database_.handle());
  }

  // `bounds`: beside what to print it.
  void measure(const std::string& bounds) {
    bounds_ = bounds;
    const bool small = size_.items < 10'000;
    report("a plain ORDER BY over a table of scores", quantiles(plain_order_by()), "");
    for (const int rows : {kTop, kListed})
      report(fmt::format("an empty virtual table of {} rows", rows), quantiles(empty_table(rows)),
             "");
    const int cold = std::min(size_.users(), std::max(kKnownUsers, count(2'000)));
    report("recommend, asked about for the first time, 100 events", quantiles(cold_users(cold)),
           small ? "p50 200 us" : "");
    report("recommend, state warm", quantiles(known_users(count(20'000))),
           small ? "p50 25 us, p99 60 us" : "");
    report("recommend, one new event", quantiles(after_an_event()), small ? "p50 30 us" : "");
    report("rank, 100 items", quantiles(ranked()), "p50 20 us");
    report("personalize_score, by itself", quantiles(scored()), "");
    report("personalize_score, a row of a join", fmt::format("{:.3f} us", joined()), "0.3 us");
    report("similar_items", quantiles(similar()), "");
    report("batch_recommend(10)", fmt::format("{:.0f} users/s", batch()),
           small ? "250,000 users/s" : "");
    report("INSERT of one event, its own transaction, WAL NORMAL", quantiles(inserts()), "25 us");
  }

  // recommend() of users whose states are warm.
  Samples known_users(int questions) {
    bench::Statement statement(database_.handle(), kRecommend);
    std::string user;
    return times(questions, [&](int) { statement.bind(1, user = any_user()).run(); });
  }

 private:
  static constexpr const char* kRecommend = "SELECT item_id, score FROM recommend(?, 10, 'home')";

  // Fewer of the dear ones.
  int count(int most) const { return std::max(50, std::min(most, 40'000'000 / size_.items)); }
  std::string any_user() { return bench::user_id(static_cast<int>(random_() % kKnownUsers)); }
  std::string any_item() { return std::to_string(random_() % static_cast<unsigned>(size_.items)); }
  void report(std::string_view what, const std::string& ours, std::string_view required) {
    bench::report(fmt::format("{}: {}", size_.name(), what), ours, bounds_, required);
  }

  Samples empty_table(int rows) {
    bench::Statement statement(database_.handle(),
                               fmt::format("SELECT item_id, score FROM empty_table({})", rows));
    return times(20'000, [&](int) { statement.run(); });
  }
  Samples cold_users(int users) {
    bench::Statement statement(database_.handle(), kRecommend);
    std::string user;
    statement.bind(1, user = "nobody").run();  // opens the model
    return times(users, [&](int i) { statement.bind(1, user = bench::user_id(i)).run(); });
  }
  Samples after_an_event() {
    bench::Statement insert(
        database_.handle(),
        "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, 1800000000 + ?)");
    bench::Statement statement(database_.handle(), kRecommend);
    Samples samples;
    database_.execute("BEGIN");
    for (int i = 0; i < count(5'000); i++) {
      const std::string user = bench::user_id(i % 50), item = any_item();
      insert.bind(1, user).bind(2, item).bind(3, int64_t{i}).run();
      const bench::Stopwatch watch;
      statement.bind(1, user).run();
      samples.push_back(watch.seconds() * 1e6);
    }
    database_.execute("ROLLBACK");
    return samples;
  }
  Samples ranked() {
    bench::Statement statement(database_.handle(), "SELECT item_id, score FROM rank(?, ?, 'home')");
    std::string user, items;
    return times(count(10'000), [&](int) {
      items = "[";
      for (int i = 0; i < kListed; i++) items += (i == 0 ? "\"" : ",\"") + any_item() + "\"";
      statement.bind(1, user = any_user()).bind(2, items += "]").run();
    });
  }
  Samples scored() {
    bench::Statement statement(database_.handle(), "SELECT personalize_score(?, ?, 'home')");
    std::string user, item;
    return times(count(10'000), [&](int) {
      statement.bind(1, user = any_user()).bind(2, item = any_item()).run();
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
    Samples samples = times(count(500), [&](int) { statement.bind(1, user = any_user()).run(); });
    // What the question itself costs is paid once a statement.
    return bench::quantile(samples, 0.5) / kJoined;
  }
  Samples similar() {
    bench::Statement statement(
        database_.handle(),
        "SELECT item_id FROM similar_items(?, 10) WHERE version = 'questions/latest'");
    std::string item;
    return times(count(10'000), [&](int) { statement.bind(1, item = any_item()).run(); });
  }
  double batch() {
    const int users = std::min(size_.users(), std::max(512, count(size_.users())));
    bench::Statement statement(
        database_.handle(),
        fmt::format("SELECT count(*), count(DISTINCT user_id) FROM (SELECT user_id, item_id FROM "
                    "batch_recommend({}, 'questions/latest') LIMIT {})",
                    kTop, kTop * users));
    statement.run();
    const bench::Stopwatch watch;
    statement.run();
    return users / watch.seconds();
  }
  Samples inserts() {
    bench::Statement insert(
        database_.handle(),
        "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, 1900000000 + ?)");
    std::string user, item;
    Samples samples = times(2'000, [&](int i) {
      insert.bind(1, user = any_user()).bind(2, item = any_item()).bind(3, int64_t{i}).run();
    });
    database_.execute("DELETE FROM interactions WHERE timestamp >= 1900000000");
    return samples;
  }
  Samples plain_order_by() {
    database_.execute(fmt::format(
        "CREATE TEMP TABLE plain AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < {}) SELECT i AS item_id, abs(random() / 1e18) AS score FROM n",
        size_.items - 1));
    bench::Statement statement(
        database_.handle(), "SELECT item_id, score FROM temp.plain ORDER BY score DESC LIMIT 10");
    return times(std::min(200, count(200)), [&](int) { statement.run(); });
  }

  bench::Database database_;
  const CatalogueSize size_;
  std::mt19937 random_{2};
  std::string bounds_;
};

// What a process that has just begun does and prints: the microseconds of connecting and of its
// first question.
void ask_first_question(const std::string& path, const std::string& extension) {
  const bench::Stopwatch connected;
  bench::Database database(path, extension);
  const double connecting = connected.seconds() * 1e6;
  const bench::Stopwatch watch;
  database.text("SELECT item_id FROM recommend('u1', 10, 'home')");
  fmt::print("{} {}\n", connecting, watch.seconds() * 1e6);
}

void report_first_question(const std::string& path, const std::string& extension,
                           const CatalogueSize& size) {
  constexpr int kProcesses = 7;
  Samples connecting, asking;
  for (int i = 0; i < kProcesses; i++) {
    // Not a fork of this process, which has the model in its memory.
    const std::string itself = std::filesystem::read_symlink("/proc/self/exe");
    FILE* const told =
        popen(fmt::format("'{}' '{}' '{}' {}", itself, extension, path, kFirst).c_str(), "r");
    double connected = 0, asked = 0;
    if (told == nullptr || std::fscanf(told, "%lf %lf", &connected, &asked) != 2 ||
        pclose(told) != 0)
      bench::die("questions: a new process could not ask");
    connecting.push_back(connected);
    asking.push_back(asked);
  }
  bench::Database database(path, extension);
  const double bytes = database.number("SELECT max(model_bytes) FROM personalize_versions");
  bench::report(fmt::format("{}: first question of a new process, model of {:.0f} MB", size.name(),
                            bytes / 1e6),
                fmt::format("p50 {:.1f} ms, best {:.1f} ms", bench::quantile(asking, 0.5) / 1'000,
                            bench::quantile(asking, 0) / 1'000),
                fmt::format("stream of the model {:.1f} ms; connecting and loading {:.1f} ms",
                            bench::stream_microseconds(static_cast<size_t>(bytes)) / 1'000,
                            bench::quantile(connecting, 0.5) / 1'000),
                "50 ms for 256 MB");
}

void report_processes(const std::string& path, const std::string& extension,
                      const CatalogueSize& size) {
  constexpr double kSeconds = 2;
  for (const int processes : {1, 4}) {
    const Samples samples = in_processes(processes, [&] {
      Questions questions(path, extension, size);
      questions.known_users(100);
      Samples all;
      const bench::Stopwatch watch;
      while (watch.seconds() < kSeconds) {
        const Samples some = questions.known_users(20);
        all.insert(all.end(), some.begin(), some.end());
      }
      return all;
    });
    bench::report(
        fmt::format("{}: recommend, state warm, {} process{}", size.name(), processes,
                    processes == 1 ? "" : "es"),
        fmt::format("{:.0f} answers/s, {}", double(samples.size()) / kSeconds, quantiles(samples)),
        "", "");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) bench::die("usage: questions EXTENSION WORK_FOLDER ITEMS:WIDTH...");
  const std::string extension = argv[1], work = argv[2];
  if (std::string_view(argv[3]) == kFirst) {
    ask_first_question(work, extension);
    return 0;
  }
  std::vector<CatalogueSize> sizes;
  for (int i = 3; i < argc; i++) sizes.push_back(CatalogueSize::parse(argv[i]));
  const double get = bench::lmdb_get_microseconds(work);
  Samples pauses = bench::pauses_of_a_second();
  bench::report("this machine: pauses of a thread that only looks at the clock",
                pauses.empty() ? "none in a second"
                               : fmt::format("{} a second, {}", pauses.size(), quantiles(pauses)),
                "", "");
  for (const CatalogueSize& size : sizes) {
    const std::string path = bench::make_questions_database(extension, work, size);
    const size_t numbers = static_cast<size_t>(size.items) * static_cast<size_t>(size.width);
    Questions(path, extension, size)
        .measure(fmt::format(
            "stream of the vectors: f32 {:.1f} us, int8 {:.1f} us; LMDB get {:.2f} us",
            bench::stream_microseconds(numbers * 4), bench::stream_microseconds(numbers), get));
    report_processes(path, extension, size);
    report_first_question(path, extension, size);
    for (const char* suffix : {"", "-wal", "-shm", ".personalize"})
      std::filesystem::remove_all(path + suffix);
  }
}
