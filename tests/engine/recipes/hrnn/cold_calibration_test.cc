#include "engine/recipes/hrnn/cold_calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

constexpr size_t kItems = 60;
constexpr size_t kD = 6;
const auto kNeverStop = [] { return false; };

// Items whose rows are predicted too small by a factor, and targets drawn from their true scores.
struct World {
  LeftOut left_out;
  std::vector<float> scores, outputs;
  std::vector<ColdCase> cases;
  float a = 0.8F;

  World(size_t count, double shrink, double level, double noise, uint64_t seed) {
    Random random(seed, 1);
    std::vector<double> rows;
    for (size_t i = 0; i < kItems; ++i) {
      left_out.items.push_back(static_cast<ItemIndex>((i * 7) % kItems));
      left_out.fold.push_back(static_cast<uint8_t>(i % LeftOut::kFolds));
    }
    for (size_t i = 0; i < kItems * kD; ++i) rows.push_back(random.normal());
    for (const ItemIndex item : left_out.items) {
      for (size_t k = 0; k < kD; ++k)
        left_out.embedding.push_back(static_cast<float>(
            shrink * rows[static_cast<size_t>(item) * kD + k] + noise * random.normal()));
      left_out.bias.push_back(static_cast<float>(noise * random.normal()));
    }
    scores.resize(count * kItems);
    outputs.resize(count * kD);
    for (size_t q = 0; q < count; ++q) {
      double normaliser = 0;
      for (size_t k = 0; k < kD; ++k) outputs[q * kD + k] = static_cast<float>(random.normal());
      for (size_t i = 0; i < kItems; ++i) {
        double z = level;
        for (size_t k = 0; k < kD; ++k) z += a * outputs[q * kD + k] * rows[i * kD + k];
        scores[q * kItems + i] = static_cast<float>(z);
        normaliser += std::exp(z);
      }
      double left = random.uniform() * normaliser;
      ItemIndex target = 0;
      while (target + 1 < static_cast<ItemIndex>(kItems) &&
             (left -= std::exp(scores[q * kItems + static_cast<size_t>(target)])) > 0)
        ++target;
      cases.push_back({target, {}, {}});
    }
    for (size_t q = 0; q < count; ++q) {
      cases[q].scores = std::span(scores).subspan(q * kItems, kItems);
      cases[q].y = std::span(outputs).subspan(q * kD, kD);
    }
  }

  // Of item left_out.items[i] in case q.
  double cold(size_t q, size_t i) const {
    double c = left_out.bias[i];
    for (size_t k = 0; k < kD; ++k) c += outputs[q * kD + k] * left_out.embedding[i * kD + k];
    return a * c;
  }

  // By the definition: every fold's softmax written out.
  double likelihood(double alpha, double beta) const {
    double sum = 0;
    for (size_t q = 0; q < cases.size(); ++q) {
      double mean = 0;
      std::vector<double> cold_scores;
      for (size_t i = 0; i < kItems; ++i) {
        cold_scores.push_back(cold(q, i));
        mean += cold_scores.back() / kItems;
      }
      std::vector<double> exponential(cases[q].scores.begin(), cases[q].scores.end());
      for (size_t f = 0; f < LeftOut::kFolds; ++f) {
        std::vector<double> z(cases[q].scores.begin(), cases[q].scores.end());
        for (size_t i = 0; i < kItems; ++i)
          if (left_out.fold[i] == f)
            z[static_cast<size_t>(left_out.items[i])] =
                mean + alpha * (cold_scores[i] - mean) + beta;
        double normaliser = 0;
        for (const double x : z) normaliser += std::exp(x);
        sum += z[static_cast<size_t>(cases[q].target)] - std::log(normaliser);
      }
    }
    return sum / static_cast<double>(cases.size() * LeftOut::kFolds);
  }

  // NDCG@10 that known targets lose to a fold of new items, by two sorted lists a question.
  double lost(double alpha, double beta) const {
    double sum = 0;
    for (size_t q = 0; q < cases.size(); ++q) {
      double mean = 0;
      for (size_t i = 0; i < kItems; ++i) mean += cold(q, i) / kItems;
      double of_case = 0;
      int folds = 0;
      for (size_t f = 0; f < LeftOut::kFolds; ++f) {
        std::vector<std::pair<double, bool>> known,
            with_new;  // (-score, is another than the target)
        bool is_new = false;
        for (size_t i = 0; i < kItems; ++i) {
          const ItemIndex item = left_out.items[i];
          const double score = cases[q].scores[static_cast<size_t>(item)];
          const bool other = item != cases[q].target;
          if (left_out.fold[i] != f) {
            known.emplace_back(-score, other);
            with_new.emplace_back(-score, other);
          } else {
            is_new |= !other;
            with_new.emplace_back(-(mean + alpha * (cold(q, i) - mean) + beta), other);
          }
        }
        if (is_new) continue;
        ++folds;
        of_case += gain(known) - gain(with_new);
      }
      sum += of_case / folds;
    }
    return sum / static_cast<double>(cases.size());
  }

