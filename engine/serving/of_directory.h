// What a process keeps of its own for a store's directory where it has no file there to share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace personalize {

// The process's one T for `directory`, made at first use and gone with the last who holds it. Any
// thread, also while the process exits.
template <typename T>
std::shared_ptr<T> of_directory(const std::string& directory) {
  // Never destroyed: a thread may still ask when the statics go.
  static auto& mutex = *new std::mutex;
  static auto& all = *new std::map<std::string, std::weak_ptr<T>>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<T> one;
  if (const auto found = all.find(directory); found != all.end()) one = found->second.lock();
  if (one != nullptr) return one;
  std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
  one = std::make_shared<T>();
  all[directory] = one;
  return one;
}

}  // namespace personalize
