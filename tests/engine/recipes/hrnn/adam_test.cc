#include "engine/recipes/hrnn/adam.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

TEST(Schedule, WarmsUpOverATwentiethThenFallsAlongHalfACosine) {
  EXPECT_DOUBLE_EQ(schedule(0), 0);
  EXPECT_DOUBLE_EQ(schedule(0.01), 0.2);
  EXPECT_DOUBLE_EQ(schedule(0.025), 0.5);
  EXPECT_DOUBLE_EQ(schedule(0.05), 1);
  EXPECT_NEAR(schedule(0.05 + 0.95 / 3), 0.75, 1e-12);  // cos 60 degrees
  EXPECT_NEAR(schedule(0.525), 0.5, 1e-12);             // halfway down
  EXPECT_NEAR(schedule(0.05 + 0.95 * 2 / 3), 0.25, 1e-12);
  EXPECT_NEAR(schedule(1), 0, 1e-12);
}

// Parameters from 0.1 up, and groups of lanes with gradients given by the test.
class AdamTest : public testing::Test {
 protected:
  explicit AdamTest(size_t groups = 3)
      : layout_({70, 20, 9, 5}), network_(layout_), adam_(layout_), team_(2), room_(groups) {
    for (size_t i = 0; i < layout_.size; ++i)
      network_.parameters[i] = 0.1F + 0.001F * static_cast<float>(i % 97);
    for (AlignedFloats& gradient : room_) {
      gradient = AlignedFloats(layout_.size);
      gradients_.push_back(&gradient);
    }
  }

  bool step(double rate) {
    return adam_.step(rate, gradients_, network_, team_, [] {});
  }

  const Layout layout_;
  Network network_;
  Adam adam_;
  ThreadTeam team_;
  std::vector<AlignedFloats> room_;
  std::vector<AlignedFloats*> gradients_;
};

TEST_F(AdamTest, MovesByTheRateAtFirstWhateverTheGradientsSize) {
  // At the first step both moments are the gradient's own: m / sqrt(v) is its sign. The gradient
  // has norm 0.005, so it is not clipped.
  room_[0][layout_.input] = 0.001F;
  room_[1][layout_.input] = 0.002F;
  room_[2][layout_.input + 1] = -0.004F;
  room_[1][layout_.own + 2] = 1e-4F;
  const float before[] = {network_.parameters[layout_.input],
                          network_.parameters[layout_.input + 1],
                          network_.parameters[layout_.own + 2]};
  ASSERT_TRUE(step(0.01));
  EXPECT_NEAR(network_.parameters[layout_.input], before[0] - 0.01, 1e-7);
  EXPECT_NEAR(network_.parameters[layout_.input + 1], before[1] + 0.01, 1e-7);
  // The own-history term learns five times as fast.
  EXPECT_NEAR(network_.parameters[layout_.own + 2], before[2] - 0.05, 5e-6);
  // What has no gradient stays where it is, and the gradients are used up.
  EXPECT_EQ(network_.parameters[layout_.bias],
            0.1F + 0.001F * static_cast<float>(layout_.bias % 97));
  for (const AlignedFloats& gradient : room_)
    for (const float x : gradient.span()) EXPECT_EQ(x, 0);
}

TEST_F(AdamTest, ClipsToANormOfOneBeforeItRemembers) {
  // First 3 and 4 in two places: norm 5, clipped to 0.6 and 0.8. Then 0.1 and 0: not clipped.
  //   m: 0.06, then 0.9 * 0.06 + 0.1 * 0.1 = 0.064; over 1 - 0.9^2 = 0.19: 0.3368421
  //   v: 0.00036, then 0.999 * 0.00036 + 0.001 * 0.01 = 0.00036964; over 1 - 0.999^2 = 0.001999:
  //      0.18491246, its root 0.43001449
  //   moved by 0.02 * 0.3368421 / 0.43001449 = 0.01566655; in the other place
  //   m = 0.072 / 0.19 = 0.3789474, v = 0.999 * 0.00064 / 0.001999 = 0.31983992, its root
  //   0.5655439: by 0.02 * 0.3789474 / 0.5655439 = 0.01340117
  const size_t a = layout_.embedding + 3;
  const size_t b = layout_.recurrent + 5;
  room_[0][a] = 1;
  room_[2][a] = 2;
  room_[1][b] = 4;
  ASSERT_TRUE(step(0.01));
  const float before_a = network_.parameters[a];
  const float before_b = network_.parameters[b];
  room_[1][a] = 0.1F;
  ASSERT_TRUE(step(0.02));
  EXPECT_NEAR(before_a - network_.parameters[a], 0.01566655, 1e-7);
  EXPECT_NEAR(before_b - network_.parameters[b], 0.01340117, 1e-7);
}

TEST_F(AdamTest, FollowsItsFormulaInDoublePrecisionForAllParameters) {
  Random random(7, 0);
  const size_t size = layout_.size;
  std::vector<double> p(network_.parameters.data(), network_.parameters.data() + size);
  std::vector<double> m(size);
  std::vector<double> v(size);
  const size_t after_embedding = layout_.shape.items * layout_.shape.embedding;
  for (int t = 1; t <= 5; ++t) {
    const double rate = 0.01 * t;
    for (AlignedFloats& gradient : room_)
      for (float& x : gradient.span()) x = static_cast<float>(0.02 * t * random.normal());
    // No parameter lies between E and b.
    for (AlignedFloats& gradient : room_)
      std::fill(gradient.data() + after_embedding, gradient.data() + layout_.bias, 0.0F);
    // The groups' gradients are added in floats, in their order; all else is exact here.
    std::vector<double> g(size);
    for (size_t i = 0; i < size; ++i) g[i] = room_[0][i] + room_[1][i] + room_[2][i];
    double norm = 0;
    for (const double x : g) norm += x * x;
    norm = std::sqrt(norm);
    EXPECT_GT(norm, 1);
    for (size_t i = 0; i < size; ++i) {
      g[i] /= norm;
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      p[i] -= rate * (i >= layout_.own ? 5 : 1) * m[i] / (1 - std::pow(0.9, t)) /
              (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    ASSERT_TRUE(step(rate));
  }
  for (size_t i = 0; i < size; ++i) ASSERT_NEAR(network_.parameters[i], p[i], 2e-6) << i;
}

TEST_F(AdamTest, LearnsNothingFromAGradientThatIsNoNumber) {
  const std::vector<float> before(network_.parameters.data(),
                                  network_.parameters.data() + layout_.size);
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (AlignedFloats& gradient : room_) std::fill_n(gradient.data(), layout_.size, 0.5F);
    room_[1][layout_.output + 4] = wrong;
    EXPECT_FALSE(step(0.01));
    for (size_t i = 0; i < layout_.size; ++i) ASSERT_EQ(network_.parameters[i], before[i]);
  }
}

TEST_F(AdamTest, MovesTheSameWhateverTheNumberOfThreads) {
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 7}) {
    Network network(layout_);
    Adam adam(layout_);
    ThreadTeam team(threads);
    Random random(7, 0);
    for (int t = 0; t < 3; ++t) {
      for (AlignedFloats& gradient : room_)
        for (float& x : gradient.span()) x = static_cast<float>(random.normal());
      ASSERT_TRUE(adam.step(0.01, gradients_, network, team, [] {}));
    }
    const std::vector<float> made(network.parameters.data(),
                                  network.parameters.data() + layout_.size);
    if (first.empty()) first = made;
    EXPECT_EQ(made, first) << threads;
  }
}

}  // namespace
}  // namespace personalize::hrnn
