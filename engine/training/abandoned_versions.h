// Versions whose training ended with its process: nobody would ever say so of them.
#pragma once

#include "engine/status.h"
#include "engine/store/model_store.h"

namespace personalize {

// Marks versions that are CREATE IN_PROGRESS but whose process is gone as CREATE FAILED ("the
// process that trained it ended"). Called when a store is first opened by a process, and before a
// training.
Status fail_abandoned_versions(ModelStore& store);

}  // namespace personalize
