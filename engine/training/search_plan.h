// What is to be tried before a solution is fitted: the recipes of perform_automl, the
// hyperparameters of perform_hpo.
#pragma once

#include <vector>

#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/training/job.h"
#include "engine/training/search_config.h"

namespace personalize {

struct SearchCandidate {
  const Recipe* recipe = nullptr;
  Hyperparameters hyperparameters;  // the solution's own
  std::vector<SearchRange> ranges;  // to draw others from; none without perform_hpo
};

struct SearchPlan {
  // One, unless perform_automl; then equally good ones are chosen in this order.
  std::vector<SearchCandidate> candidates;
  int jobs = 1;  // with perform_hpo, the trials of one recipe, the first with its own values
  SearchObjective objective;

  // Whether there is anything to try.
  bool searches() const { return candidates.size() > 1 || jobs > 1; }
};

// Of a solution without perform_automl and perform_hpo: its recipe and hyperparameters. Errors:
// kNotFound or kInvalidInput for whatever of the solution could never be trained: recipe,
// hyperparameters, feature_transformation, hpo_config.
Result<SearchPlan> search_plan(const Solution& solution);

}  // namespace personalize
