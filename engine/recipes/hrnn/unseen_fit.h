// Learns, after the training of a network, how items without events are placed: the ridge from
// columns to learned rows, and its calibration on items left out.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/recipes/hrnn/cold_items.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/hrnn/withheld.h"

namespace personalize::hrnn {

// What write_cold_items takes.
struct UnseenFit {
  ItemRidge ridge;
  std::vector<float> predicted;
  ColdWeights weights;
  float lambda = 0;

  void write(float a, BlobWriter& blob) const {
    write_cold_items(ridge, predicted, weights, lambda, a, blob);
  }
};

// `bags`: one an item of `trained`, of so many `columns`; `events`: of each item in the training;
// `withheld` and `network`: of the same training. Errors: kInterrupted when `stop` says so.
Result<UnseenFit> fit_unseen(const Trained& trained, const ColumnBags& bags, size_t columns,
                             std::span<const float> events, const Withheld& withheld,
                             const CalibrationWeights& network, uint64_t seed, int threads,
                             const std::function<bool()>& stop);

// The same for a network that was trained on, with the lambda and the weights of `before`.
Result<UnseenFit> refit_unseen(const Trained& trained, const ColumnBags& bags, size_t columns,
                               std::span<const float> events, const ColdNumbers& before,
                               uint64_t seed, int threads, const std::function<bool()>& stop);

}  // namespace personalize::hrnn
