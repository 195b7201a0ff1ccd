#include "engine/dataset/history_length.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

TEST(PercentileRange, TakesTheCountsAtBothRanks) {
  std::vector<int64_t> counts(100);
  std::iota(counts.rbegin(), counts.rend(), 1);  // 100, 99, ..., 1
  const CountRange all = percentile_range(counts, 0, 1);
  EXPECT_EQ(all.least, 1);
  EXPECT_EQ(all.most, 100);
  const CountRange most = percentile_range(counts, 0.05, 0.95);  // leaves out 5 at each end
  EXPECT_EQ(most.least, 6);
  EXPECT_EQ(most.most, 95);
  EXPECT_EQ(percentile_range(counts, 0, 0.99).most, 99);
}

TEST(PercentileRange, KeepsSmallSetsWholeAndKnowsTheEnds) {
  EXPECT_EQ(percentile_range({7, 3, 5}, 0.005, 0.995).least, 3);
  EXPECT_EQ(percentile_range({7, 3, 5}, 0.005, 0.995).most, 7);
  EXPECT_EQ(percentile_range({7, 3, 5}, 1, 1).least, 7);
  EXPECT_EQ(percentile_range({7, 3, 5}, 0, 0).most, 3);
  EXPECT_EQ(percentile_range({}, 0, 1).most, 0);
}

TEST(UsersWithinPercentiles, LeavesOutUsersWithoutTrainingEvents) {
  VectorSource source;
  for (int user = 0; user < 10; user++)
    for (int i = 0; i <= user; i++) source.add({std::to_string(user), std::to_string(i), i});
  const auto sequences = read_sequences(source, {}, TieOrder::kArrival, 1);
  ASSERT_TRUE(sequences.is_ok());
  TrainingView view = TrainingView::everything(*sequences);
  view.end[0] = view.begin(0);  // lengths 0, 2, 3, ..., 10
  EXPECT_EQ(users_within_percentiles(view, 0, 1),
            (std::vector<uint8_t>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(users_within_percentiles(view, 0.2, 0.9),  // of 9: from number 1 to number 8
            (std::vector<uint8_t>{0, 0, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(users_within_percentiles(view, 0, 0.5),
            (std::vector<uint8_t>{0, 1, 1, 1, 1, 1, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace personalize
