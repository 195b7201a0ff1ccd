// The percentile hyperparameters: which users, by the length of their histories, and which items,
// by their number of interactions, a recipe learns from.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/dataset/sequences.h"

namespace personalize {

// Bounds of a count, both inclusive.
struct CountRange {
  int64_t least = 0;
  int64_t most = 0;
  bool contains(int64_t count) const { return least <= count && count <= most; }
};

// The counts at the two percentiles (0 .. 1) of `counts`, by nearest rank: of n counts in ascending
// order, number floor(minimum * n) from 0 up and number ceil(maximum * n) - 1. Counts equal to a
// bound stay in, so the result does not depend on the order of `counts`. {0, 0} if there are none.
CountRange percentile_range(std::vector<int64_t> counts, double minimum, double maximum);

// For each user of `data`: whether his number of training events lies between the two percentiles
// of the users who have any. Users without training events are out.
std::vector<uint8_t> users_within_percentiles(const TrainingView& data, double minimum,
                                              double maximum);

}  // namespace personalize
