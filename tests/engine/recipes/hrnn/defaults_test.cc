#include "engine/recipes/hrnn/defaults.h"

#include <gtest/gtest.h>

namespace personalize::hrnn {
namespace {

TEST(Defaults, GiveManyEventsALargerState) {
  EXPECT_EQ(defaults_for(987'000, 6'040).hidden, 256U);  // MovieLens 1M
  EXPECT_EQ(defaults_for(987'000, 6'040).epochs, 5U);
  EXPECT_EQ(defaults_for(388'000, 4'300).hidden, 128U);  // Online Retail
  EXPECT_EQ(defaults_for(388'000, 4'300).epochs, 5U);
}

TEST(Defaults, GiveFewEventsMoreEpochsWhereHistoriesAreLong) {
  EXPECT_EQ(defaults_for(98'000, 943).epochs, 10U);    // MovieLens 100K
  EXPECT_EQ(defaults_for(80'000, 16'554).epochs, 6U);  // MovieTweetings
  EXPECT_EQ(defaults_for(0, 0).hidden, 128U);
}

}  // namespace
}  // namespace personalize::hrnn
