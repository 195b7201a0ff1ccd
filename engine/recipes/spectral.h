// Initial item embeddings from Markov counts: a truncated decomposition of the positive pointwise
// mutual information of items that follow each other, by randomised subspace iteration (Halko,
// Martinsson, Tropp 2011). Decisive where data are sparse, harmless elsewhere.
//   A = C + C', r[i] = row sum of A + 5, N = sum of r
//   X[i][j] = max(0, ln(A[i][j] N / (r[i] r[j]))) where A > 0, else 0
//   E = U |l|^(1/2) for the `size` eigenvalues l of X largest in magnitude, scaled to `deviation`
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/math/aligned_floats.h"
#include "engine/recipes/markov_counts.h"
#include "engine/status.h"

namespace personalize {

// Columns the iteration works with: size + 16, fewer where they would take more than 128 MiB twice;
// 0 if there are fewer than size + 16 items. 16 of them are not kept.
size_t spectral_columns(size_t items, size_t size);

// Writes `embedding` (items x size). Columns for which there was no room get normal noise of that
// deviation; so does a row that comes out 0 (an item nothing is known about), or all of them if
// there are fewer than size + 16 items.
// Errors: kInterrupted when `stop` says so.
Status spectral_embedding(const MarkovCounts& counts, size_t size, float deviation, uint64_t seed,
                          const std::function<bool()>& stop, std::span<float> embedding);

// The same decomposition for items that are compared by their vectors' angles: exact where there
// are fewer than size + 16 items. Makes `vectors` items x the length that is returned (size, or as
// many as there are items), every row of length 1, or 0 if it is not known what goes with the item.
// Errors: kInterrupted when `stop` says so.
Result<size_t> association_vectors(const MarkovCounts& counts, size_t size, uint64_t seed,
                                   const std::function<bool()>& stop, AlignedFloats& vectors);

}  // namespace personalize
