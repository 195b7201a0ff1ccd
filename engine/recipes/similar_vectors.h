// Learns the vectors of similar-items, and how much they count.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/dataset/sequences.h"
#include "engine/recipes/hrnn/column_bags.h"
#include "engine/recipes/similar_model.h"
#include "engine/recipes/user_selection.h"
#include "engine/status.h"

namespace personalize::similar {

// The items of a vocabulary as rows of metadata columns; none: no metadata. Views.
struct ItemColumns {
  const hrnn::ColumnBags* bags = nullptr;  // one an item of the vocabulary
  size_t columns = 0;
};

struct VectorSettings {
  size_t learned_size = 100;
  uint64_t seed = 1;
  int threads = 0;
};

// Learned vectors of length 1 from what follows what in `data`; where an item has few events, drawn
// towards what its metadata predicts:
//   f_i = r_i e_i + (1 - r_i) (what the ridge predicts), r_i = n_i / (n_i + 2), n_i its events
// which is not scaled up again: its products are then the cosines to be expected. An item about
// which neither is known gets 0. Leaves the ridge empty without columns. Errors: kInterrupted when
// `stop` says so.
Result<ItemVectors> learn_vectors(const TrainingView& data, const ItemColumns& items,
                                  const MetadataProjection& projection,
                                  const VectorSettings& settings,
                                  const std::function<bool()>& stop);

// The weights with which the withheld items are found best after the last ones of the rest: the
// largest mean of 1 / log2(1 + rank) among all items but the asked one, over a grid. `vectors` were
// learned from split.rest. With fewer than 20 cases: a quarter metadata (if there is any), a tenth
// popularity. `gain`: what the chosen weights reach; 0 without cases.
struct ChosenWeights {
  MixWeights weights;
  double gain = 0;
  size_t cases = 0;
};
Result<ChosenWeights> choose_weights(const CalibrationSplit& split, const ItemVectors& vectors,
                                     int threads, const std::function<bool()>& stop);

}  // namespace personalize::similar
