// popularity-count: an item's score is its number of distinct users. What unknown users are given
// by every other recipe, and the baseline beside every metric.
#pragma once

#include <vector>

#include "engine/recipes/recipe.h"

namespace personalize {

const Recipe& popularity_recipe();

// For each item of the vocabulary, the number of distinct users who have it in their training
// events.
std::vector<float> distinct_users(const TrainingView& data);

}  // namespace personalize
