#include "engine/math/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/math/signals_blocked.h"

namespace personalize {
namespace {

constexpr int kMostThreads = 16;
constexpr auto kAskEvery = std::chrono::milliseconds(20);

// Joins on every way out.
class Joined {
 public:
  ~Joined() {
    for (std::thread& thread : threads_) thread.join();
  }
  template <typename Body>
  bool start(Body body) {
    try {
      threads_.emplace_back(std::move(body));
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

int thread_count(int wanted) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return std::clamp(wanted > 0 ? wanted : cores, 1, kMostThreads);
}

bool parallel_blocks(size_t count, size_t block, int threads, const std::function<bool()>& stop,
                     const std::function<void(size_t, size_t, size_t)>& body,
                     const std::function<void()>& beside) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  std::condition_variable one_ended;
  size_t running = 0;         // under `mutex`, as the next one
  std::exception_ptr thrown;  // the first

  const auto take = [&](size_t worker) {
    const size_t begin = next.fetch_add(block);
    if (begin >= count) return false;
    body(begin, std::min(count, begin + block), worker);
    return true;
  };
  const auto guarded = [&](const auto& act) {
    try {
      act();
    } catch (...) {
      stopped = true;
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  };
  const auto work = [&](size_t worker) {
    guarded([&] {
      while (!stopped && take(worker)) {
      }
    });
    const std::lock_guard lock(mutex);
    running--;
    one_ended.notify_one();
  };
  const auto work_here = [&](size_t worker) {
    for (bool more = true; more && !stopped;) {
      if (stop())
        stopped = true;
      else
        more = take(worker);
    }
  };

  {
    Joined joined;
    const size_t blocks = (count + block - 1) / block;
    const auto others = static_cast<size_t>(std::max(threads, 1)) - (beside ? 1 : 0);
    const size_t workers = std::min(others, blocks);
    bool any = false;
    {
      const SignalsBlocked guard;
      for (size_t worker = 0; worker < workers; worker++) {
        std::unique_lock lock(mutex);
        running++;
        lock.unlock();
        if (joined.start([&work, worker] { work(worker); })) {
          any = true;
          continue;
        }
        lock.lock();
        running--;
        break;
      }
    }
    if (beside) guarded(beside);
    if (beside || !any) guarded([&] { work_here(any ? workers : 0); });
    for (std::unique_lock lock(mutex); running > 0;) {
      one_ended.wait_for(lock, kAskEvery);
      if (stopped || running == 0) continue;
      lock.unlock();
      if (stop()) stopped = true;
      lock.lock();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
  return !stopped;
}

}  // namespace personalize
