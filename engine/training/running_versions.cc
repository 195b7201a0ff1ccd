#include "engine/training/running_versions.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace personalize {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Seconds between the machine's start and now, and the same for a process's start.
std::optional<double> uptime() {
  const File file(std::fopen("/proc/uptime", "re"), std::fclose);
  double seconds = 0;
  if (file == nullptr || std::fscanf(file.get(), "%lf", &seconds) != 1) return std::nullopt;
  return seconds;
}

struct ProcessState {
  char state = 0;
  double started = 0;  // seconds after the machine's start
};

std::optional<ProcessState> process_state(int64_t process) {
  const File file(std::fopen(fmt::format("/proc/{}/stat", process).c_str(), "re"), std::fclose);
  if (file == nullptr) return std::nullopt;
  char text[1024];
  const size_t size = std::fread(text, 1, sizeof text - 1, file.get());
  text[size] = '\0';
  const char* after_name = std::strrchr(text, ')');  // a name may hold blanks and brackets
  if (after_name == nullptr) return std::nullopt;
  ProcessState result;
  unsigned long long ticks = 0;  // field 22; the state is field 3
  if (std::sscanf(
          after_name + 1,
          " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
          &result.state, &ticks) != 2)
    return std::nullopt;
  result.started = static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return result;
}

}  // namespace

void RunningVersions::add(const std::string& directory, const std::string& key) {
  const std::lock_guard lock(mutex_);
  versions_.emplace(directory, key);
}

void RunningVersions::remove(const std::string& directory, const std::string& key) {
  const std::lock_guard lock(mutex_);
  versions_.erase({directory, key});
}

bool RunningVersions::contains(const std::string& directory, const std::string& key) {
  const std::lock_guard lock(mutex_);
  return versions_.count({directory, key}) != 0;
}

RunningVersions& running_versions() {
  static auto* versions = new RunningVersions;  // a thread may still train when the statics go
  return *versions;
}

bool process_runs_since(int64_t process, int64_t time) {
  if (process <= 0 || (kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH)) return false;
  const std::optional<ProcessState> state = process_state(process);
  if (!state) return true;
  if (state->state == 'Z' || state->state == 'X') return false;
  const std::optional<double> up = uptime();
  if (!up) return true;
  constexpr double kClocksDiffer = 2;  // seconds: both times are rounded, and clocks are adjusted
  const double age = *up - state->started;
  return static_cast<double>(std::time(nullptr) - time) <= age + kClocksDiffer;
}

}  // namespace personalize
