#include "engine/math/thread_team.h"

#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <numeric>

namespace personalize {
namespace {

TEST(ThreadTeam, RunsEveryTaskOnceHoweverManyThreadsThereAre) {
  for (const int threads : {0, 1, 2, 5}) {
    ThreadTeam team(threads);
    EXPECT_EQ(team.size(), std::max(1, threads));
    for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, size_t{100}})
      for (int round = 0; round < 20; ++round) {
        std::vector<int> runs(count);
        EXPECT_TRUE(team.run(count, [&](size_t i) { ++runs[i]; }));
        EXPECT_EQ(std::accumulate(runs.begin(), runs.end(), size_t{0}), count);
        for (const int times : runs) EXPECT_EQ(times, 1);
      }
  }
}

TEST(ThreadTeam, PollsOnTheCallingThreadWhileItWaits) {
  ThreadTeam team(2);
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> polled = false;
  // Two tasks, so each thread has one; the caller's ends at once, the other waits for the poll.
  EXPECT_TRUE(team.run(
      2,
      [&](size_t) {
        while (std::this_thread::get_id() != caller && !polled) std::this_thread::yield();
        // The caller must not take the second task too.
        if (std::this_thread::get_id() == caller)
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
      },
      [&] {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        polled = true;
      }));
}

TEST(ThreadTeam, TellsThatATaskFoundNoMemoryAndGoesOnAfterwards) {
  for (const int threads : {1, 3}) {
    ThreadTeam team(threads);
    EXPECT_FALSE(team.run(5, [](size_t i) {
      if (i == 3) throw std::bad_alloc();
    }));
    EXPECT_TRUE(team.run(5, [](size_t) {}));
  }
}

}  // namespace
}  // namespace personalize
