// What a search takes, known before it runs.
#pragma once

#include "engine/dataset/data_size.h"
#include "engine/training/job.h"
#include "engine/training/search_plan.h"

namespace personalize {

struct SearchCost {
  double seconds = 0;
  int fits = 0;  // at most
};

// Of all trials of `plan`, with their measuring. Where `epochs` is "auto", six are assumed.
SearchCost search_cost(const SearchPlan& plan, const TrainingOptions& options,
                       const DataSize& size);

// The hyperparameters of `candidate` with every range at its upper or lower end: of a trial that
// takes most, or least.
Hyperparameters largest_trial(const SearchCandidate& candidate);
Hyperparameters smallest_trial(const SearchCandidate& candidate);

}  // namespace personalize
