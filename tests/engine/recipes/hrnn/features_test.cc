#include "engine/recipes/hrnn/features.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/testing/random_sequences.h"

namespace personalize::hrnn {
namespace {

TEST(Features, TellGapsAndValues) {
  const std::vector<float> columns = {1, 2.5F, 4};
  const auto bits = [](std::initializer_list<int> set) {
    uint32_t result = 0;
    for (const int bit : set) result |= 1U << bit;
    return result;
  };
  EXPECT_EQ(event_features(true, 0, 2.5F, columns).set, bits({1, 6}));
  EXPECT_EQ(event_features(false, 0, kNoValue, columns).set, bits({2}));
  EXPECT_EQ(event_features(false, 1'800, 3, columns).set, bits({}));
  EXPECT_EQ(event_features(false, 1'801, 4, columns).set, bits({3, 7}));
  EXPECT_EQ(event_features(false, 86'401, 1, columns).set, bits({3, 4, 5}));
  EXPECT_EQ(event_features(false, -5, 1, {}).set, bits({2}));  // a clock that ran backwards
  EXPECT_NEAR(event_features(false, 100, 1, {}).log_gap, std::log(101.0) / 10, 1e-6);
}

TEST(Features, TakeValuesAsColumnsOnlyIfThereAreTwoToTen) {
  Sequences all = random_sequences(20, 5, 10, 1);
  const TrainingView view = TrainingView::everything(all);
  EXPECT_EQ(value_columns(view), (std::vector<float>{1, 2, 3, 4, 5}));
  all.value.assign(all.value.size(), 3);
  EXPECT_TRUE(value_columns(view).empty());
  all.value.assign(all.value.size(), kNoValue);
  EXPECT_TRUE(value_columns(view).empty());
  for (size_t i = 0; i < all.value.size(); ++i) all.value[i] = static_cast<float>(i % 11);
  EXPECT_TRUE(value_columns(view).empty());
}

TEST(RecencyTable, CountsEventsBeforeItsBucketHalvedEveryThirtyDays) {
  const Sequences all = random_sequences(40, 6, 20, 3);
  const TrainingView view = TrainingView::everything(all);
  const RecencyTable table = recency_table(view);
  ASSERT_GT(table.starts.size(), 30U);
  ASSERT_EQ(table.rows.size(), table.starts.size() * 6);
  for (const size_t bucket : {size_t{0}, size_t{7}, table.starts.size() - 1}) {
    std::vector<double> logarithm(6);
    double mean = 0;
    for (ItemIndex j = 0; j < 6; ++j) {
      double count = 0;
      for (size_t e = 0; e < all.event_count(); ++e)
        if (all.item[e] == j && all.timestamp[e] < table.starts[bucket])
          count += std::exp2(static_cast<double>(all.timestamp[e] - table.starts[bucket]) /
                             (30 * 86'400.0));
      logarithm[static_cast<size_t>(j)] = std::log(count + 0.1);
      mean += logarithm[static_cast<size_t>(j)] / 6;
    }
    for (size_t j = 0; j < 6; ++j)
      EXPECT_NEAR(table.rows[bucket * 6 + j], logarithm[j] - mean, 1e-4);
  }
  EXPECT_EQ(recency_bucket_of(table.starts, table.starts[3]), 3U);
  EXPECT_EQ(recency_bucket_of(table.starts, table.starts[3] - 1), 2U);
  EXPECT_EQ(recency_bucket_of(table.starts, 0), 0U);
  EXPECT_EQ(recency_bucket_of(table.starts, int64_t{1} << 60), table.starts.size() - 1);
}

}  // namespace
}  // namespace personalize::hrnn
