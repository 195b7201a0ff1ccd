// Items as short vectors of what their metadata says: two items' vectors have about the cosine that
// their 0/1 columns have, rare columns counting more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/recipes/hrnn/column_bags.h"
#include "engine/status.h"

namespace personalize {

// With idf[c] = ln((1 + rows) / (1 + rows that have c)) and x a row's columns weighted by idf,
// scaled to length 1: the vector of a row is x V, V being the `size` leading right singular vectors
// of all rows' x (none left out where there are no more than size columns); scaled to length 1.
struct MetadataProjection {
  size_t size = 0;          // numbers of a vector; 0: nothing is known of any item
  std::vector<float> rows;  // columns x size: idf[c] V[c]

  // Writes the vector of an item with these columns to `vector` (size floats): of length 1, or 0 if
  // no column tells anything.
  void project(std::span<const ColumnIndex> columns, float* vector) const;
};

// Learns from the rows of `bags`, whose columns are below `columns`. Errors: kInterrupted when
// `stop` says so.
Result<MetadataProjection> learn_projection(const hrnn::ColumnBags& bags, size_t columns,
                                            size_t size, uint64_t seed,
                                            const std::function<bool()>& stop);

// What MetadataProjection::project does, with rows that lie elsewhere.
void project_metadata(std::span<const float> rows, size_t size,
                      std::span<const ColumnIndex> columns, float* vector);

}  // namespace personalize
