// Tries what a SearchPlan holds on a validation split, and keeps the best.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/records.h"
#include "engine/training/search_plan.h"
#include "engine/training/search_space.h"

namespace personalize {

// Whom a search asks, at most: with more, two models are not told apart much better.
inline constexpr size_t kMostValidationUsers = 10'000;

// The rungs of so many trials, each half as many (rounded up) as those of the rung before, where
// the last rung has `epochs` epochs, the one before it half as many (rounded down), ..., the first
// one at least.
int rung_count(size_t trials, int64_t epochs);

// What one trial reached.
struct TrialOutcome {
  std::vector<MetricRow> metrics;   // on the validation split
  Hyperparameters hyperparameters;  // with "auto" resolved
  double seconds = 0;               // that it took
};

// The training that a search is part of.
class TrialHost {
 public:
  virtual ~TrialHost() = default;
  // Fits and measures. Always on the same data and with the same seed; budget_seconds as in
  // FitOptions. kInvalidInput: these can make no model of these data; any other error ends the
  // search.
  virtual Result<TrialOutcome> run(const Recipe& recipe, const Hyperparameters& hyperparameters,
                                   double budget_seconds) = 0;
  // A row of the training log.
  virtual Status log(std::string_view stage, std::string message) = 0;
};

// Seconds for a search and what comes after it. 0: no limit.
struct SearchBudget {
  double seconds = 0;
  int later_fits = 1;
};

struct SearchResult {
  const Recipe* recipe = nullptr;
  Hyperparameters hyperparameters;  // of the best trial; "auto" stays where nothing was drawn
  Settings tuned;                   // those of them that the search has found; none: the defaults
  double fit_seconds = 0;  // what each of the later fits may use of the budget; 0: no limit
};

// First every candidate of the plan with its own hyperparameters, where one that can make no model
// is left out with a note. Then, with plan.jobs > 1, other hyperparameters for the best of them
// (search_space.h): all of them with few epochs (the hyperparameter `epochs`), the better half with
// twice as many, and so on, the last rung with as many as the first trial had. Recipes without
// epochs have one rung. The best of the last rung is taken if it is better than the first trial, so
// the result is never worse than that on the validation split. Each trial is a row of stage 'trial'
// in the log, whose message is a JSON object: trial, recipe, rung, rungs, epochs, hyperparameters,
// metric, value, seconds; `failed` says why there is no value. Deterministic where there is no
// budget. Where the budget ends, the best of the trials that had as many epochs as the first is
// taken. Errors: those of host.
Result<SearchResult> search(const SearchPlan& plan, uint64_t seed, const SearchBudget& budget,
                            TrialHost& host);

}  // namespace personalize
