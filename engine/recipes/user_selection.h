// Which users, and which of their events, a recipe learns from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/recipes/recipe.h"

namespace personalize {

// The specs of min_/max_user_history_length_percentile, with our defaults.
HyperparameterSpec minimum_history_percentile_spec();
HyperparameterSpec maximum_history_percentile_spec();

// `data` without the events of users who are not within the percentiles (users_within_percentiles).
TrainingView select_users(const TrainingView& data, double minimum, double maximum);

// A training that keeps some users' last events back, to fit a few weights on them.
struct CalibrationSplit {
  TrainingView rest;
  std::vector<size_t> users;  // ascending; the event at rest.end[user] is the withheld one
};

// Keeps back the last event of at most `limit` users, drawn by `seed` from those who have three
// events or more, but of no more than one in `least_share` of them.
CalibrationSplit withhold_last_events(const TrainingView& data, size_t limit, size_t least_share,
                                      uint64_t seed);

// The events of one user, as a model sees them.
void user_history(const Sequences& sequences, int64_t begin, int64_t end,
                  std::vector<ModelEvent>& history);

}  // namespace personalize
