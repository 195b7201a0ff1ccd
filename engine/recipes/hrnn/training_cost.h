// What a training takes, known before it: the choice between the full and the sampled softmax, and
// what an estimate tells the user.
#pragma once

#include <cstddef>

#include "engine/recipes/hrnn/trainer.h"

namespace personalize::hrnn {

struct TrainingCost {
  double bytes = 0;      // the most memory at one time, beyond the events themselves
  double seconds = 0;    // with options.threads, on this machine's instruction set
  bool sampled = false;  // which softmax options.softmax comes to
};

// The cost of fitting hrnn: counts, start of E, options.epochs epochs and the model's bytes.
// `events`: those that are learned from, of all users. `shape.features` may be 0.
//
// Seconds are arithmetic: multiplications and additions of the network and its loss over what one
// thread was measured to do with each instruction set, plus the memory that an update moves. They
// are right within a factor of two where nothing else uses the cores.
//
// Softmax::kAuto is full up to kAlwaysFullItems items and sampled from kAlwaysSampledItems on,
// where the full one would move gigabytes at each update. Between them it is sampled if one thread
// would take more than kBearableSeconds with the full one and kDearer times what it takes with the
// sampled one; that is decided without options.threads, so that the model is the same whatever the
// number of threads.
TrainingCost training_cost(const Shape& shape, size_t events, const TrainingOptions& options);

inline constexpr size_t kAlwaysFullItems = 20'000;
inline constexpr size_t kAlwaysSampledItems = 250'000;
inline constexpr double kBearableSeconds = 600;
inline constexpr double kDearer = 3;

}  // namespace personalize::hrnn
