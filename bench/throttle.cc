// Four processes ask one campaign of 100 TPS as fast as they can for 10 seconds, after they have
// used up its burst: 1,000 questions must be answered.
// Usage: throttle EXTENSION ML_100K_DATABASE (as bench/train leaves it)
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "bench/support/bench.h"

namespace {

constexpr int kProcesses = 4, kTps = 100, kSeconds = 10;
using Clock = std::chrono::steady_clock;

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
  // The campaign's burst is gone long before the two seconds are.
  const Clock::time_point start = Clock::now() + std::chrono::seconds(2);
  const Clock::time_point end = start + std::chrono::seconds(kSeconds);
  int channel[2];
  if (pipe(channel) != 0) bench::die("throttle: no pipe");
  for (int process = 0; process < kProcesses; process++) {
    if (fork() != 0) continue;
    const int answers = answered(arguments[1], arguments[2], start, end);
    _exit(write(channel[1], &answers, sizeof answers) == sizeof answers ? 0 : 1);
  }
  int total = 0;
  for (int process = 0; process < kProcesses; process++) {
    int status = 0, answers = 0;
    if (wait(&status) < 0 || status != 0) bench::die("throttle: a process failed");
    if (read(channel[0], &answers, sizeof answers) == sizeof answers) total += answers;
  }
  bench::report("4 processes on one campaign of 100 TPS for 10 s, burst used up",
                fmt::format("{} answered", total), fmt::format("{}: exact", kTps * kSeconds),
                "1,000 +- 2 %");
}
