// What a training would take, known before it runs.
#pragma once

#include <functional>

#include "engine/dataset/data_size.h"
#include "engine/dataset/sources.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/training/job.h"

namespace personalize {

struct TrainingEstimate {
  DataSize size;
  // At its peak, over what the process had before; not below what will be used.
  double bytes = 0;
  // Of the clock, where nothing else keeps the machine busy: reading, search, fits and evaluation.
  double seconds = 0;
  int fits = 0;  // of the search (at most), of the evaluation and the final one
};

// Counts the events, and for recipes that use it the metadata, and says what train() would take
// with them: where it searches, with the most expensive of what it may try. `stop` is asked during
// the scans. Errors: those of search_plan, kInterrupted, those of the scans.
Result<TrainingEstimate> estimate_training(const Solution& solution, const TrainingOptions& options,
                                           const TrainingSources& sources,
                                           const std::function<bool()>& stop);

// Whether train() may start: kLimitExceeded, with the figures and what would be right, if it would
// take more than options.max_memory (0: no limit). Counts the events only if the source's bounds
// do not settle it. The other errors are those of estimate_training.
Status check_training_memory(const Solution& solution, const TrainingOptions& options,
                             const TrainingSources& sources, const std::function<bool()>& stop);

}  // namespace personalize
