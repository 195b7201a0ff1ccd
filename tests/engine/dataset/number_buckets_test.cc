#include "engine/dataset/number_buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace personalize {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Each once.
std::vector<NumberBucket> buckets_of(const std::vector<double>& numbers) {
  std::vector<CountedNumber> counted;
  for (const double number : numbers) counted.push_back({number, 1});
  return number_buckets(std::move(counted));
}

TEST(NumberBuckets, AreTheDistinctNumbersWhereTheseAreFew) {
  EXPECT_EQ(buckets_of({3, 1, 3, 2}),
            (std::vector<NumberBucket>{{-kInfinity, 2}, {2, 3}, {3, kInfinity}}));
  EXPECT_EQ(buckets_of({7, 7}), (std::vector<NumberBucket>{{-kInfinity, kInfinity}}));
  EXPECT_TRUE(buckets_of({}).empty());
}

TEST(NumberBuckets, HoldASixteenthAndAQuarterOfManyDifferentNumbersEach) {
  std::mt19937 random(1);
  std::vector<double> numbers(1600);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i) * 1.5;
  std::shuffle(numbers.begin(), numbers.end(), random);
  const std::vector<NumberBucket> buckets = buckets_of(numbers);
  ASSERT_EQ(buckets.size(), 20u);
  for (size_t b = 0; b < buckets.size(); ++b) {
    const auto inside = std::count_if(numbers.begin(), numbers.end(),
                                      [&](double x) { return buckets[b].holds(x); });
    EXPECT_EQ(inside, b < 16 ? 100 : 400) << b;
  }
}

TEST(NumberBuckets, AreTheSameForNumbersThatAreCountedAndForAsManyOfThem) {
  std::mt19937 random(4);
  for (int round = 0; round < 100; ++round) {
    std::vector<CountedNumber> counted;
    std::vector<double> all;
    for (size_t n = random() % 50; n > 0; --n) {
      counted.push_back({static_cast<double>(random() % 40), 1 + random() % 9});
      all.insert(all.end(), counted.back().times, counted.back().number);
    }
    EXPECT_EQ(number_buckets(counted), buckets_of(all));
  }
}

TEST(NumberBuckets, HoldEachNumberOnceALevelAlsoNumbersNeverSeen) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> numbers(1 + random() % 60);
    // Many equal ones: half of them are 0.
    for (double& x : numbers) x = random() % 2 ? 0 : static_cast<double>(random() % 40) - 20;
    const std::vector<NumberBucket> buckets = buckets_of(numbers);
    const size_t coarse_begin = static_cast<size_t>(
        std::find_if(buckets.begin(), buckets.end(),
                     [](const NumberBucket& b) { return b.below == kInfinity; }) -
        buckets.begin() + 1);
    EXPECT_LE(coarse_begin, 16u);
    EXPECT_LE(buckets.size() - coarse_begin, 4u);
    for (double x = -25; x <= 25; x += 0.5) {
      const auto holds = [&](const NumberBucket& b) { return b.holds(x); };
      EXPECT_EQ(
          std::count_if(buckets.begin(), buckets.begin() + static_cast<long>(coarse_begin), holds),
          1);
      EXPECT_LE(
          std::count_if(buckets.begin() + static_cast<long>(coarse_begin), buckets.end(), holds),
          1);
    }
  }
}

}  // namespace
}  // namespace personalize
