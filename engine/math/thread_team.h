// The threads of one job. A guest in somebody's process starts its own and joins them before it
// returns; between the phases of the job they sleep, so that a busy machine is not made busier.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace personalize {

class ThreadTeam {
 public:
  // A team of `threads` threads, the constructing one among them: threads - 1 are started, or fewer
  // if the system refuses. Everything below is called by that one thread.
  explicit ThreadTeam(int threads);
  // Joins all threads.
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls task(i) once for each i < count, spread over the team, and returns when all have ended.
  // While it waits for the others it calls `poll` (if given) at least every 20 ms, on the calling
  // thread. What a task computes must not depend on the thread it runs on. Returns false if a task
  // threw std::bad_alloc; no other exception may leave a task.
  bool run(size_t count, const std::function<void(size_t)>& task,
           const std::function<void()>& poll = {});

 private:
  void work();
  void take_tasks(const std::function<void(size_t)>& task, size_t count);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  // Guarded by mutex_.
  const std::function<void(size_t)>* task_ = nullptr;
  size_t count_ = 0;
  uint64_t round_ = 0;
  size_t running_ = 0;
  bool ending_ = false;

  std::atomic<size_t> next_ = 0;
  std::atomic<bool> out_of_memory_ = false;
};

}  // namespace personalize
