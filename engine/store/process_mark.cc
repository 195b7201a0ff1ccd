#include "engine/store/process_mark.h"

#include <pthread.h>

#include <atomic>

namespace personalize {
namespace {

std::atomic<uint64_t> forks = 0;

}  // namespace

uint64_t process_mark() {
  // In the child only one thread runs, and it counts before fork() returns to it.
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
  return forks.load(std::memory_order_relaxed);
}

}  // namespace personalize
