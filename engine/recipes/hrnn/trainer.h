// Learns the network's parameters.
#pragma once

#include <cstdint>

#include "engine/recipes/hrnn/column_adam.h"
#include "engine/recipes/hrnn/network.h"
#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

// A training that goes on from parameters there are, on some of the events.
struct WarmStart {
  AlignedFloats parameters;          // of the layout of this training
  std::vector<float> value_columns;  // that the parameters know
  std::vector<Segment> segments;
  std::vector<float> states;  // TrainingData::resumed_states
};

// Over which items the loss of an event is taken: all of them, or candidates drawn anew for each
// window (candidates.h). kAuto: see training_cost.h.
enum class Softmax { kAuto, kFull, kSampled };

// What a training may know besides the events. Views.
struct TrainingMetadata {
  const SideColumns* side = nullptr;  // of the sequences; null: nothing
  ItemColumns items;  // learned by with a full softmax only; without bags: not at all
};

struct TrainingOptions {
  size_t embedding = 128;
  size_t hidden = 128;
  size_t lanes = 16;
  size_t window = 64;  // events through which gradients flow
  size_t epochs = 5;
  double learning_rate = 0.008;
  float dropout = 0.25F;
  bool recency = true;
  Softmax softmax = Softmax::kAuto;
  int64_t session_gap = 1'800;
  uint64_t seed = 1;
  int threads = 0;
  TrainingMetadata metadata;
};

// What training makes.
struct Trained {
  Layout layout;
  AlignedFloats parameters;
  RecencyTable recency;
  std::vector<float> value_columns;
};

// Trains on `data`: on every user's whole history, E starting from `embedding` (items x
// options.embedding), or from and on what `warm` says, if it is not null.
// `stop` is asked at least every 50 ms, on the calling thread. Errors: kInterrupted when it says
// so, kNoMemory, kInternal if the numbers grow beyond bounds. The same for any number of threads.
Result<Trained> train(const TrainingView& data, const TrainingOptions& options,
                      std::span<const float> embedding, const WarmStart* warm, Progress& progress,
                      const std::function<bool()>& stop);

// About how long an epoch of that training takes, from a few windows of one that is thrown away.
// Errors: those of train().
Result<double> seconds_per_epoch(const TrainingView& data, const TrainingOptions& options,
                                 std::span<const float> embedding, Progress& progress,
                                 const std::function<bool()>& stop);

// How many groups the lanes are cut into, whatever the number of threads: as many as can be trained
// side by side, but each has a gradient of all parameters of a network of so many items, which must
// be written and summed.
size_t lane_groups(size_t lanes, size_t items);

// The parameters before training: E as given, Wx and Wo uniform, Wh three random orthogonal blocks,
// F and G_in normal, rho 0.3 if the recency mask is on, all else 0.
void initialise(const Layout& layout, bool recency, std::span<const float> embedding, uint64_t seed,
                std::span<float> parameters);

}  // namespace personalize::hrnn
