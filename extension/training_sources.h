// What a training of a solution reads, opened.
#pragma once

#include <memory>

#include "engine/status.h"
#include "engine/training/job.h"
#include "extension/catalog.h"
#include "extension/connection.h"

namespace personalize {

// Lives no longer than the connection it was opened with.
struct OpenTrainingSources {
  std::unique_ptr<EventSource> events;
  std::unique_ptr<MetadataSource> items, users;  // null: there are none, or nobody reads them
  TrainingSources sources() const { return {*events, items.get(), users.get()}; }
};

// The interactions of the solution's group, and its items and users if the recipe uses metadata (or
// is still to be chosen). Errors: those of open_event_source and open_metadata_source.
Result<OpenTrainingSources> open_training_sources(Connection& connection,
                                                  const SolutionEntry& entry);

}  // namespace personalize
