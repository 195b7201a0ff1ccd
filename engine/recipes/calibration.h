// Fits the few weights that join a dense score with the two sparse terms, on withheld events:
//   z(j) = a * base(j) + w * L(j) + D(j)
// with L the Markov term and D of the form of the own-history term. The likelihood of the withheld
// items under softmax(z) over all items is maximised by Newton's method (z is linear in the
// weights, so it is concave), less 0.0001 times the sum of squared weights per event.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/recipes/own_history.h"
#include "engine/status.h"

namespace personalize {

struct CalibrationWeights {
  float a = 1;
  float w = 0.5F;
  OwnHistoryWeights own;  // D
};

// One withheld event: what is known before it.
struct CalibrationCase {
  ItemIndex target = kNoItem;
  std::span<const float> base;  // one an item
  std::vector<ItemIndex> markov_items;
  std::vector<float> markov_terms;
  std::vector<OwnItem> own;
  int32_t last_place = 0;
  int32_t session_start = 0;
};

// The weights, starting from `start`; `fit_own` says whether D is fitted or stays as it is in
// `start`. Errors: kInterrupted when `stop` says so. What comes out is finite: if it is not,
// `start` is given back.
Result<CalibrationWeights> calibrate(std::span<const CalibrationCase> cases,
                                     const CalibrationWeights& start, bool fit_own,
                                     const std::function<bool()>& stop);

// What lists are worth with these weights, where calibrate() asks how likely the targets are: the
// mean of 1 / log2(1 + rank) of the targets among all items, ties against them (NDCG without a
// cut). 0 without cases. Errors: kInterrupted when `stop` says so.
Result<double> ranking_gain(std::span<const CalibrationCase> cases,
                            const CalibrationWeights& weights, const std::function<bool()>& stop);

// Seconds that takes on one thread, for `terms` Markov terms and `own` items of the history a case.
double calibration_seconds(size_t cases, double items, double terms, double own);
// Bytes of the cases' sparse terms.
double calibration_bytes(size_t cases, double terms, double own);

}  // namespace personalize
