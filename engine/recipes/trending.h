// trending-now: items whose interactions grow fastest, the same for all users.
//
// Time is cut into windows of `trend_discovery_frequency`, the last of which ends with the newest
// event. With r the users who had an item in the last window, and e the number to be expected from
// the seven windows before it, if the item had kept its share of all interactions, an item's score
// is a lower bound of how many times as much it is had as before:
//
//   (r + a - z sqrt(r + a)) / (e + a),  a = 5, z = 1.64
//
// the mean of r / e under a gamma prior of weight a around 1, less z standard deviations (the
// posterior of a Poisson rate). So one event of a new item does not top the list: it takes a
// handful. Shares, not numbers: an evening when everything is had twice as much is no trend.
// Where the windows hold too little to tell anything, they are doubled until they do.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/recipes/recipe.h"

namespace personalize {

const Recipe& trending_recipe();

// How often items were had lately; a user counts once an item and window.
struct TrendCounts {
  int64_t window = 0;          // seconds
  std::vector<float> last;     // by item, in the last window
  std::vector<float> earlier;  // in the seven windows before, together
};

// Counts over windows of `window` seconds, doubled until the last one and those before it hold
// kFewestTrendCounts each, or the last one holds everything. kInterrupted where stop() says so.
inline constexpr int kEarlierWindows = 7;
inline constexpr double kFewestTrendCounts = 50;
Result<TrendCounts> count_trends(const TrainingView& data, int64_t window,
                                 const std::function<bool()>& stop);

// The score of an item that was had r times in the last window where e times were expected.
double trend_score(double r, double e);

}  // namespace personalize
