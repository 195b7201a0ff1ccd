#include "engine/math/finite.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace personalize {
namespace {

TEST(Finite, FindsOneBadNumberWhereverItStands) {
  using Limits = std::numeric_limits<float>;
  const std::vector<float> sound = {0, 1, Limits::max(), Limits::denorm_min(), Limits::min(), 2,
                                    3, 4};
  EXPECT_TRUE(all_finite(sound));
  EXPECT_TRUE(all_finite_and_positive(sound));
  EXPECT_TRUE(all_finite({}));
  for (size_t i = 0; i < sound.size(); ++i) {
    for (const float bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                            -Limits::quiet_NaN(), Limits::signaling_NaN()}) {
      std::vector<float> damaged = sound;
      damaged[i] = bad;
      EXPECT_FALSE(all_finite(damaged));
      EXPECT_FALSE(all_finite_and_positive(damaged));
    }
    std::vector<float> negative = sound;
    negative[i] = -1;
    EXPECT_TRUE(all_finite(negative));
    EXPECT_FALSE(all_finite_and_positive(negative));
  }
}

TEST(Finite, FindsAnIndexOutside) {
  EXPECT_TRUE(all_below(std::vector<int32_t>{0, 4, 2}, 5));
  EXPECT_FALSE(all_below(std::vector<int32_t>{0, 5, 2}, 5));
  EXPECT_FALSE(all_below(std::vector<int32_t>{0, -1, 2}, 5));
  EXPECT_FALSE(all_below(std::vector<int32_t>{0}, 0));
  EXPECT_TRUE(all_below({}, 0));
}

}  // namespace
}  // namespace personalize
