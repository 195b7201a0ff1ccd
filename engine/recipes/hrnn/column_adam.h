// Lets items with few events learn from those they share metadata with. E and b are each item's own
// part plus those of its columns,
//   E_i = own_i + s_i * sum of F_c over its columns c,   s_i = 1 / sqrt(number of its columns),
// with F = 0 at first. Only the sum is kept: an update moves it by the own part's step and by s_i
// times those of its columns, and F is nothing but its steps. F's gradient is the sum of its
// items', each times s_i; its Adam has moments of its own.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/ids.h"
#include "engine/math/aligned_floats.h"
#include "engine/math/kernels.h"
#include "engine/recipes/hrnn/column_bags.h"
#include "engine/recipes/hrnn/parameters.h"

namespace personalize::hrnn {

// What a training knows of its items. Views.
struct ItemColumns {
  const ColumnBags* bags = nullptr;  // one an item
  size_t columns = 0;                // all that bags may hold
  double rate = 1;                   // F's learning rate, of that of all else
};

// Allocates nothing once it is made.
class ColumnAdam {
 public:
  ColumnAdam(const Layout& layout, const ItemColumns& items);

  // Independent pieces of step(), for different threads.
  size_t tasks() const;
  // Makes the columns' steps from the gradient of E and b (an array of the layout).
  void step(size_t task, AdamStep step, const float* gradient);
  // Adds the steps to the parameters (of the layout) of items first .. last - 1: to E, or to b.
  void move_rows(size_t first, size_t last, float* parameters) const;
  void move_biases(size_t first, size_t last, float* parameters) const;

 private:
  const Layout layout_;
  const ItemColumns items_;
  std::vector<float> scale_;        // s, one an item
  std::vector<size_t> first_item_;  // columns + 1: where a column's items begin
  std::vector<ItemIndex> item_of_;
  // columns x width_: the row's numbers, then the bias.
  size_t width_;
  AlignedFloats gradient_, steps_, first_, second_;
};

}  // namespace personalize::hrnn
