#include "engine/math/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace personalize {
namespace {

TEST(ParallelBlocks, RunEveryBlockOnceForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 16}) {
    for (const size_t count : {0, 1, 7, 8, 1000}) {
      std::vector<std::atomic<int>> runs(count);
      EXPECT_TRUE(parallel_blocks(
          count, 8, threads, [] { return false; },
          [&](size_t begin, size_t end, size_t worker) {
            EXPECT_LT(worker, static_cast<size_t>(threads));
            EXPECT_LE(end - begin, 8u);
            for (size_t i = begin; i < end; i++) runs[i]++;
          }));
      for (const auto& run : runs) EXPECT_EQ(run, 1);
    }
  }
}

TEST(ParallelBlocks, AskTheCallingThreadWhetherToStop) {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> blocks = 0;
  int asked = 0;
  EXPECT_FALSE(parallel_blocks(
      1'000'000, 1, 2,
      [&] {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        return ++asked == 2;
      },
      [&](size_t, size_t, size_t) {
        blocks++;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }));
  EXPECT_EQ(asked, 2);
  EXPECT_GT(blocks, 0);
  EXPECT_LT(blocks, 1'000'000);
}

TEST(ParallelBlocks, ThrowOnTheCallingThreadWhatAWorkerThrew) {
  std::atomic<int> blocks = 0;
  EXPECT_THROW(parallel_blocks(
                   1'000'000, 1, 2, [] { return false; },
                   [&](size_t begin, size_t, size_t) {
                     blocks++;
                     if (begin == 10) throw std::bad_alloc();
                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                   }),
               std::bad_alloc);
  EXPECT_LT(blocks, 1'000'000);
}

TEST(ParallelBlocks, RunTheOtherWorkOnceOnTheCallingThreadAndThenHelp) {
  const std::thread::id caller = std::this_thread::get_id();
  for (const int threads : {1, 2, 3}) {
    for (const size_t count : {0, 1, 100}) {
      std::vector<std::atomic<int>> runs(count);
      std::atomic<int> beside = 0, by_caller = 0;
      EXPECT_TRUE(parallel_blocks(
          count, 1, threads, [] { return false; },
          [&](size_t begin, size_t, size_t worker) {
            EXPECT_LT(worker, static_cast<size_t>(threads));
            const bool is_caller = std::this_thread::get_id() == caller;
            EXPECT_TRUE(!is_caller || beside == 1);
            // The others leave him something to do.
            if (!is_caller && count == 100)
              while (by_caller == 0) std::this_thread::yield();
            by_caller += is_caller ? 1 : 0;
            runs[begin]++;
          },
          [&] {
            EXPECT_EQ(std::this_thread::get_id(), caller);
            beside++;
          }));
      for (const auto& run : runs) EXPECT_EQ(run, 1);
      EXPECT_EQ(beside, 1);
      EXPECT_TRUE(by_caller > 0 || count < 100);
    }
  }
}

TEST(ParallelBlocks, StopAfterTheOtherWorkWhereItSaysSo) {
  for (const int threads : {1, 2}) {
    std::atomic<bool> enough = false;
    std::atomic<int> blocks = 0;
    EXPECT_FALSE(parallel_blocks(
        1'000'000, 1, threads, [&] { return enough.load(); },
        [&](size_t, size_t, size_t) {
          blocks++;
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        },
        [&] { enough = true; }));
    EXPECT_LT(blocks, 1'000'000);
  }
}

TEST(ParallelBlocks, ThrowWhatTheOtherWorkThrewWhenTheThreadsHaveEnded) {
  std::atomic<int> running = 0;
  EXPECT_THROW(parallel_blocks(
                   1'000'000, 1, 3, [] { return false; },
                   [&](size_t, size_t, size_t) {
                     running++;
                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                     running--;
                   },
                   [] { throw std::bad_alloc(); }),
               std::bad_alloc);
  EXPECT_EQ(running, 0);
}

TEST(ThreadCount, IsBetweenOneAndSixteen) {
  EXPECT_EQ(thread_count(3), 3);
  EXPECT_EQ(thread_count(1000), 16);
  EXPECT_GE(thread_count(0), 1);
}

}  // namespace
}  // namespace personalize
