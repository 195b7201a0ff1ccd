#include "engine/math/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace personalize {
namespace {

TEST(Random, IsSplitMix64) {
  // The first outputs of SplitMix64 seeded with 1234567, as published with its reference code.
  uint64_t state = 1'234'567;
  for (const uint64_t expected :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U}) {
    EXPECT_EQ(mix64(state), expected);
    state += 0x9E3779B97F4A7C15;
  }
}

TEST(Random, DependsOnSeedStreamAndPlaceAlone) {
  Random drawn(3, 4);
  const Random same(3, 4);
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(drawn.next(), same.at(i));
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 30; ++seed)
    for (uint64_t stream = 0; stream < 30; ++stream) first.insert(Random(seed, stream).at(0));
  EXPECT_EQ(first.size(), 900U);
}

TEST(Random, HasTheMomentsOfItsDistributions) {
  Random random(5, 6);
  double uniform = 0;
  double normal = 0;
  double squares = 0;
  std::vector<int> counts(7);
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    EXPECT_TRUE(u > 0 && u < 1);
    uniform += u / kDraws;
    const double x = random.normal();
    normal += x / kDraws;
    squares += x * x / kDraws;
    ++counts[random.below(7)];
  }
  EXPECT_NEAR(uniform, 0.5, 0.01);
  EXPECT_NEAR(normal, 0, 0.02);
  EXPECT_NEAR(squares, 1, 0.03);
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7, 400);
}

TEST(Random, ShufflesWithoutLosingAnything) {
  std::vector<int> values(100);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int> shuffled = values;
  Random(1, 2).shuffle(std::span(shuffled));
  EXPECT_NE(shuffled, values);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
}

}  // namespace
}  // namespace personalize
