#include "engine/recipes/hrnn/item_ridge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

const auto kNeverStop = [] { return false; };

// Items whose vectors are sums of their columns' vectors, and noise.
struct Generated {
  ColumnBags bags;
  std::vector<float> embedding, bias, weight;
  size_t columns, size;

  Generated(size_t items, size_t column_count, size_t d, double noise, uint64_t seed)
      : columns(column_count), size(d) {
    Random random(seed, 1);
    std::vector<double> truth(columns * (d + 1));
    for (double& x : truth) x = random.normal();
    for (size_t i = 0; i < items; ++i) {
      for (size_t c = 0; c < columns; ++c)
        if (random.below(columns) < 4) bags.columns.push_back(static_cast<ColumnIndex>(c));
      bags.end_row();
      weight.push_back(i % 7 == 3 ? 0 : static_cast<float>(random.uniform()));
      for (size_t k = 0; k <= d; ++k) {
        double sum = 0.5 + noise * random.normal();
        for (const ColumnIndex c : bags.of(i)) sum += truth[c * (d + 1) + k];
        (k < d ? embedding : bias).push_back(static_cast<float>(sum));
      }
    }
  }
  RidgeProblem problem() const { return {&bags, columns, size, embedding, bias, weight}; }
};

// The same by Gauss and Jordan in double precision: [P; mu] of the items with use[i], columns x
// (D + 1), the mean last.
std::vector<double> dense_ridge(const Generated& data, double lambda,
                                const std::vector<bool>& use) {
  const size_t n = data.columns;
  const size_t w = data.size + 1;
  const auto y = [&](size_t i, size_t k) -> double {
    return k < data.size ? data.embedding[i * data.size + k] : data.bias[i];
  };
  std::vector<double> mean(w);
  double weight = 0;
  for (size_t i = 0; i < use.size(); ++i) {
    if (!use[i]) continue;
    weight += data.weight[i];
    for (size_t k = 0; k < w; ++k) mean[k] += data.weight[i] * y(i, k);
  }
  for (double& m : mean) m /= weight;
  std::vector<std::vector<double>> a(n, std::vector<double>(n + w));
  for (size_t c = 0; c < n; ++c) a[c][c] = lambda;
  for (size_t i = 0; i < use.size(); ++i)
    for (const ColumnIndex c : data.bags.of(i)) {
      if (!use[i]) continue;
      for (const ColumnIndex other : data.bags.of(i)) a[c][other] += data.weight[i];
      for (size_t k = 0; k < w; ++k) a[c][n + k] += data.weight[i] * (y(i, k) - mean[k]);
    }
  for (size_t c = 0; c < n; ++c)
    for (size_t r = 0; r < n; ++r) {
      if (r == c) continue;
      const double factor = a[r][c] / a[c][c];
      for (size_t k = c; k < n + w; ++k) a[r][k] -= factor * a[c][k];
    }
  std::vector<double> solution;
  for (size_t c = 0; c < n; ++c)
    for (size_t k = 0; k < w; ++k) solution.push_back(a[c][n + k] / a[c][c]);
  solution.insert(solution.end(), mean.begin(), mean.end());
  return solution;
}

std::vector<double> dense_prediction(const Generated& data, const std::vector<double>& solution,
                                     size_t item) {
  const size_t w = data.size + 1;
  std::vector<double> row(solution.end() - static_cast<ptrdiff_t>(w), solution.end());
  for (const ColumnIndex c : data.bags.of(item))
    for (size_t k = 0; k < w; ++k) row[k] += solution[c * w + k];
  return row;
}

std::vector<bool> all_but(size_t items, const LeftOut& left_out, size_t fold) {
  std::vector<bool> use(items, true);
  for (size_t i = 0; i < left_out.items.size(); ++i)
    if (left_out.fold[i] == fold) use[static_cast<size_t>(left_out.items[i])] = false;
  return use;
}

