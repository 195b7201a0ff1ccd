// A window of a sampled softmax as a training problem of its own: the same events, over the
// window's candidates instead of all items, numbered by their places among them. The network, its
// loss and the way back are then those of the full softmax, for a vocabulary that fits the caches.
//
// Needed among the candidates are the window's own items and targets, and as many of the latest
// items of the users who were there before the window as there is room for: own-history terms are
// learned from items a user had, of which random draws would bring hardly any. Older ones than that
// are candidates when they are drawn, with the correction of any other item, so nothing is biased;
// where they are not, they stand as one item that can't follow (its logit is -10,000), so that
// places in a history are right.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/math/thread_team.h"
#include "engine/recipes/hrnn/candidates.h"
#include "engine/recipes/hrnn/network.h"

namespace personalize::hrnn {

class SampledWindow {
 public:
  // The small network has `rows` items. `training` must outlive it; `view` need not.
  SampledWindow(const TrainingView& view, const TrainingData& training, const Layout& layout,
                size_t rows, uint64_t seed);

  // Of the small network: as many items as candidates, and one for all that are none.
  const Layout& layout() const { return small_; }

  // Makes the problem of `window`, the `number`th of the training. `states`: each lane's state
  // before it (H floats), which must stay where they are while the problem is worked on.
  void enter(const Window& window, uint64_t number, std::span<const float* const> states);
  // Copies the candidates' rows out of `parameters` (of the whole layout) into `network`, with the
  // corrections, and packs its panels. False if memory ran out. `poll` is called often, from any
  // thread.
  bool gather(const AlignedFloats& parameters, Network& network, ThreadTeam& team,
              const std::function<void()>& poll);

  // What LaneGroup::run wants, in place of the whole training's.
  const Window& window() const { return window_; }
  const TrainingData& data() const { return data_; }
  // The item of each of the network's first rows.
  std::span<const ItemIndex> items() const { return candidates_.items(); }

 private:
  // Neighbouring rows of one lane and one user.
  struct Run {
    size_t lane, step, steps;
    int64_t event;  // the first row's
    uint32_t user;
    const float* state;  // before it; null if the user's history begins here
  };
  void find_runs(const Window& window, std::span<const float* const> states);
  void choose(uint64_t number);
  void copy(const Window& window);
  void copy(const Run& run, size_t steps);
  void gather_row(size_t row, const AlignedFloats& parameters, Network& network);

  const TrainingData& training_;
  const Layout whole_;
  const Layout small_;
  Candidates candidates_;
  std::vector<float> recency_;  // the training's table, item by item
  std::vector<Run> runs_;
  std::vector<uint32_t> buckets_;  // of the recency table, that the window's events lie in
  Window window_;
  Sequences sequences_;
  TrainingData data_;
};

}  // namespace personalize::hrnn
