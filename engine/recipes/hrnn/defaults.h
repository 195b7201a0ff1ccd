// What the hyperparameters that are left to the recipe ("auto") come to, from how much there is to
// learn from. The figures behind each rule: doc/hrnn.md, "Ablations".
#pragma once

#include <cstddef>

namespace personalize::hrnn {

struct Defaults {
  size_t hidden = 128;
  // Fixed before training: the learning rate falls to zero over them.
  size_t epochs = 5;
  double learning_rate = 0.008;
};

// `events`: those that are learned from; `users`: who have at least one of them.
Defaults defaults_for(size_t events, size_t users);

}  // namespace personalize::hrnn
