#include "engine/math/thread_team.h"

#include <chrono>
#include <exception>
#include <new>

#include "engine/math/signals_blocked.h"

namespace personalize {

ThreadTeam::ThreadTeam(int threads) {
  if (threads < 2) return;
  threads_.reserve(static_cast<size_t>(threads) - 1);
  const SignalsBlocked blocked;
  try {
    for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::exception&) {
    // The system gives no more threads: fewer do the same work.
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::take_tasks(const std::function<void(size_t)>& task, size_t count) {
  try {
    for (size_t i = next_.fetch_add(1); i < count; i = next_.fetch_add(1)) task(i);
  } catch (const std::bad_alloc&) {
    out_of_memory_ = true;
  }
}

void ThreadTeam::work() {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return ending_ || round_ != seen; });
    if (ending_) return;
    seen = round_;
    const std::function<void(size_t)>& task = *task_;
    const size_t count = count_;
    lock.unlock();
    take_tasks(task, count);
    lock.lock();
    if (--running_ == 0) done_.notify_one();
  }
}

bool ThreadTeam::run(size_t count, const std::function<void(size_t)>& task,
                     const std::function<void()>& poll) {
  out_of_memory_ = false;
  if (threads_.empty() || count < 2) {
    next_ = 0;
    take_tasks(task, count);
    return !out_of_memory_;
  }
  {
    const std::lock_guard lock(mutex_);
    task_ = &task;
    count_ = count;
    next_ = 0;
    running_ = threads_.size();
    ++round_;
  }
  wake_.notify_all();
  take_tasks(task, count);
  std::unique_lock lock(mutex_);
  while (!done_.wait_for(lock, std::chrono::milliseconds(20), [&] { return running_ == 0; })) {
    if (!poll) continue;
    lock.unlock();
    poll();
    lock.lock();
  }
  return !out_of_memory_;
}

}  // namespace personalize
