#include "engine/recipes/hrnn/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

// Three rows of one user with several targets each, one of which he had before: loss and gradients
// by the definition of the softmax, in double precision.
TEST(LaneLoss, SharesARowAmongItsTargetsByTheirWeights) {
  constexpr size_t kItems = 37;
  constexpr size_t kSize = 16;
  const Layout layout({kItems, kSize, 4, 1});
  Random random(5, 1);
  std::vector<float> parameters(layout.size);
  for (float& p : parameters) p = static_cast<float>(0.5 * random.normal());
  std::vector<float> recency(kItems);
  for (float& r : recency) r = static_cast<float>(random.normal());
  std::vector<float> y(3 * kSize);
  for (float& value : y) value = static_cast<float>(0.5 * random.normal());
  const std::vector<ItemIndex> items = {3, 8, 3};
  const std::vector<std::vector<LossTarget>> targets = {
      {{9, 0.5F}}, {{3, 0.25F}, {36, 0.5F}, {0, 0.125F}}, {{8, 1}, {12, 0.25F}}};
  std::vector<LossRow> rows(3);
  for (size_t r = 0; r < 3; ++r) {
    rows[r].item = items[r];
    rows[r].first = r == 0;
    rows[r].targets = targets[r];
    rows[r].recency = recency.data();
  }

  ItemPanels panels(kItems, kSize);
  panels.pack(0, panels.count(), parameters.data() + layout.embedding);
  AlignedFloats scratch(LaneLoss::scratch_floats(layout));
  LaneLoss lane(layout, 1'800);
  std::vector<float> y_gradient(y.size());
  std::vector<float> gradient(layout.size);
  const double loss = lane.run(
      rows, y.data(), parameters.data(), panels, scratch, [] { return false; }, y_gradient.data(),
      gradient.data());

  const std::vector<double> p(parameters.begin(), parameters.end());
  double wanted_loss = 0;
  std::vector<double> wanted_y(y.size());
  std::vector<double> wanted(layout.size);
  for (size_t r = 0; r < 3; ++r) {
    // S: after the first row {3}, after the second {3, 8}, after the third {8, 3 twice}; all in one
    // session. The parameters each item's term is made of, and how often.
    std::vector<std::vector<std::pair<size_t, double>>> own(kItems);
    const auto had = [&](size_t item, size_t bucket, double count) {
      own[item] = {{bucket, 1}, {kRecencyBuckets, std::log(count)}, {kRecencyBuckets + 1, 1}};
    };
    if (r == 0) had(3, 0, 1);
    if (r == 1) had(3, 1, 1), had(8, 0, 1);
    if (r == 2) had(3, 0, 2), had(8, 1, 1);
    std::vector<double> z(kItems);
    double sum = 0;
    for (size_t j = 0; j < kItems; ++j) {
      z[j] = p[layout.bias + j] + p[layout.rho] * recency[j];
      for (size_t d = 0; d < kSize; ++d)
        z[j] += y[r * kSize + d] * p[layout.embedding + j * kSize + d];
      for (const auto& [which, times] : own[j]) z[j] += times * p[layout.own + which];
      sum += std::exp(z[j]);
    }
    double weight = 0;
    for (const LossTarget& target : targets[r]) {
      wanted_loss += target.weight * (std::log(sum) - z[static_cast<size_t>(target.item)]);
      weight += target.weight;
    }
    for (size_t j = 0; j < kItems; ++j) {
      double g = weight * std::exp(z[j]) / sum;
      for (const LossTarget& target : targets[r])
        if (static_cast<size_t>(target.item) == j) g -= target.weight;
      wanted[layout.bias + j] += g;
      wanted[layout.rho] += g * recency[j];
      for (const auto& [which, times] : own[j]) wanted[layout.own + which] += g * times;
      for (size_t d = 0; d < kSize; ++d) {
        wanted[layout.embedding + j * kSize + d] += g * y[r * kSize + d];
        wanted_y[r * kSize + d] += g * p[layout.embedding + j * kSize + d];
      }
    }
  }
  const double tolerance = std::string(panels.softmax().number) == "bf16" ? 0.02 : 1e-5;
  EXPECT_NEAR(loss, wanted_loss, tolerance);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y_gradient[i], wanted_y[i], tolerance) << i;
  for (size_t i = 0; i < layout.size; ++i) EXPECT_NEAR(gradient[i], wanted[i], tolerance) << i;
}

}  // namespace
}  // namespace personalize::hrnn
