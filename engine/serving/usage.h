// How many questions were answered and refused, and how fast, by the hour, campaign and kind:
// counters in memory that all threads and processes share (the file '<database>.personalize/usage',
// mapped). Counting is one relaxed atomic addition; what was counted survives the death of any
// process. The newest 32,767 rows are kept: 400 days of three kinds asked around the clock.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/serving/latency_histogram.h"

namespace personalize {

// Part of the file's format.
enum class QuestionKind : uint8_t {
  kRecommend,
  kRank,
  kSimilar,
  kScore,
  kExplain,
  kSegment,
  kBatch
};
inline constexpr size_t kQuestionKinds = 7;
std::string_view question_kind_name(QuestionKind kind);  // "recommend"

struct UsageKey {
  uint32_t hour = 0;      // of UTC, since 1970
  uint64_t campaign = 0;  // 0: no campaign's request
  QuestionKind kind = QuestionKind::kRecommend;
  auto operator<=>(const UsageKey&) const = default;
};

struct UsageRow {
  UsageKey key;
  uint64_t served = 0;
  uint64_t throttled = 0;  // denied, or made to wait
  LatencyCounts latencies = {};
};

// One connection's door to the counters. Used by one thread at a time; any number of them may be
// open on a directory, in any number of processes and children of fork().
class UsageCounter {
 public:
  virtual ~UsageCounter() = default;

  // Seconds since 1970.
  using WallClock = int64_t (*)();
  static int64_t wall_clock();

  // The counter of `directory`, whose file is made with the mode of `like_file`. Never fails: where
  // the file cannot be made, read or written, questions are counted in this process alone.
  static std::shared_ptr<UsageCounter> open(const std::string& directory,
                                            const std::string& like_file,
                                            WallClock wall = wall_clock);

  // Counts a question, `now` being RateLimiter::now(). About 10 ns, but for the first of an hour.
  virtual void count_served(uint64_t campaign, QuestionKind kind, int64_t now,
                            int64_t nanoseconds) = 0;
  virtual void count_throttled(uint64_t campaign, QuestionKind kind, int64_t now) = 0;
};

// What was counted in `directory`, in the order of the keys. Needs no right to write; where there
// is no file, or it is none of these, what this process has counted alone.
std::vector<UsageRow> read_usage(const std::string& directory);

}  // namespace personalize
