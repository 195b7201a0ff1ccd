// Which trainings are alive: those of this process by a list, those of others by their process.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace personalize {

// The versions being trained by this process, in whatever connection. Safe from any thread.
class RunningVersions {
 public:
  void add(const std::string& directory, const std::string& key);
  void remove(const std::string& directory, const std::string& key);
  bool contains(const std::string& directory, const std::string& key);

 private:
  std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> versions_;  // (store directory, version key)
};
RunningVersions& running_versions();

// Whether a process `process` is there that already ran at `time` (Unix seconds): one that began
// later has only inherited the number. A zombie is gone. When in doubt: true.
bool process_runs_since(int64_t process, int64_t time);

}  // namespace personalize
