// The update of all parameters from the lane groups' gradients: summed in the order of the groups,
// clipped to a global norm of 1, one step of Adam. Spread over the team by slices that do not
// depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/thread_team.h"
#include "engine/recipes/hrnn/column_adam.h"
#include "engine/recipes/hrnn/network.h"

namespace personalize::hrnn {

// The learning rate's factor after `done` of all updates (0 .. 1): linear warm-up over the first
// twentieth, then half a cosine to 0.
double schedule(double done);

class Adam {
 public:
  // `items`, if not null: E and b learn by the items' columns, too (column_adam.h); what it views
  // must outlive the Adam.
  explicit Adam(const Layout& layout, const ItemColumns* items = nullptr);

  // One update with learning rate `rate`; the own-history term learns five times as fast. Sets the
  // gradients to 0 and packs the network's panels and transposed copies. False if memory ran out or
  // the gradient is not finite, in which case nothing is learned. `poll` is called often, from any
  // thread.
  bool step(double rate, std::vector<AlignedFloats*>& gradients, Network& network, ThreadTeam& team,
            const std::function<void()>& poll);

 private:
  struct Slice {
    size_t begin, end;               // of the parameters
    size_t first_panel, last_panel;  // made of them
  };
  AdamStep at_rate(double rate, float clip) const;
  void update(const Slice& slice, double rate, float clip, std::vector<AlignedFloats*>& gradients,
              Network& network);
  // What the items' columns move among a slice's parameters.
  void add_column_steps(const Slice& slice, float* parameters) const;

  const Layout layout_;
  std::vector<Slice> slices_;
  std::vector<double> squares_;  // one a slice
  AlignedFloats first_;
  AlignedFloats second_;
  std::unique_ptr<ColumnAdam> columns_;  // null: items learn by themselves
  int64_t steps_ = 0;
};

}  // namespace personalize::hrnn
