// many_items [ITEMS [EVENTS [name=value ...]]]: fits hrnn to made-up histories over many items (a
// million, and two million events, unless told otherwise) and tells its seconds and the most memory
// it had, beside what an estimate says. name=value: hyperparameters.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "engine/math/dispatch.h"
#include "engine/math/random.h"
#include "engine/recipes/recipe.h"

namespace personalize {
namespace {

// Users with 20 events each, nine in ten of one topic of 100 items, small topics more often.
Sequences histories(size_t items, size_t events) {
  constexpr size_t kLength = 20;
  constexpr size_t kTopic = 100;
  Sequences all;
  for (size_t item = 0; item < items; ++item) all.items.add(std::to_string(item));
  Random random(1, 0);
  const size_t topics = std::max<size_t>(1, items / kTopic);
  const auto any_topic = [&] {
    const double x = random.uniform();
    return static_cast<size_t>(x * x * static_cast<double>(topics));
  };
  all.start.push_back(0);
  for (size_t user = 0; user < events / kLength; ++user) {
    all.users.push_back(std::to_string(user));
    const size_t topic = any_topic();
    int64_t time = 1'600'000'000 + static_cast<int64_t>(random.below(50'000'000));
    for (size_t e = 0; e < kLength; ++e) {
      const size_t of = random.below(10) == 0 ? any_topic() : topic;
      all.item.push_back(static_cast<ItemIndex>(of * kTopic + random.below(kTopic)));
      all.timestamp.push_back(time += static_cast<int64_t>(random.below(3'000)));
      all.value.push_back(kNoValue);
    }
    all.start.push_back(static_cast<int64_t>(all.item.size()));
  }
  return all;
}

class Printing : public Progress {
 public:
  bool stop() override { return false; }
  void epoch(const EpochRow& row) override {
    fmt::print("  epoch {}/{} loss {:.4f} {:.1f} s {:.0f} events/s\n", row.epoch, row.epochs,
               row.loss, row.seconds, row.events_per_second);
    std::fflush(stdout);
  }
  void note(std::string_view text) override { fmt::print("  {}\n", text); }
};

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1'024;
}

int run(int argc, char** argv) {
  const size_t items = argc > 1 ? std::stoull(argv[1]) : 1'000'000;
  const size_t events = argc > 2 ? std::stoull(argv[2]) : 2'000'000;
  std::string json;
  for (int i = 3; i < argc; ++i) {
    const std::string text = argv[i];
    const size_t equals = text.find('=');
    json += fmt::format("{}\"{}\":\"{}\"", json.empty() ? "" : ",", text.substr(0, equals),
                        text.substr(equals + 1));
  }
  const Recipe& recipe = **find_recipe("hrnn");
  const auto hyperparameters = Hyperparameters::parse("{" + json + "}", recipe.hyperparameters());
  if (!hyperparameters.is_ok()) return fmt::print("{}\n", hyperparameters.status().message()), 1;
  const Sequences all = histories(items, events);
  const double before = peak_mib();
  Printing progress;
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  const auto fitted = recipe.fit(TrainingView::everything(all), *hyperparameters, {}, progress);
  if (!fitted.is_ok()) return fmt::print("{}\n", fitted.status().message()), 1;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print(
      "{} items, {} events, isa {}: fit {:.1f} s, {:.1f} CPU s; peak {:.0f} MiB, of which "
      "the events {:.0f}\n",
      items, events, kernels().isa, seconds.count(),
      static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC, peak_mib(), before);
  const FitCost cost = recipe.cost(
      {.events = all.event_count(), .users = all.user_count(), .items = all.item_count()},
      *hyperparameters, {});
  fmt::print("estimated: {:.1f} s, {:.0f} MiB besides the events\n", cost.seconds,
             cost.bytes / (1 << 20));
  return 0;
}

}  // namespace
}  // namespace personalize

int main(int argc, char** argv) { return personalize::run(argc, argv); }
