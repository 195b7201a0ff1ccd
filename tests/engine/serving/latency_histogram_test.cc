#include "engine/serving/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace personalize {
namespace {

TEST(LatencyHistogram, EachTimeIsInTheBucketWhoseBoundsEncloseIt) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; i++) {
    const auto time = static_cast<int64_t>(random() >> (random() % 40 + 20));
    const size_t bucket = latency_bucket(time);
    ASSERT_LT(bucket, kLatencyBuckets);
    EXPECT_GE(static_cast<double>(time), latency_bucket_start(bucket));
    if (bucket + 1 < kLatencyBuckets) {
      EXPECT_LT(static_cast<double>(time), latency_bucket_start(bucket + 1)) << time;
    }
  }
}

TEST(LatencyHistogram, TimesOutOfBoundsAreInTheFirstAndTheLastBucket) {
  EXPECT_EQ(latency_bucket(-5), 0u);
  EXPECT_EQ(latency_bucket(255), 0u);
  EXPECT_EQ(latency_bucket(256), 1u);
  EXPECT_EQ(latency_bucket(std::numeric_limits<int64_t>::max()), kLatencyBuckets - 1);
}

TEST(LatencyHistogram, QuantilesAreThoseOfTheSortedTimesWithinAQuarterOfAnOctave) {
  std::mt19937_64 random(5);
  std::lognormal_distribution<double> times(std::log(20'000.0), 1.0);
  LatencyCounts counts = {};
  std::vector<double> sorted;
  for (int i = 0; i < 20'000; i++) {
    const auto time = static_cast<int64_t>(times(random));
    counts[latency_bucket(time)]++;
    sorted.push_back(static_cast<double>(time));
  }
  std::sort(sorted.begin(), sorted.end());
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double truth = sorted[static_cast<size_t>(std::ceil(quantile * 20'000)) - 1];
    EXPECT_NEAR(latency_quantile(counts, quantile) / truth, 1, 0.25) << quantile;
  }
  // Where there are many, the place within the bucket tells more.
  EXPECT_NEAR(latency_quantile(counts, 0.5) / sorted[9'999], 1, 0.03);
}

TEST(LatencyHistogram, OfNothingIsZero) { EXPECT_EQ(latency_quantile({}, 0.5), 0); }

TEST(LatencyHistogram, OfOneIsWithinItsBucket) {
  LatencyCounts counts = {};
  counts[latency_bucket(1'000)]++;
  EXPECT_NEAR(latency_quantile(counts, 0.5), 1'000, 125);
  EXPECT_NEAR(latency_quantile(counts, 0.99), 1'000, 125);
}

}  // namespace
}  // namespace personalize
