#include "engine/math/finite.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace personalize {
namespace {

TEST(Finite, FindsOneBadNumberWhereverItStands) {
  using Limits = std::numeric_limits<float>;
  // More than are looked at in one step, and some over.
  std::vector<float> sound(150, 3);
  for (size_t i = 0; i + 4 < sound.size(); i += 11) {
    sound[i] = 0;
    sound[i + 1] = Limits::max();
    sound[i + 2] = Limits::denorm_min();
    sound[i + 3] = Limits::min();
  }
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
  std::vector<int32_t> many(150, std::numeric_limits<int32_t>::max());
  EXPECT_TRUE(all_below(many, size_t{1} << 31));
  EXPECT_TRUE(all_below(many, size_t{1} << 40));
  for (size_t i = 0; i < many.size(); ++i) {
    many[i] = -1;
    EXPECT_FALSE(all_below(many, size_t{1} << 40));
    many[i] = 7;
  }
  EXPECT_TRUE(all_below(many, 8));
  EXPECT_FALSE(all_below(many, 7));
}

}  // namespace
}  // namespace personalize
