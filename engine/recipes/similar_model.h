// The model of similar-items as it is stored and asked: a vector for each item, whose products are
// similarities.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/dataset/metadata_encoder.h"
#include "engine/math/aligned_floats.h"
#include "engine/recipes/hrnn/item_ridge.h"
#include "engine/recipes/metadata_projection.h"
#include "engine/recipes/recipe.h"

namespace personalize::similar {

// What is known of items, before it is weighed.
struct ItemVectors {
  size_t learned_size = 0;        // numbers of a learned vector
  AlignedFloats learned;          // f, items x learned_size
  hrnn::ItemRidge ridge;          // predicts f from metadata; without columns: no rows
  MetadataProjection projection;  // size 0: no metadata
  AlignedFloats described;        // m, items x projection.size
  std::vector<float> popularity;  // q, 0 .. 1, one an item
};

// How much counts what: similarity(i, j) = ((1 - m) f_i . f_j + m m_i . m_j + p q_j) / (1 + p).
struct MixWeights {
  float metadata = 0;    // m, 0 .. 1
  float popularity = 0;  // p, from 0 on
};

// Writes the sections of a model ("similar.*"), with the weights folded in. `encoder`: that of the
// items dataset. `users`: how many had each item.
void write_model(const ItemVectors& vectors, const MixWeights& weights,
                 const MetadataEncoder& encoder, std::span<const float> users, BlobWriter& blob);

// Errors: kCorrupt if a section is missing or has the wrong size, or a number is not finite.
Result<std::unique_ptr<Model>> open_model(const BlobView& blob);

}  // namespace personalize::similar
