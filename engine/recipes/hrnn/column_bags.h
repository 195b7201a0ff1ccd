// Rows of 0/1 columns: what is known of each of some items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dataset/metadata.h"

namespace personalize::hrnn {

struct ColumnBags {
  std::vector<uint32_t> start = {0};  // size() + 1: row i has columns start[i] .. start[i+1] - 1
  std::vector<ColumnIndex> columns;   // ascending within a row, each once

  size_t size() const { return start.size() - 1; }
  std::span<const ColumnIndex> of(size_t row) const {
    return std::span(columns).subspan(start[row], start[row + 1] - start[row]);
  }
  // Ends the row that was being appended to `columns`.
  void end_row() { start.push_back(static_cast<uint32_t>(columns.size())); }
};

}  // namespace personalize::hrnn
