// The version that a training with training_mode UPDATE goes on from.
#pragma once

#include <memory>

#include "engine/dataset/vocabulary.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/model_store.h"
#include "engine/store/records.h"
#include "engine/training/job.h"
#include "engine/training/search_plan.h"
#include "engine/training/search_space.h"

namespace personalize {

struct PreviousVersion {
  VersionRecord record;
  std::shared_ptr<const AlignedBytes> bytes;
  Vocabulary vocabulary;  // views into bytes
  BlobView blob;          // as well

  PreviousModel model() const { return {blob, &vocabulary, *record.newest_event}; }
  // `hyperparameters` with "auto" as it came out in this version, where they must be the same.
  Hyperparameters shaped(Hyperparameters hyperparameters, const Recipe& recipe) const;
};

// The newest ACTIVE version of `solution`. Errors: kNotFound if it has none; kInvalidInput, naming
// what differs, if that one is of another recipe, learned from other events (event_type,
// event_value_threshold) or has another shape than `hyperparameters` ask for
// (Recipe::update_needs_same); kCorrupt if it is damaged. All but the last name FULL as what helps.
Result<PreviousVersion> find_previous_version(ModelStore& store, const Solution& solution,
                                              const Recipe& recipe,
                                              const Hyperparameters& hyperparameters);

// Makes of a plan that searches one that keeps to what the newest ACTIVE version of `solution` has
// found, and returns the hyperparameters which that version's search has found, as VersionRecord
// has them. Errors: kNotFound if there is none; kInvalidInput if it is of a recipe that is not in
// the plan.
Result<Settings> go_on_with_choice(ModelStore& store, const Solution& solution, SearchPlan& plan);

}  // namespace personalize
