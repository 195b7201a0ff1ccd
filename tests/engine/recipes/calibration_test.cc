#include "engine/recipes/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr size_t kItems = 40;

bool never() { return false; }

// Dense scores, sparse terms and targets drawn from the softmax that `truth` makes of them.
struct Drawn {
  std::vector<std::vector<float>> base;
  std::vector<CalibrationCase> cases;
};

std::vector<double> scores_of(const CalibrationCase& one, const CalibrationWeights& weights) {
  std::vector<double> z(kItems);
  for (size_t j = 0; j < kItems; ++j) z[j] = static_cast<double>(weights.a) * one.base[j];
  for (size_t i = 0; i < one.markov_items.size(); ++i)
    z[static_cast<size_t>(one.markov_items[i])] +=
        static_cast<double>(weights.w) * one.markov_terms[i];
  for (const OwnItem& own : one.own)
    z[static_cast<size_t>(own.item)] +=
        own_history_term(weights.own, own, one.last_place, one.session_start);
  return z;
}

double gain_of(std::span<const CalibrationCase> cases, const CalibrationWeights& weights) {
  double gain = 0;
  for (const CalibrationCase& one : cases) {
    std::vector<double> z = scores_of(one, weights);
    const double wanted = z[static_cast<size_t>(one.target)];
    std::sort(z.begin(), z.end());
    const auto ahead = z.end() - std::lower_bound(z.begin(), z.end(), wanted);
    gain += 1 / std::log2(1.0 + static_cast<double>(ahead));
  }
  return gain / static_cast<double>(cases.size());
}

double loss_of(std::span<const CalibrationCase> cases, const CalibrationWeights& weights) {
  double loss = 0;
  for (const CalibrationCase& one : cases) {
    const std::vector<double> z = scores_of(one, weights);
    double sum = 0;
    for (const double x : z) sum += std::exp(x);
    loss += std::log(sum) - z[static_cast<size_t>(one.target)];
  }
  double squares = static_cast<double>(weights.a) * weights.a + weights.w * weights.w;
  for (const float x : weights.own.recency) squares += static_cast<double>(x) * x;
  squares += weights.own.count_weight * weights.own.count_weight +
             weights.own.session_weight * weights.own.session_weight;
  return loss + 1e-4 * static_cast<double>(cases.size()) * squares;
}

Drawn draw(size_t count, const CalibrationWeights& truth, uint64_t seed) {
  Drawn drawn;
  drawn.base.resize(count);
  Random random(seed, 0);
  for (size_t c = 0; c < count; ++c) {
    for (size_t j = 0; j < kItems; ++j)
      drawn.base[c].push_back(static_cast<float>(random.normal()));
    CalibrationCase one;
    one.base = drawn.base[c];
    one.last_place = 200;
    one.session_start = 190;
    for (ItemIndex j = 0; j < static_cast<ItemIndex>(kItems); ++j) {
      if (random.below(3) == 0) {
        one.markov_items.push_back(j);
        one.markov_terms.push_back(static_cast<float>(random.uniform() * 4));
      }
      if (random.below(3) == 0)
        one.own.push_back({j, 200 - static_cast<int32_t>(random.below(1 + random.below(200))),
                           1 + static_cast<int32_t>(random.below(4))});
    }
    const std::vector<double> z = scores_of(one, truth);
    double sum = 0;
    for (const double x : z) sum += std::exp(x);
    double left = random.uniform() * sum;
    one.target = 0;
    while (one.target + 1 < static_cast<ItemIndex>(kItems) &&
           (left -= std::exp(z[static_cast<size_t>(one.target)])) > 0)
      ++one.target;
    drawn.cases.push_back(one);
  }
  return drawn;
}

TEST(Calibration, FindsTheWeightsThatTheTargetsWereDrawnFrom) {
  CalibrationWeights truth{.a = 0.8F, .w = 0.4F, .own = {}};
  truth.own.recency = {3, 2, 1, 0.5F, 1, 1, 0.5F, 0};
  truth.own.count_weight = 0.5F;
  truth.own.session_weight = -1;
  const Drawn drawn = draw(4'000, truth, 7);
  const auto fitted = calibrate(drawn.cases, {}, true, never);
  ASSERT_TRUE(fitted.is_ok());
  EXPECT_NEAR(fitted->a, truth.a, 0.06);
  EXPECT_NEAR(fitted->w, truth.w, 0.06);
  // The newest bucket is always of the running session: only the sum of the two is determined well.
  EXPECT_NEAR(fitted->own.recency[0] + fitted->own.session_weight, 2, 0.3);
  EXPECT_NEAR(fitted->own.recency[6], truth.own.recency[6], 0.25);
  EXPECT_NEAR(fitted->own.count_weight, truth.own.count_weight, 0.15);
}

TEST(Calibration, EndsWhereNoWeightCanBeMovedForTheBetter) {
  CalibrationWeights truth{.a = 0.8F, .w = 0.4F, .own = {}};
  truth.own.recency.fill(-1);
  const Drawn drawn = draw(300, truth, 8);
  for (const bool own : {false, true}) {
    const auto fitted = calibrate(drawn.cases, {.a = 3, .w = -1, .own = {}}, own, never);
    ASSERT_TRUE(fitted.is_ok());
    const double best = loss_of(drawn.cases, *fitted);
    if (!own) {
      EXPECT_EQ(fitted->own.recency, OwnHistoryWeights{}.recency);
    }
    for (const float change : {-0.01F, 0.01F}) {
      CalibrationWeights moved = *fitted;
      moved.a += change;
      EXPECT_GT(loss_of(drawn.cases, moved), best);
      moved = *fitted;
      moved.w += change;
      EXPECT_GT(loss_of(drawn.cases, moved), best);
      if (!own) continue;
      moved = *fitted;
      moved.own.recency[7] += change * 5;
      EXPECT_GT(loss_of(drawn.cases, moved), best);
      moved = *fitted;
      moved.own.session_weight += change * 5;
      EXPECT_GT(loss_of(drawn.cases, moved), best);
    }
  }
}

TEST(Calibration, TellsWhatListsGainFromWeights) {
  CalibrationWeights weights{.a = 0.8F, .w = 0.4F, .own = {}};
  weights.own.recency.fill(0.3F);
  const Drawn drawn = draw(200, weights, 9);
  for (const float a : {0.8F, 0.1F, 0.0F}) {
    weights.a = a;
    EXPECT_NEAR(*ranking_gain(drawn.cases, weights, never), gain_of(drawn.cases, weights), 2e-3);
  }
  EXPECT_EQ(*ranking_gain({}, weights, never), 0);
  EXPECT_FALSE(ranking_gain(drawn.cases, weights, [] { return true; }).is_ok());
}

TEST(Calibration, StopsWhenTold) {
  const Drawn drawn = draw(10, {}, 9);
  const auto fitted = calibrate(drawn.cases, {}, true, [] { return true; });
  ASSERT_FALSE(fitted.is_ok());
  EXPECT_EQ(fitted.status().code(), StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
