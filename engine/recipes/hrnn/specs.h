// The hyperparameters of the hrnn recipes.
#pragma once

#include <vector>

#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

// `cold_start`: with those that say which items hrnn-coldstart takes for new.
std::vector<HyperparameterSpec> hyperparameter_specs(bool cold_start);

}  // namespace personalize::hrnn
