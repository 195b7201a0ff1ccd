// How much memory the metadata and the contexts of a training take.
#pragma once

#include <functional>

#include "engine/status.h"
#include "engine/training/job.h"

namespace personalize {

// An upper bound of the bytes that a training takes at its peak for the rows of items and users and
// for the contexts of the interactions, while they are read and turned into columns. Counts them in
// one scan of each source, and keeps none. `stop` is asked once a row or user. Errors: kInterrupted
// when it says so, those of the scans.
Result<double> metadata_bytes(const TrainingSources& sources, const std::function<bool()>& stop);

}  // namespace personalize
