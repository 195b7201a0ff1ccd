// What a trained network says of the events that were withheld from its training, for the few
// numbers that are fitted on them.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "engine/recipes/calibration.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/user_selection.h"
#include "engine/status.h"

namespace personalize::hrnn {

// With fewer withheld events nothing is fitted on them.
inline constexpr size_t kFewestCases = 50;

struct Withheld {
  std::vector<float> logits;           // cases x items, with own-history terms
  std::vector<float> outputs;          // y, cases x D
  std::vector<CalibrationCase> cases;  // whose `base` are the logits
};

// Asks about all withheld events of `split`, whose contexts `side` (or null) tells. Errors:
// kInterrupted when `stop` says so.
Result<Withheld> ask_withheld(const CalibrationSplit& split, const Trained& trained,
                              int64_t session_gap, const MarkovCounts& counts,
                              const SideColumns* side, const std::function<bool()>& stop);

// The network's and the Markov chain's weight; what is good without fitting if there are fewer than
// kFewestCases. Errors: as above.
Result<CalibrationWeights> fit_weights(const Withheld& withheld, const std::function<bool()>& stop);

}  // namespace personalize::hrnn
