// A dataset as large as MovieLens 25M, made up: 25 million events of 160,000 users with 60,000
// items. Imports it, reads it as a training does, trains one epoch of hrnn, and asks; prints time
// and memory of each, and beside the training what personalize_estimate said. Users have sessions:
// an evening now and then, in one topic of 100 items, in which one event follows another by
// minutes. Topics, and items in them, are popular as Zipf has it; histories are of very unequal
// length. The file lists one user after the other, as MovieLens does, or all events by time.
// Usage: scale EXTENSION WORK_FOLDER [EVENTS [user|time]]     (takes minutes, and 3 GB of disk)
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "bench/support/bench.h"
#include "bench/support/process.h"

namespace {

constexpr int64_t kMovieLensEvents = 25'000'000;
constexpr int kTopic = 100;                       // items
constexpr int kAsked = 2'000, kInBatch = 20'000;  // users

struct Size {
  int64_t events;
  int users() const { return scaled(160'000); }
  int items() const { return std::max(10 * kTopic, scaled(60'000) / kTopic * kTopic); }
  std::string name() const {
    return fmt::format("{} events, {} users, {} items", events, users(), items());
  }

 private:
  int scaled(double of_movielens) const {
    return std::max(1'000, static_cast<int>(of_movielens * double(events) / kMovieLensEvents));
  }
};

// Numbers below n, number r as often as 1 / (r + 1).
class Zipf {
 public:
  explicit Zipf(int n) : log_(std::log(double(n) + 1)), largest_(n - 1) {}
  int draw(std::mt19937_64& random) const {
    const double x = std::exp(std::uniform_real_distribution<>(0, log_)(random)) - 1;
    return std::min(largest_, static_cast<int>(x));
  }

 private:
  double log_;
  int largest_;
};

struct Made {
  int64_t time;
  int user, item;
};

std::vector<Made> make_events(const Size& size) {
  std::mt19937_64 random(1);
  const Zipf topics(size.items() / kTopic), items(kTopic);
  std::lognormal_distribution<> length(0, 1);  // its mean is 1.65
  std::vector<Made> events;
  const double mean = double(size.events) / size.users();
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int user = 0; user < size.users(); user++) {
    const auto left = size.events - static_cast<int64_t>(events.size());
    const bool last = user + 1 == size.users();
    int64_t count =
        last ? left : std::min<int64_t>(left, 1 + int64_t(length(random) * mean / 1.65));
    // All within twenty years, whatever there is to tell.
    int64_t time = 1'000'000'000 + below(200'000'000);
    std::exponential_distribution<> gap(std::max(1.0 / 86'400 / 9, double(count) / 8 / 200e6));
    const int favourite = topics.draw(random);
    while (count > 0) {
      const int topic = below(2) == 0 ? favourite : topics.draw(random);
      for (int in_session = 1 + below(15); in_session > 0 && count > 0; in_session--, count--)
        events.push_back({time += 20 + below(600), user, topic * kTopic + items.draw(random)});
      time += 3'600 + static_cast<int64_t>(gap(random));
    }
  }
  return events;
}

void write_csv(const std::string& path, const Size& size, bool by_time) {
  std::vector<Made> events = make_events(size);
  if (by_time)
    std::sort(events.begin(), events.end(),
              [](const Made& a, const Made& b) { return a.time < b.time; });
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) bench::die(fmt::format("scale: {} can't be written", path));
  fmt::print(file, "USER_ID,ITEM_ID,TIMESTAMP\n");
  for (const Made& event : events)
    fmt::print(file, "{},{},{}\n", event.user, event.item, event.time);
  if (std::fclose(file) != 0) bench::die(fmt::format("scale: {} can't be written", path));
}

class Scale {
 public:
  Scale(std::string extension, const std::string& work, const Size& size, bool by_time)
      : extension_(std::move(extension)),
        path_(fmt::format("{}/scale-{}.db", work, size.events)),
        csv_(path_ + ".csv"),
        size_(size),
        by_time_(by_time) {}

  void run() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal", ".personalize", ".csv"})
      std::filesystem::remove_all(path_ + suffix);
    bench::in_process([this] { return write_csv(csv_, size_, by_time_), ""; });
    report(by_time_ ? "personalize_import, by time" : "personalize_import, user by user",
           bench::in_process([this] { return import(); }), "", "");
    std::filesystem::remove(csv_);
    const bench::Cost reading = bench::in_process([this] { return train("read"); });
    bench::report(fmt::format("{}: reading them, as each training does", size_.name()),
                  fmt::format("{} s", reading.told),
                  fmt::format("all of popularity-count {}", reading.text()), "10 s");
    const bench::Cost estimate = bench::in_process([this] { return this->estimate(); });
    report("hrnn, one epoch", bench::in_process([this] { return train("epoch"); }),
           fmt::format("personalize_estimate, in {:.1f} s: {}", estimate.seconds, estimate.told),
           "");
    const bench::Cost asked = bench::in_process([this] { return ask(); });
    report("recommend(u, 10), 100 and more events each", asked, asked.told, "");
    const bench::Cost batch = bench::in_process([this] { return this->batch(); });
    report("batch_recommend(10)", batch, batch.told, "");
  }

 private:
  void report(std::string_view what, const bench::Cost& cost, std::string_view beside,
              std::string_view required) {
    bench::report(fmt::format("{}: {}", size_.name(), what), cost.text(), beside, required);
  }

  std::string import() {
    bench::Database database(path_, extension_);
    database.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
        "INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES "
        "('read', 'popularity-count', NULL), ('epoch', 'hrnn', '{\"epochs\": 1}')");
    return database.text(fmt::format("SELECT personalize_import('interactions', '{}')", csv_));
  }
  // Gives the seconds that it took to read all events.
  std::string train(std::string_view solution) {
    bench::Database database(path_, extension_);
    database.text(
        fmt::format("SELECT personalize_train('{}', '{{\"evaluation\": \"none\"}}')", solution));
    return database.text(
        fmt::format("SELECT substr(message, instr(message, 'read in ') + 8) + 0.0 FROM "
                    "personalize_training_log "
                    "WHERE version = '{}/1' AND stage = 'read'",
                    solution));
  }
  std::string estimate() {
    return bench::Database(path_, extension_)
        .text(
            "SELECT printf('%.1f s, %.0f MiB added', seconds, bytes / 1048576.0) "
            "FROM personalize_estimate('epoch', '{\"evaluation\": \"none\"}')");
  }
  std::string ask() {
    bench::Database database(path_, extension_);
    bench::Statement statement(
        database.handle(),
        "SELECT item_id, score FROM recommend(?, 10) WHERE version = 'epoch/latest'");
    std::string text;
    for (const char* state : {"asked for the first time", "again"}) {
      std::vector<double> samples;
      for (int i = 0; i < kAsked; i++) {
        const std::string user = std::to_string(int64_t{i} * size_.users() / kAsked);
        const bench::Stopwatch watch;
        statement.bind(1, user).run();
        samples.push_back(watch.seconds() * 1e6);
      }
      // The very first one opened the model.
      const double first = samples.front();
      samples.erase(samples.begin());
      text += fmt::format("{}{}: first {:.0f} us, p50 {:.0f} us, p99 {:.0f} us",
                          text.empty() ? "" : "; ", state, first, bench::quantile(samples, 0.5),
                          bench::quantile(samples, 0.99));
    }
    return text;
  }
  std::string batch() {
    bench::Database database(path_, extension_);
    const bench::Stopwatch watch;
    const double users = database.number(fmt::format(
        "SELECT count(*) / 10.0 FROM (SELECT 1 FROM batch_recommend(10, 'epoch/latest') LIMIT {})",
        10 * kInBatch));
    return fmt::format("{:.0f} users, {:.0f} a second", users, users / watch.seconds());
  }

  const std::string extension_, path_, csv_;
  const Size size_;
  const bool by_time_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) bench::die("usage: scale EXTENSION WORK_FOLDER [EVENTS [user|time]]");
  const Size size = {count > 3 ? std::stoll(arguments[3]) : kMovieLensEvents};
  Scale(arguments[1], arguments[2], size, count > 4 && std::string_view(arguments[4]) == "time")
      .run();
}
