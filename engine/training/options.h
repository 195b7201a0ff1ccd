// Inside of a training: what TrainingOptions and Solution of job.h come down to.
#pragma once

#include <string_view>

#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/training/job.h"

namespace personalize {

// The solution's hyperparameters for `recipe`, those of its feature_transformation among them
// (which win where both name one). Errors: kInvalidInput.
Result<Hyperparameters> solution_hyperparameters(const Solution& solution, const Recipe& recipe);

// As in the options: "amazon", "leave-one-out", ...
std::string_view evaluation_name(Evaluation evaluation);

}  // namespace personalize
