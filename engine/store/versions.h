// The solution versions in a model store, as records.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "engine/store/model_store.h"
#include "engine/store/records.h"

namespace personalize {

// Version 'solution/number', or nothing. Error: kCorrupt and what the store says.
Result<std::optional<VersionRecord>> find_version(ModelStore& store, std::string_view solution,
                                                  int number);

// The versions of `solution` by number; of all solutions, by name, if it is empty.
Result<std::vector<VersionRecord>> list_versions(ModelStore& store, std::string_view solution);

// The newest ACTIVE version of `solution`: what 'solution/latest' means. Nothing if there is none.
Result<std::optional<VersionRecord>> latest_version(ModelStore& store, std::string_view solution);

Result<std::vector<MetricRow>> list_metrics(ModelStore& store, std::string_view solution,
                                            int number);

// By sequence.
Result<std::vector<LogRow>> list_log(ModelStore& store, std::string_view solution, int number);

// Removes the version with its model, metrics and log, in one transaction. The memory of it that
// running questions hold stays valid. It is not an error if there is no such version.
Status erase_version(ModelStore& store, std::string_view solution, int number);

}  // namespace personalize