TEST(ItemRidge, PredictsWhatTheDenseSolutionDoes) {
  const Generated data(300, 40, 70, 0.3, 5);
  for (const float lambda : {1.0F, 30.0F}) {
    const auto ridge = fit_ridge(data.problem(), lambda, 2, kNeverStop);
    ASSERT_TRUE(ridge.is_ok());
    const std::vector<double> dense = dense_ridge(data, lambda, std::vector<bool>(300, true));
    std::vector<float> row(data.size);
    for (size_t i = 0; i < 300; ++i) {
      const float bias = ridge->predict(data.bags.of(i), row.data());
      const std::vector<double> wanted = dense_prediction(data, dense, i);
      for (size_t k = 0; k < data.size; ++k) ASSERT_NEAR(row[k], wanted[k], 2e-3);
      ASSERT_NEAR(bias, wanted[data.size], 2e-3);
    }
  }
}

TEST(ItemRidge, PredictsItemsLeftOutFromTheOthersAlone) {
  const Generated data(120, 12, 16, 0.3, 6);
  const auto left_out = predict_left_out(data.problem(), 3, 1, 2, kNeverStop);
  ASSERT_TRUE(left_out.is_ok());
  EXPECT_EQ(left_out->items.size(), 103U);  // the others have no weight
  for (size_t f = 0; f < LeftOut::kFolds; ++f) {
    const std::vector<double> dense = dense_ridge(data, 3, all_but(120, *left_out, f));
    for (size_t i = 0; i < left_out->items.size(); ++i) {
      if (left_out->fold[i] != f) continue;
      const auto wanted = dense_prediction(data, dense, static_cast<size_t>(left_out->items[i]));
      for (size_t k = 0; k < data.size; ++k)
        ASSERT_NEAR(left_out->embedding[i * data.size + k], wanted[k], 2e-3);
      ASSERT_NEAR(left_out->bias[i], wanted[data.size], 2e-3);
    }
  }
}

TEST(ItemRidge, ShrinksMoreWhereTheColumnsTellLess) {
  const auto chosen = [](double noise) {
    const Generated data(200, 40, 32, noise, 7);
    return *choose_lambda(data.problem(), 1, 2, kNeverStop);
  };
  EXPECT_EQ(chosen(0.01), 1);
  EXPECT_EQ(chosen(20), 30);
}

TEST(ItemRidge, GivesTheSameBitsForAnyNumberOfThreads) {
  const Generated data(200, 30, 130, 0.5, 8);
  const auto one = fit_ridge(data.problem(), 10, 1, kNeverStop);
  const auto three = fit_ridge(data.problem(), 10, 3, kNeverStop);
  const auto left_one = predict_left_out(data.problem(), 10, 1, 1, kNeverStop);
  const auto left_three = predict_left_out(data.problem(), 10, 1, 3, kNeverStop);
  ASSERT_TRUE(one.is_ok() && three.is_ok() && left_one.is_ok() && left_three.is_ok());
  EXPECT_EQ(one->rows, three->rows);
  EXPECT_EQ(one->bias, three->bias);
  EXPECT_EQ(left_one->embedding, left_three->embedding);
}

TEST(ItemRidge, GivesItemsWithoutColumnsTheMean) {
  const Generated data(50, 5, 16, 0.3, 9);
  const auto ridge = fit_ridge(data.problem(), 10, 1, kNeverStop);
  ASSERT_TRUE(ridge.is_ok());
  std::vector<float> row(16);
  EXPECT_EQ(ridge->predict({}, row.data()), ridge->mean_bias);
  EXPECT_EQ(row, ridge->mean);
}

TEST(ItemRidge, StopsWhenAsked) {
  const Generated data(50, 5, 16, 0.3, 9);
  const auto stop = [] { return true; };
  EXPECT_EQ(fit_ridge(data.problem(), 10, 1, stop).status().code(), StatusCode::kInterrupted);
  EXPECT_EQ(choose_lambda(data.problem(), 1, 1, stop).status().code(), StatusCode::kInterrupted);
  EXPECT_EQ(predict_left_out(data.problem(), 1, 1, 1, stop).status().code(),
            StatusCode::kInterrupted);
}

TEST(ItemRidge, WeighsItemsByTheirEvents) {
  const std::vector<float> events = {0, 10, 90};
  const std::vector<float> weights = ridge_weights(events);
  EXPECT_EQ(weights[0], 0);
  EXPECT_EQ(weights[1], 0.5F);
  EXPECT_EQ(weights[2], 0.9F);
}

}  // namespace
}  // namespace personalize::hrnn
