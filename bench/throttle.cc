// What a campaign's limit and the counting of its requests cost, in one process and in four that
// ask the same campaign at once; beside them what the clock and one addition to shared memory take.
// Then four processes ask one campaign of 100 TPS as fast as they can for 10 seconds, after they
// have used up its burst: 1,000 questions must be answered.
// Usage: throttle EXTENSION ML_100K_DATABASE (as bench/train leaves it)
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <functional>
#include <new>
#include <thread>

#include "bench/support/bench.h"
#include "engine/serving/rate.h"
#include "engine/serving/usage.h"

namespace {

constexpr int kProcesses = 4, kTps = 100, kSeconds = 10;
using Clock = std::chrono::steady_clock;

// Runs `body` in `processes` children at once and adds up the numbers that they give.
double sum_of_processes(int processes, const std::function<double()>& body) {
  int channel[2];
  if (pipe(channel) != 0) bench::die("throttle: no pipe");
  for (int process = 0; process < processes; process++) {
    if (fork() != 0) continue;
    const double number = body();
    _exit(write(channel[1], &number, sizeof number) == sizeof number ? 0 : 1);
  }
  double total = 0;
  for (int process = 0; process < processes; process++) {
    int status = 0;
    double number = 0;
    if (wait(&status) < 0 || status != 0) bench::die("throttle: a process failed");
    if (read(channel[0], &number, sizeof number) == sizeof number) total += number;
  }
  close(channel[0]);
  close(channel[1]);
  return total;
}

// Nanoseconds of one `act` where `processes` do nothing else at the same time: the processor's time
// of each, not the time that it waited for a core. Dies unless nearly all acts give true.
double nanoseconds(int processes, const std::function<bool()>& act) {
  constexpr int kTimes = 1'000'000;
  return sum_of_processes(processes,
                          [&] {
                            const std::clock_t start = std::clock();
                            int as_named = 0;
                            for (int i = 0; i < kTimes; i++) as_named += act() ? 1 : 0;
                            const std::clock_t end = std::clock();
                            if (as_named < kTimes - kTimes / 1'000)
                              bench::die("throttle: not what was to be measured");
                            return static_cast<double>(end - start) / CLOCKS_PER_SEC / kTimes * 1e9;
                          }) /
         processes;
}

void report_costs(const std::string& directory, const std::string& like_file) {
  std::filesystem::create_directories(directory);
  const auto limiter = personalize::RateLimiter::open(directory, like_file);
  const auto usage = personalize::UsageCounter::open(directory, like_file);
  if (!limiter->shared()) bench::die("throttle: the limits are not shared");
  void* const memory = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) bench::die("throttle: no memory");
  auto& shared = *new (memory) std::atomic<uint64_t>(0);
  // What is asked below is less than the burst of the first, and more than that of the second.
  const personalize::RateLimit wide{1, 900'000, 1'000'000, 10.0};
  const personalize::RateLimit narrow{2, 1, 2, 0.0};
  const auto ask = [&](const personalize::RateLimit& limit, bool admitted) {
    return [&limiter, &limit, admitted] {
      return limiter->ask(limit, personalize::RateLimiter::now()).admitted == admitted;
    };
  };
  const auto count = [&] {
    const int64_t now = personalize::RateLimiter::now();
    usage->count_served(1, personalize::QuestionKind::kRecommend, now, now % 100'000);
    return true;
  };
  for (const int processes : {1, kProcesses}) {
    const std::string bound = fmt::format(
        "looking at the clock {:.0f} ns, an addition to shared memory {:.0f} ns",
        nanoseconds(processes, [] { return personalize::RateLimiter::now() > 0; }),
        nanoseconds(processes,
                    [&] { return shared.fetch_add(1, std::memory_order_relaxed) + 1 > 0; }));
    const std::string who =
        processes == 1 ? "1 process" : fmt::format("{} processes on one campaign", processes);
    bench::report(fmt::format("{}: a request that the limit admits", who),
                  fmt::format("{:.0f} ns", nanoseconds(processes, ask(wide, true))), bound,
                  "100 ns");
    bench::report(fmt::format("{}: a request that it denies", who),
                  fmt::format("{:.0f} ns", nanoseconds(processes, ask(narrow, false))), bound,
                  "100 ns");
    bench::report(fmt::format("{}: counting a request and its latency", who),
                  fmt::format("{:.0f} ns", nanoseconds(processes, count)), bound, "");
  }
  munmap(memory, sizeof(std::atomic<uint64_t>));
  std::filesystem::remove_all(directory);
}

// Asks from now to `end`; counts what was answered from `start` on.
int answered(const char* extension, const char* path, Clock::time_point start,
             Clock::time_point end) {
  bench::Database database(path, extension);
  bench::Statement statement(database.handle(),
                             "SELECT item_id FROM recommend(?, 10) WHERE campaign = 'throttled'");
  int answers = 0, user = 0;
  for (Clock::time_point now; (now = Clock::now()) < end;) {
    user = user % 943 + 1;
    if (statement.bind(1, int64_t{user}).run_unless("ThrottlingException") && now >= start)
      answers++;
  }
  return answers;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) bench::die("usage: throttle EXTENSION ML_100K_DATABASE");
  {
    bench::Database database(arguments[2], arguments[1]);
    database.execute(fmt::format(
        "DELETE FROM personalize_campaigns WHERE name = 'throttled';"
        "INSERT INTO personalize_campaigns(name, version, min_provisioned_tps, max_tps) "
        "VALUES ('throttled', 'chain/latest', {0}, {0})",
        kTps));
  }
  report_costs(std::string(arguments[2]) + ".throttle", arguments[2]);
  // The campaign's burst is gone long before the two seconds are.
  const Clock::time_point start = Clock::now() + std::chrono::seconds(2);
  const Clock::time_point end = start + std::chrono::seconds(kSeconds);
  const double total = sum_of_processes(kProcesses, [&] {
    return static_cast<double>(answered(arguments[1], arguments[2], start, end));
  });
  bench::report("4 processes on one campaign of 100 TPS for 10 s, burst used up",
                fmt::format("{:.0f} answered", total), fmt::format("{}: exact", kTps * kSeconds),
                "1,000 +- 2 %");
}
