// The update after a window of a sampled softmax. What every window touches (the network without E
// and b) is moved by Adam as ever; of E and b only the candidates' rows are, by an Adam without a
// first moment whose second moment is one number a row: its gradient's mean square. Twelve bytes an
// item, and no work in proportion to their number.
//   v = decay^(windows since the row was last a candidate) v + (1 - decay) |g|^2 / D
//   row -= rate g / sqrt(v / (1 - decay^windows so far))
// A row's v fades while it is no candidate, as that of Adam does under gradients of 0.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/math/aligned_floats.h"
#include "engine/math/thread_team.h"
#include "engine/recipes/hrnn/network.h"

namespace personalize::hrnn {

class LazyAdam {
 public:
  // `whole`: the layout with all items; `small`: that of the network with the candidates alone.
  LazyAdam(const Layout& whole, const Layout& small);

  // One update with learning rate `rate` from the lane groups' gradients, which are summed in their
  // order, clipped to a global norm of 1 and set to 0. Row r of the network is that of items[r] in
  // `parameters` (of the whole layout), where it is moved; all else is moved in `network`, whose
  // transposed copies are made anew. False if memory ran out or the gradient is not finite, in
  // which case nothing is learned. `poll` is called often, from any thread.
  bool step(double rate, std::span<const ItemIndex> items, std::vector<AlignedFloats*>& gradients,
            AlignedFloats& parameters, Network& network, ThreadTeam& team,
            const std::function<void()>& poll);

 private:
  struct Row {
    float square = 0;       // of E's row
    float bias_square = 0;  // of b's element
    uint32_t step = 0;      // the last that moved it
  };
  // A part of the gradients, and of the network's rows if it is E's.
  struct Slice {
    size_t begin, end;
    size_t first_row, last_row;
  };
  double sum(const Slice& slice, std::vector<AlignedFloats*>& gradients) const;
  void update_rows(const Slice& slice, double rate, float clip, std::span<const ItemIndex> items,
                   std::vector<AlignedFloats*>& gradients, AlignedFloats& parameters);
  void update_rest(const Slice& slice, double rate, float clip,
                   std::vector<AlignedFloats*>& gradients, Network& network);

  const Layout whole_;
  const Layout small_;
  std::vector<Slice> slices_;
  std::vector<double> squares_;  // one a slice
  std::vector<Row> rows_;        // one an item
  AlignedFloats first_;          // of the network from the features on
  AlignedFloats second_;
  uint32_t steps_ = 0;
};

}  // namespace personalize::hrnn
