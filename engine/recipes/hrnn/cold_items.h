// How a stored model places items without events: by their columns alone. With P and mu of the
// ridge (item_ridge.h), y the network's output and m the mean of predicted rows,
//   predicted row  E' = mu + the sum of P's rows of its columns, its bias alike
//   score          m . y + alpha * (E' - m) . y + beta
// Predicted rows are drawn together, and known items have terms that new ones lack; alpha and beta,
// fitted on items that were left out (cold_calibration.h), put that right. As input an unseen item
// is its plain predicted row.
#pragma once

#include <cstddef>
#include <span>

#include "engine/recipes/hrnn/cold_calibration.h"
#include "engine/recipes/hrnn/item_ridge.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/blob.h"

namespace personalize::hrnn {

// The numbers of section "hrnn.cold"; biases and beta are in units of final scores.
struct ColdNumbers {
  float alpha = 1, beta = 0;
  float noise = 0;  // Model::exploration_noise
  float lambda = 0;
  float mean_bias = 0;       // of mu
  float predicted_bias = 0;  // of m
};

// Views; any thread.
struct ColdItems {
  size_t size = 0;                   // D; 0: unseen items are not placed
  std::span<const float> mean;       // mu
  std::span<const float> predicted;  // m
  std::span<const float> rows;       // P, columns x D
  std::span<const float> bias;       // of P's columns
  ColdNumbers numbers;

  // Writes the plain predicted row (D floats).
  void predict(std::span<const ColumnIndex> columns, float* row) const;
  // Scores from the network's output y, without terms of a history.
  void score(const float* y, const UnseenItems& unseen, std::span<float> scores) const;
  // Cosines of `row` (D floats) with the unseen items' predicted rows.
  void similar(const float* row, const UnseenItems& unseen, std::span<float> scores) const;

  // Sections "hrnn.cold*" of a model whose items have `columns` columns and vectors of `size`;
  // without them: no unseen item is placed. Errors: kCorrupt.
  static Result<ColdItems> open(const BlobView& blob, size_t columns, size_t size);
};

// `a`: what the network's logits are multiplied with in final scores. `predicted`: m, and its bias
// last.
void write_cold_items(const ItemRidge& ridge, std::span<const float> predicted,
                      const ColdWeights& weights, float lambda, float a, BlobWriter& blob);

}  // namespace personalize::hrnn
