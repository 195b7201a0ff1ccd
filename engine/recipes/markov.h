// The recipe `markov`: a windowed Markov chain of items with popularity behind it and the
// own-history term. Trained in under a second, and what an honest claim of any other recipe must
// beat.
//   score(j) = a * (ln(events of j + 1) - mean) + w * L(j) + D(j)
// a, w and D are fitted on withheld events (engine/recipes/calibration.h); a is made
// smaller where that ranks them better.
#pragma once

#include "engine/recipes/recipe.h"

namespace personalize {

const Recipe& markov_recipe();

}  // namespace personalize
