// Makes scores of items that are known by their metadata alone comparable with those of items with
// events. Every item with events plays an unseen one in turn: on withheld events, for each fold of
// items left out (item_ridge.h), the fold's items score
//   z(j) = m + alpha * (c_j - m) + beta,   c_j = a * (y . E'_j + b'_j), m its mean over items
// and all others as they do; alpha and beta maximise the mean log softmax of the withheld items
// over all folds. Ranked by that, a list gains by its new items about what it loses by its known
// ones; whoever wants the known ones unharmed takes `caution` from beta.
#pragma once

#include <functional>
#include <span>

#include "engine/ids.h"
#include "engine/recipes/hrnn/item_ridge.h"
#include "engine/status.h"

namespace personalize::hrnn {

// A withheld event.
struct ColdCase {
  ItemIndex target = kNoItem;
  std::span<const float> scores;  // final ones, one an item
  std::span<const float> y;       // the network's output, D
};

inline constexpr float kLeastCaution = 0.5F, kMostCaution = 2, kCautionStep = 0.25F;
inline constexpr double kMostLost = 0.001;

struct ColdWeights {
  // What is good without fitting.
  float alpha = 1.3F;
  float beta = 0.5F;
  // The standard deviation over items of (score - z), each a mean over the withheld events.
  float noise = 1;
  // To be taken from beta: the least of 0.5, 0.75, ... kMostCaution by which the withheld events
  // whose items are known lose no more than kMostLost of their NDCG@10 to a fold of new items.
  float caution = kLeastCaution;
};

inline constexpr float kLeastAlpha = 0.5F, kMostAlpha = 4;
inline constexpr float kMostBeta = 3;  // and the least is -kMostBeta

// How many cases are enough, and fit into a bearable memory with so many items left out.
size_t cold_cases(size_t left_out);

// Fits alpha and beta within their bounds. `a`: the network's weight in the scores. Errors:
// kInterrupted when `stop` says so.
Result<ColdWeights> calibrate_cold(std::span<const ColdCase> cases, const LeftOut& left_out,
                                   float a, const std::function<bool()>& stop);

}  // namespace personalize::hrnn
