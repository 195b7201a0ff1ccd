// The recurrent network on a group of lanes, one window at a time: forward, loss, and the way back
// by hand (through the whole window, not past it). Equations in parameters.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/dataset/side_columns.h"
#include "engine/math/aligned_floats.h"
#include "engine/math/kernels.h"
#include "engine/recipes/hrnn/batches.h"
#include "engine/recipes/hrnn/features.h"
#include "engine/recipes/hrnn/loss.h"
#include "engine/recipes/hrnn/parameters.h"

namespace personalize::hrnn {

// What a training knows of its data besides the sequences. Read by all threads.
struct TrainingData {
  const Sequences* sequences = nullptr;
  std::vector<EventFeatures> features;  // one an event
  RecencyTable recency;                 // no buckets: the recency mask is off
  std::vector<float> user_weight;       // of each of the user's events in the loss
  // The state before the first event of each segment (H floats a segment), which those read that
  // begin amid a history. They are constants: gradients end there.
  std::vector<float> resumed_states;
  int64_t session_gap = 0;
  // What is known around the events, or null: nothing. The events and users of a sampled window
  // are numbered anew; what they are there is written beside it.
  const SideColumns* side = nullptr;
  std::vector<int64_t> side_event;
  std::vector<uint32_t> side_user;

  std::span<const ColumnIndex> context_of(size_t event) const {
    if (side == nullptr) return {};
    return side->of_context(side_event.empty() ? event : static_cast<size_t>(side_event[event]));
  }
  std::span<const ColumnIndex> user_of(size_t user) const {
    if (side == nullptr) return {};
    return side->of_user(side_user.empty() ? user : side_user[user]);
  }
};

// The parameters and what is made of them once for each window; written between windows.
struct Network {
  Network(const Layout& of);
  // Makes the transposed copies anew. E's panels are packed apart (ItemPanels::pack), since that is
  // worth spreading over threads.
  void transpose();

  Layout layout;
  AlignedFloats parameters;
  ItemPanels panels;
  AlignedFloats input_transposed;      // 3H x D
  AlignedFloats recurrent_transposed;  // 3H x H
  AlignedFloats output_transposed;     // D x H
};

// Dropout of one window: seeded by `seed` and `window`, so that a group's masks do not depend on
// threads. `rate` 0: none. Of a share `context` of the rows the network is asked for the next event
// without being told its context, as a question may be.
struct Dropout {
  float rate = 0;
  uint64_t seed = 0;
  uint64_t window = 0;
  double context = 0;
};

// mask[i] = 0 with probability `rate`, else 1 / (1 - rate), from numbers that depend on `dropout`
// and `stream` alone.
void dropout_mask(const Dropout& dropout, uint64_t stream, std::span<float> mask);
// Whether the window's row `place` (of all lanes) is asked for without the context.
bool drops_context(const Dropout& dropout, uint64_t place);

// Some neighbouring lanes, trained by one thread at a time: their state, the room for one window
// and a gradient of all parameters.
class LaneGroup {
 public:
  LaneGroup(const Layout& layout, size_t first_lane, size_t lanes, size_t longest_window,
            int64_t session_gap);

  void start_epoch();
  // Trains the group's lanes on `window`: adds to gradient() and returns the loss, the weighted sum
  // over valid rows with weights user_weight / total. Gives up when `stop` says so.
  double run(const Network& network, const TrainingData& data, const Window& window, size_t total,
             const Dropout& dropout, const std::function<bool()>& stop);

  AlignedFloats& gradient() { return gradient_; }
  // Of the lanes, after the last window: lanes x H.
  std::span<const float> states() const { return state_.span(); }

 private:
  void forward(const Network& network, const TrainingData& data, const Window& window,
               const Dropout& dropout);
  void forward_recurrence(const Network& network, const TrainingData& data, const Window& window);
  double loss(const Network& network, const TrainingData& data, const Window& window, size_t total,
              const std::function<bool()>& stop);
  void backward(const Network& network, const TrainingData& data, const Window& window,
                const Dropout& dropout);
  void backward_recurrence(const Network& network, const Window& window);
  void backward_input(const Network& network, const TrainingData& data, const Window& window);
  // Calls use(row, columns) for the side columns of the events that the window's rows ask for.
  template <typename Use>
  void for_each_asked(const TrainingData& data, const Window& window, const Dropout& dropout,
                      const Use& use) const;
  // Kernels::product, in bf16 where it can be: for products that no state is made of at once.
  void multiply(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                float* c, ptrdiff_t ldc, bool accumulate);
  size_t rows(const Window& window) const { return lanes_ * window.steps; }

  const Layout layout_;
  const size_t first_lane_;
  const size_t lanes_;
  std::vector<LaneLoss> losses_;  // one a lane
  std::vector<LossRow> loss_rows_;
  std::vector<LossTarget> loss_targets_;
  AlignedFloats gradient_;
  AlignedFloats state_;  // lanes x H, carried from window to window
  // Row lane * steps + t is a lane's step t.
  AlignedFloats x_, x_mask_, x_gradient_;                                             // rows x D
  AlignedFloats input_, input_gradient_, gates_, recurrent_gradient_;                 // rows x 3H
  AlignedFloats previous_, candidate_part_, hidden_, hidden_mask_, hidden_gradient_;  // rows x H
  AlignedFloats y_, y_gradient_;                                                      // rows x D
  AlignedFloats recurrent_;                                                           // lanes x 3H
  AlignedFloats carried_;                                                             // lanes x H
  AlignedFloats room_;  // of the softmax and of products
};

}  // namespace personalize::hrnn
