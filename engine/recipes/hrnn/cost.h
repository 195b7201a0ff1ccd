// What HrnnRecipe::fit and its model take as a whole: the network's training and what stands around
// it.
#pragma once

#include "engine/dataset/data_size.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

// Of Markov counts, the first item vectors, the epochs that `budget_seconds` (0: all) leaves, and
// calibration on at most `calibration_users` users. `metadata`: whether it is learned from; how
// many columns it has is not known before it is read, so bounds of them are taken.
FitCost fit_cost(const DataSize& size, const TrainingOptions& options, size_t calibration_users,
                 double budget_seconds, bool metadata = false);

}  // namespace personalize::hrnn
