// The recipes `hrnn` and `personalized-ranking`: a recurrent network over the user's whole history,
// whose logits also hold what his having had an item says (learned with the network) and a windowed
// Markov chain (weighed on withheld events). After Ma et al., "Temporal-Contextual Recommendation
// in Real-Time" (KDD 2020), whom Amazon's HRNN follows: one network, told of sessions by its
// inputs.
#pragma once

#include "engine/recipes/recipe.h"

namespace personalize {

const Recipe& hrnn_recipe();

// The same, asked about a list of items.
const Recipe& personalized_ranking_recipe();

}  // namespace personalize
