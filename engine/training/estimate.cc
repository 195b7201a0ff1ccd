#include "engine/training/estimate.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/math/machine_speed.h"
#include "engine/math/parallel.h"
#include "engine/training/memory_size.h"
#include "engine/training/metadata_size.h"
#include "engine/training/search.h"
#include "engine/training/search_cost.h"
#include "engine/training/search_plan.h"

namespace personalize {
namespace {

// What SQLite's page cache, the store's transaction, the threads' stacks and our own code take in
// all.
constexpr double kFixedBytes = 5.5e6;
// Of a model that is stored: its sections, the blob, the store's value and pages, and what the
// allocator keeps of them.
constexpr double kModelCopies = 4.5;
constexpr double kStoreSeconds = 0.02;
constexpr double kStoredBytesASecond = 3e8;

// Of the Sequences and the views on them, with what reading them needs besides.
double data_bytes(const DataSize& size) {
  constexpr double kEvent = 16 + 4;   // and the copy of the last array that grew
  constexpr double kUser = 40 + 24;   // and where the events of three views end
  constexpr double kItem = 32 + 200;  // and the source's dictionary
  return kEvent * static_cast<double>(size.events) + kUser * static_cast<double>(size.users) +
         kItem * static_cast<double>(size.items) + 24 * static_cast<double>(size.longest);
}

// One thing that is measured: the model of `cost`, asked about the test users.
double measuring_seconds(const FitCost& cost, double users, double events, int threads) {
  return (users * cost.score_seconds + events * cost.step_seconds) / threads;
}

struct Parts {
  const Recipe& recipe;
  Hyperparameters hyperparameters;
};

// Of one recipe with given hyperparameters: everything but the seconds of reading.
Result<TrainingEstimate> estimate(const Parts& parts, const TrainingOptions& options,
                                  const DataSize& size) {
  const bool evaluated = options.evaluation != Evaluation::kNone;
  const int seeds = evaluated ? options.seeds : 0;
  const int fits = std::max(1, seeds + (options.final_fit ? 1 : 0));
  FitOptions fit;
  fit.threads = options.threads;
  fit.budget_seconds = options.budget_seconds / fits;
  const FitCost cost = parts.recipe.cost(size, parts.hyperparameters, fit);

  TrainingEstimate result;
  result.size = size;
  result.fits = fits;
  result.bytes = std::max(cost.bytes, kModelCopies * cost.model_bytes);
  result.seconds = fits * cost.seconds + kStoreSeconds + cost.model_bytes / kStoredBytesASecond;
  if (evaluated) {
    const double share = options.evaluation == Evaluation::kAmazon ? 0.1 : 1;
    const double users = share * static_cast<double>(size.users);
    const double events = share * static_cast<double>(size.events);
    const int threads = thread_count(options.threads);
    double one = measuring_seconds(cost, users, events, threads);
    for (const std::string_view name : {"popularity-count", "markov"}) {
      PERSONALIZE_ASSIGN_OR_RETURN(const Recipe* rival, find_recipe(name));
      PERSONALIZE_ASSIGN_OR_RETURN(const Hyperparameters defaults,
                                   Hyperparameters::parse("", rival->hyperparameters()));
      const FitCost rivals = rival->cost(size, defaults, fit);
      one += rivals.seconds + measuring_seconds(rivals, users, events, threads);
      // The model that they are measured beside is still there.
      result.bytes = std::max({result.bytes, cost.model_bytes + rivals.bytes,
                               cost.model_bytes + kModelCopies * rivals.model_bytes});
    }
    result.seconds += seeds * one;
    result.bytes += 150 * users;  // the split
    if (!options.final_fit) result.bytes += cost.model_bytes;
  }
  result.bytes += data_bytes(size) + kFixedBytes;
  return result;
}

// Of whatever may come of `plan`, and the search before it.
Result<TrainingEstimate> estimate(const SearchPlan& plan, const TrainingOptions& options,
                                  const DataSize& size) {
  TrainingEstimate most;
  for (const SearchCandidate& candidate : plan.candidates) {
    for (Hyperparameters hyperparameters : {candidate.hyperparameters, largest_trial(candidate)}) {
      PERSONALIZE_ASSIGN_OR_RETURN(
          const TrainingEstimate one,
          estimate({*candidate.recipe, std::move(hyperparameters)}, options, size));
      const double bytes = std::max(most.bytes, one.bytes);
      if (one.seconds >= most.seconds) most = one;
      most.bytes = bytes;
    }
  }
  if (options.mode == TrainingMode::kUpdate || !plan.searches()) return most;
  const SearchCost cost = search_cost(plan, options, size);
  most.fits += cost.fits;
  most.seconds +=
      options.budget_seconds > 0 ? std::min(cost.seconds, options.budget_seconds) : cost.seconds;
  const auto users = std::min(static_cast<double>(size.users), double{kMostValidationUsers});
  most.bytes += 150 * users;  // the split for validation
  return most;
}

// Bytes of the metadata, if a recipe that the training may come to reads it.
Result<double> bytes_of_metadata(const SearchPlan& plan, const TrainingSources& sources,
                                 const std::function<bool()>& stop) {
  const bool is_read =
      std::any_of(plan.candidates.begin(), plan.candidates.end(),
                  [](const SearchCandidate& one) { return one.recipe->uses_metadata(); });
  if (!is_read) return 0.0;
  return metadata_bytes(sources, stop);
}

// What would take less, in words.
std::string advice(const Recipe& recipe) {
  std::string less;
  for (const HyperparameterSpec& spec : recipe.hyperparameters()) {
    if (spec.name == "softmax") less += "the hyperparameter softmax = 'sampled', ";
    if (spec.name == "hidden_dimension") less += "a smaller hidden_dimension or ";
    if (spec.name == "embedding_dimension") less += "embedding_dimension, ";
  }
  return fmt::format(
      "INSERT OR REPLACE INTO personalize_settings VALUES ('max_training_memory', ...) raises it; "
      "{}fewer interactions (the solution's event_type, event_value_threshold) take less",
      less);
}

}  // namespace

Result<TrainingEstimate> estimate_training(const Solution& solution, const TrainingOptions& options,
                                           const TrainingSources& sources,
                                           const std::function<bool()>& stop) {
  PERSONALIZE_ASSIGN_OR_RETURN(const SearchPlan plan, search_plan(solution));
  const double start = thread_seconds();
  PERSONALIZE_ASSIGN_OR_RETURN(const DataSize size,
                               count_data(sources.events, solution.filter, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(const double metadata, bytes_of_metadata(plan, sources, stop));
  const double reading = thread_seconds() - start;
  PERSONALIZE_ASSIGN_OR_RETURN(TrainingEstimate result, estimate(plan, options, size));
  result.seconds += reading;
  result.bytes += metadata;
  return result;
}

Status check_training_memory(const Solution& solution, const TrainingOptions& options,
                             const TrainingSources& sources, const std::function<bool()>& stop) {
  if (options.max_memory == 0) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const SearchPlan plan, search_plan(solution));
  PERSONALIZE_ASSIGN_OR_RETURN(const double metadata, bytes_of_metadata(plan, sources, stop));
  const auto most = static_cast<double>(options.max_memory);
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<SourceBounds> bounds, sources.events.bounds());
  if (bounds) {
    const auto events = static_cast<double>(bounds->events);
    DataSize size;
    size.events = size.longest = bounds->events;
    size.users = bounds->users;
    size.items = bounds->items;
    size.pairs = events * events;
    PERSONALIZE_ASSIGN_OR_RETURN(const TrainingEstimate bound, estimate(plan, options, size));
    if (bound.bytes + metadata <= most) return Status::ok();
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const DataSize size,
                               count_data(sources.events, solution.filter, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(const TrainingEstimate exact, estimate(plan, options, size));
  if (exact.bytes + metadata <= most) return Status::ok();
  std::string names;
  for (const SearchCandidate& candidate : plan.candidates)
    names += fmt::format("{}{}", names.empty() ? "" : " or ", candidate.recipe->name());
  if (plan.jobs > 1) names += " (the largest that the search may try)";
  return {StatusCode::kLimitExceeded,
          fmt::format("training '{}' with {} on {} interactions of {} users and {} items would "
                      "take up to {} of memory, and max_training_memory is {}; {}",
                      solution.name, names, size.events, size.users, size.items,
                      memory_size_text(exact.bytes + metadata), memory_size_text(most),
                      advice(*plan.candidates.back().recipe))};
}

}  // namespace personalize
