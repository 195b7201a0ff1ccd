#include "bench/support/process.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "bench/support/bench.h"

namespace bench {
namespace {

// A line of /proc/self/status in MiB: VmRSS is what this process has, VmHWM the most it ever had.
double memory_mib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kib; word == name + ":" && status >> kib) return kib / 1'024;
  return 0;
}

}  // namespace

std::string Cost::text() const {
  return fmt::format("{:.1f} s, {:.0f} MiB at the most, {:.0f} of them added", seconds, peak_mib,
                     added_mib);
}

Cost in_process(const std::function<std::string()>& stage) {
  int ends[2];
  if (pipe(ends) != 0) die("no pipe");
  if (fork() == 0) {
    const double before = memory_mib("VmRSS");
    const Stopwatch watch;
    const std::string told = stage();
    Cost cost = {watch.seconds(), 0, memory_mib("VmHWM"), {}};
    cost.added_mib = cost.peak_mib - before;
    told.copy(cost.told, sizeof cost.told - 1);
    std::fflush(stdout);
    _exit(write(ends[1], &cost, sizeof cost) == sizeof cost ? 0 : 1);
  }
  close(ends[1]);
  Cost cost;
  const bool told = read(ends[0], &cost, sizeof cost) == sizeof cost;
  close(ends[0]);
  wait(nullptr);
  if (!told) die("a stage failed");
  return cost;
}

}  // namespace bench
