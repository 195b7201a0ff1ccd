// What a process keeps of its own for a store's directory where it has no file there to share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace personalize {

// The process's one T for `directory`, made at first use and gone with the last who holds it. Any
// thread.
template <typename T>
std::shared_ptr<T> of_directory(const std::string& directory) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<T>> all;
  const std::lock_guard lock(mutex);
  std::shared_ptr<T> one = all[directory].lock();
  if (one == nullptr) all[directory] = one = std::make_shared<T>();
  return one;
}

}  // namespace personalize