  static double gain(std::vector<std::pair<double, bool>> list) {
    std::sort(list.begin(), list.end());
    for (size_t place = 0; place < 10; ++place)
      if (!list[place].second) return 1 / std::log2(2 + static_cast<double>(place));
    return 0;
  }
};

void expect_best_of_a_grid(const World& world) {
  const auto weights = calibrate_cold(world.cases, world.left_out, world.a, kNeverStop);
  ASSERT_TRUE(weights.is_ok());
  const double reached = world.likelihood(weights->alpha, weights->beta);
  for (double alpha = kLeastAlpha; alpha <= kMostAlpha; alpha += 0.25)
    for (double beta = -kMostBeta; beta <= kMostBeta; beta += 0.25)
      ASSERT_GE(reached, world.likelihood(alpha, beta) - 1e-5) << alpha << " " << beta;
}

TEST(ColdCalibration, FindsTheBestOfAGrid) { expect_best_of_a_grid(World(80, 0.5, 0, 0.1, 1)); }

TEST(ColdCalibration, StaysWithinItsBoundsAndIsBestThere) {
  const World world(60, 0.1, 8, 0.02, 2);  // alpha would be 10, beta 8
  const auto weights = calibrate_cold(world.cases, world.left_out, world.a, kNeverStop);
  ASSERT_TRUE(weights.is_ok());
  EXPECT_EQ(weights->alpha, kMostAlpha);
  EXPECT_EQ(weights->beta, kMostBeta);
  expect_best_of_a_grid(world);
}

TEST(ColdCalibration, UndoesShrinkageAndADifferentLevel) {
  const World world(400, 0.5, 1, 0, 3);
  const auto weights = calibrate_cold(world.cases, world.left_out, world.a, kNeverStop);
  ASSERT_TRUE(weights.is_ok());
  EXPECT_NEAR(weights->alpha, 2, 0.3);
  EXPECT_NEAR(weights->beta, 1, 0.3);
  EXPECT_LT(weights->noise, 0.2);
}

TEST(ColdCalibration, TellsHowFarItemsLieFromTheirPrediction) {
  const World world(50, 0.5, 0, 0.5, 4);
  const auto weights = calibrate_cold(world.cases, world.left_out, world.a, kNeverStop);
  ASSERT_TRUE(weights.is_ok());
  std::vector<double> mean(kItems);
  for (size_t q = 0; q < 50; ++q) {
    double middle = 0;
    for (size_t i = 0; i < kItems; ++i) middle += world.cold(q, i) / kItems;
    for (size_t i = 0; i < kItems; ++i)
      mean[i] += (world.cases[q].scores[static_cast<size_t>(world.left_out.items[i])] -
                  (middle + weights->alpha * (world.cold(q, i) - middle) + weights->beta)) /
                 50;
  }
  double sum = 0;
  double squares = 0;
  for (const double m : mean) {
    sum += m / kItems;
    squares += m * m / kItems;
  }
  EXPECT_NEAR(weights->noise, std::sqrt(squares - sum * sum), 1e-4);
}

TEST(ColdCalibration, TakesTheLeastCautionThatKeepsKnownItemsInTheirPlaces) {
  int more_than_least = 0;
  for (uint64_t seed = 6; seed < 12; ++seed) {
    const World world(150, 0.5, 0, seed % 2 == 0 ? 0.02 : 0.3, seed);
    const auto weights = calibrate_cold(world.cases, world.left_out, world.a, kNeverStop);
    ASSERT_TRUE(weights.is_ok());
    float expected = 0.5F;
    while (expected < 2 && world.lost(weights->alpha, weights->beta - expected) > 0.001)
      expected += 0.25F;
    EXPECT_EQ(weights->caution, expected) << seed;
    more_than_least += expected > 0.5F;
  }
  EXPECT_GT(more_than_least, 0);
}

TEST(ColdCalibration, HasAnAnswerWithoutCasesAndStopsWhenAsked) {
  const World world(10, 0.5, 0, 0.1, 5);
  const auto none = calibrate_cold({}, world.left_out, 1, kNeverStop);
  ASSERT_TRUE(none.is_ok());
  EXPECT_EQ(none->alpha, 1.3F);
  EXPECT_EQ(none->beta, 0.5F);
  EXPECT_EQ(calibrate_cold(world.cases, world.left_out, 1, [] { return true; }).status().code(),
            StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize::hrnn
