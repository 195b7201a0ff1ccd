// The recipes of the hrnn family: a recurrent network over the user's whole history, whose logits
// also hold what his having had an item says (learned with the network) and a windowed Markov chain
// (weighed on withheld events). After Ma et al., "Temporal-Contextual Recommendation in Real-Time"
// (KDD 2020), whom Amazon's HRNN follows: one network, told of sessions by its inputs.
#pragma once

#include "engine/recipes/recipe.h"

namespace personalize {

const Recipe& hrnn_recipe();

// The same, asked about a list of items.
const Recipe& personalized_ranking_recipe();

// With metadata: the network is told what is known of users and contexts, items learn from those
// they share metadata with, and items without events are placed by theirs.
const Recipe& hrnn_metadata_recipe();

// The same, with campaigns that give places to new items; what is new is said by hyperparameters,
// or by the campaign.
const Recipe& hrnn_coldstart_recipe();
const Recipe& user_personalization_recipe();

// The same, asked for the users of an item.
const Recipe& item_affinity_recipe();

}  // namespace personalize
