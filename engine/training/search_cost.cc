#include "engine/training/search_cost.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/math/parallel.h"
#include "engine/training/search.h"

namespace personalize {
namespace {

constexpr int64_t kAssumedEpochs = 6;

Hyperparameters at_end(const SearchCandidate& candidate, double SearchRange::*end) {
  Hyperparameters hyperparameters = candidate.hyperparameters;
  for (const SearchRange& range : candidate.ranges)
    if (range.values.empty()) hyperparameters.resolve(range.name, range.*end);
  return hyperparameters;
}

int64_t epochs_of(const SearchCandidate& candidate) {
  const auto& values = candidate.hyperparameters.values();
  if (!values.contains("epochs")) return 1;
  return candidate.hyperparameters.is_auto("epochs") ? kAssumedEpochs
                                                     : candidate.hyperparameters.integer("epochs");
}

}  // namespace

Hyperparameters largest_trial(const SearchCandidate& candidate) {
  return at_end(candidate, &SearchRange::maximum);
}

Hyperparameters smallest_trial(const SearchCandidate& candidate) {
  return at_end(candidate, &SearchRange::minimum);
}

SearchCost search_cost(const SearchPlan& plan, const TrainingOptions& options,
                       const DataSize& size) {
  SearchCost total;
  if (!plan.searches()) return total;
  const double users = std::min(static_cast<double>(size.users), double{kMostValidationUsers});
  const double events =
      static_cast<double>(size.events) * users / std::max(1.0, static_cast<double>(size.users));
  FitOptions fit;
  fit.threads = options.threads;
  const auto seconds = [&](const Recipe& recipe, const Hyperparameters& hyperparameters) {
    const FitCost cost = recipe.cost(size, hyperparameters, fit);
    return cost.seconds + (users * cost.score_seconds + events * cost.step_seconds) /
                              thread_count(options.threads);
  };
  double most = 0;
  int fits = 0;
  for (const SearchCandidate& candidate : plan.candidates) {
    total.seconds += seconds(*candidate.recipe, candidate.hyperparameters);
    total.fits++;
    if (plan.jobs == 1 || candidate.ranges.empty()) continue;
    const double each = (seconds(*candidate.recipe, smallest_trial(candidate)) +
                         seconds(*candidate.recipe, largest_trial(candidate))) /
                        2;
    const int64_t epochs = epochs_of(candidate);
    double shares = 0;
    int climbed = 0;
    auto trials = static_cast<size_t>(plan.jobs - 1);
    const int rungs = rung_count(trials, epochs);
    for (int rung = 1; rung <= rungs; rung++, trials = (trials + 1) / 2) {
      climbed += static_cast<int>(trials);
      shares += static_cast<double>(trials) * static_cast<double>(epochs >> (rungs - rung)) /
                static_cast<double>(epochs);
    }
    most = std::max(most, shares * each);
    fits = std::max(fits, climbed);
  }
  total.seconds += most;
  total.fits += fits;
  return total;
}

}  // namespace personalize
