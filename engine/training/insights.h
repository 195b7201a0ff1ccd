// What the data of a dataset group say about themselves before anything learns from them: what
// Amazon Personalize calls data insights, and more. Each is a figure and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/sequences.h"

namespace personalize {

enum class Severity {
  kError,    // a training fails, or learns nonsense
  kWarning,  // a model will be worse than it need be
  kNote,     // worth knowing
};
// "error", "warning", "note".
std::string_view severity_name(Severity severity);

struct Insight {
  Severity severity = Severity::kNote;
  std::string insight;  // a name that stays: "timestamps_in_the_future"
  std::string subject;  // what of: "interactions", "items", "users", or a column
  double figure = 0;    // what the advice is about: a number or a share
  std::string advice;   // one sentence, with the figure in it
};

// The insights into `sequences`, which hold all interactions without a filter, and, where there are
// such datasets, into `items` and `users` (null: none); the worst first, then in a fixed order.
// `now`: Unix seconds. Nothing to tell: none. Time in proportion to the rows.
std::vector<Insight> data_insights(const Sequences& sequences, const MetadataTable* items,
                                   const MetadataTable* users, int64_t now);

}  // namespace personalize
