#include "engine/recipes/hrnn/lazy_adam.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/math/random.h"
#include "engine/recipes/hrnn/adam.h"

namespace personalize::hrnn {
namespace {

class LazyAdamTest : public testing::Test {
 protected:
  static constexpr size_t kD = 4;

  LazyAdamTest()
      : whole_({100, kD, 3, 5}),
        small_({40, kD, 3, 5}),
        network_(small_),
        parameters_(whole_.size),
        gradient_(small_.size),
        second_gradient_(small_.size),
        adam_(whole_, small_) {
    Random random(1, 0);
    for (float& x : parameters_.span()) x = static_cast<float>(random.normal());
    for (float& x : network_.parameters.span()) x = static_cast<float>(random.normal());
  }

  bool step(double rate, std::span<const ItemIndex> items) {
    return adam_.step(rate, items, gradients_, parameters_, network_, team_, [] {});
  }
  float* row(size_t item) { return parameters_.data() + whole_.embedding + item * kD; }
  float& bias(size_t item) { return parameters_[whole_.bias + item]; }
  float* gradient_row(size_t r) { return gradient_.data() + small_.embedding + r * kD; }

  Layout whole_, small_;
  Network network_;
  AlignedFloats parameters_, gradient_, second_gradient_;
  std::vector<AlignedFloats*> gradients_ = {&gradient_, &second_gradient_};
  ThreadTeam team_{1};
  LazyAdam adam_;
};

TEST_F(LazyAdamTest, MovesTheRowsOfTheCandidatesAsComputedByHand) {
  const std::vector<float> before(parameters_.data(), parameters_.data() + whole_.size);
  const std::vector<ItemIndex> items = {70, 3};
  // Row 0's gradient is (0.3, 0, 0, 0.4) in two parts, its mean square 0.0625, and b's is 0.1.
  gradient_row(0)[0] = 0.1F;
  second_gradient_[small_.embedding] = 0.2F;
  gradient_row(0)[3] = 0.4F;
  gradient_[small_.bias] = 0.1F;
  ASSERT_TRUE(step(0.01, items));
  // After one step the second moment's correction makes it the gradient's own mean square.
  EXPECT_NEAR(row(70)[0], before[whole_.embedding + 70 * kD] - 0.01 * 0.3 / 0.25, 1e-6);
  EXPECT_NEAR(row(70)[3], before[whole_.embedding + 70 * kD + 3] - 0.01 * 0.4 / 0.25, 1e-6);
  EXPECT_NEAR(bias(70), before[whole_.bias + 70] - 0.01, 1e-6);
  for (size_t item = 0; item < 100; ++item) {
    if (item == 70) continue;
    EXPECT_EQ(bias(item), before[whole_.bias + item]);
    for (size_t i = 0; i < kD; ++i)
      EXPECT_EQ(row(item)[i], before[whole_.embedding + item * kD + i]);
  }
  for (const float x : gradient_.span()) EXPECT_EQ(x, 0);
  for (const float x : second_gradient_.span()) EXPECT_EQ(x, 0);

  // Two windows later the row is a candidate again; its moment has faded twice.
  ASSERT_TRUE(step(0.01, std::vector<ItemIndex>{5}));
  const float was = row(70)[0];
  gradient_row(1)[0] = 0.2F;  // mean square 0.01
  ASSERT_TRUE(step(0.01, std::vector<ItemIndex>{4, 70}));
  const double decay = 0.999;
  const double v = decay * decay * (1 - decay) * 0.0625 + (1 - decay) * 0.01;
  const double corrected = v / (1 - decay * decay * decay);
  EXPECT_NEAR(row(70)[0], was - 0.01 * 0.2 / std::sqrt(corrected), 1e-6);
}

TEST_F(LazyAdamTest, MovesAllElseAsAdamDoes) {
  Network other(small_);
  std::copy_n(network_.parameters.data(), small_.size, other.parameters.data());
  AlignedFloats gradient(small_.size);
  std::vector<AlignedFloats*> gradients = {&gradient};
  Adam adam(small_);
  Random random(2, 0);
  std::vector<ItemIndex> items(40);
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<ItemIndex>(2 * i);
  for (int round = 0; round < 3; ++round) {
    // Large enough to be clipped.
    const auto fill = [&](size_t begin, size_t count) {
      for (size_t i = begin; i < begin + count; ++i)
        gradient[i] = gradient_[i] = static_cast<float>(random.normal());
    };
    fill(small_.embedding, 40 * kD);
    fill(small_.bias, 40);
    fill(small_.input, kD * 9);
    fill(small_.own, kOwnHistoryParameters);
    ASSERT_TRUE(adam.step(0.02, gradients, other, team_, [] {}));
    ASSERT_TRUE(step(0.02, items));
  }
  for (size_t i = small_.feature; i < small_.size; ++i)
    EXPECT_NEAR(network_.parameters[i], other.parameters[i], 1e-6) << i - small_.feature;
}

TEST_F(LazyAdamTest, LearnsNothingFromAGradientThatIsNotFinite) {
  const std::vector<float> before(parameters_.data(), parameters_.data() + whole_.size);
  const std::vector<ItemIndex> items = {70, 3};
  gradient_row(0)[1] = 0.5F;
  gradient_[small_.input] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(step(0.01, items));
  EXPECT_TRUE(std::equal(before.begin(), before.end(), parameters_.data()));
}

}  // namespace
}  // namespace personalize::hrnn
