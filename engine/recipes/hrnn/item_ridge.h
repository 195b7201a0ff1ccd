// Places items by their metadata alone: a ridge regression from an item's columns to its learned
// vector and bias. With Y = [E b], X the items' 0/1 columns and C the items' weights:
//   mu = sum of c_i Y_i / sum of c_i;   (X'CX + lambda I) P = X'C (Y - mu)
//   prediction of an item: mu + the sum of P's rows of its columns
// It is also the best fit of the scores themselves, since it commutes with any linear map of Y.
// Solved by conjugate gradients with the diagonal as preconditioner, some right sides at a time,
// each by itself: the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/recipes/hrnn/column_bags.h"
#include "engine/status.h"

namespace personalize::hrnn {

// What is learned from. Views.
struct RidgeProblem {
  const ColumnBags* bags = nullptr;  // one an item
  size_t columns = 0;                // all that bags may hold
  size_t size = 0;                   // D
  std::span<const float> embedding;  // E, items x D
  std::span<const float> bias;       // b, one an item
  std::span<const float> weight;     // one an item; 0: not learned from
};

// Weights of items with so many events each: n / (n + 10).
std::vector<float> ridge_weights(std::span<const float> events);

struct ItemRidge {
  size_t size = 0;          // D
  std::vector<float> mean;  // mu, D
  float mean_bias = 0;
  std::vector<float> rows;  // P, columns x D
  std::vector<float> bias;  // P's last column

  // Writes the prediction of an item to `row` (D floats) and returns that of its bias.
  float predict(std::span<const ColumnIndex> columns, float* row) const;
};

// Errors of all three: kInterrupted when `stop`, asked on the calling thread, says so.
Result<ItemRidge> fit_ridge(const RidgeProblem& problem, float lambda, int threads,
                            const std::function<bool()>& stop);

// Of 1, 3, 10 and 30 the largest whose sum of c_i |E_i - prediction|^2 over items left out, five
// folds of them, is the least or hardly more; every fourth number of E's rows is asked.
Result<float> choose_lambda(const RidgeProblem& problem, uint64_t seed, int threads,
                            const std::function<bool()>& stop);

// Predictions of items by fits without them.
struct LeftOut {
  static constexpr size_t kFolds = 10;
  std::vector<ItemIndex> items;  // with a weight, in random order; at most kMostLeftOut
  std::vector<uint8_t> fold;     // one an item, as the next two
  std::vector<float> embedding;  // x D
  std::vector<float> bias;
};
inline constexpr size_t kMostLeftOut = 50'000;

Result<LeftOut> predict_left_out(const RidgeProblem& problem, float lambda, uint64_t seed,
                                 int threads, const std::function<bool()>& stop);

}  // namespace personalize::hrnn
