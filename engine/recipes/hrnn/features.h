// What the network sees of an event besides its item, and the recency table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dataset/sequences.h"

namespace personalize::hrnn {

// Columns: 0 ln(1 + seconds since the event before) / 10; 1 the user's first event; 2 no gap, and
// not the first; 3 gap over half an hour; 4 gap over a day; from 5 on one for each event value, if
// the data have 2 to 10 distinct ones.
inline constexpr size_t kGapFeatures = 5;
inline constexpr size_t kMostValues = 10;

struct EventFeatures {
  float log_gap = 0;  // column 0
  uint32_t set = 0;   // bit c: column c is 1
};

// The distinct event values of `data` in ascending order, or nothing if there are fewer than 2 or
// more than kMostValues.
std::vector<float> value_columns(const TrainingView& data);

// `gap`: seconds since the user's event before; `value` NaN: none.
EventFeatures event_features(bool first, int64_t gap, float value,
                             std::span<const float> value_columns);

// x += features times `matrix` (columns x size).
void add_features(const EventFeatures& features, const float* matrix, size_t size, float* x);
// gradient of `matrix` += features' outer product with `gradient` (size).
void add_feature_gradient(const EventFeatures& features, const float* gradient, size_t size,
                          float* matrix_gradient);

// How popular each item was lately, at the time of an event: R[bucket][j] = ln(c(j) + 0.1) less its
// mean over j, c(j) the events of j before the bucket starts, each halved every 30 days. Buckets
// start at quantiles of the events' times.
struct RecencyTable {
  std::vector<int64_t> starts;  // ascending
  std::vector<float> rows;      // buckets x items
};

RecencyTable recency_table(const TrainingView& data);

// Floats that the table of so many items has at most; there are fewer buckets the more items.
size_t recency_floats(size_t items);

// The bucket of an event: the last one that starts at or before its time, or the first.
size_t recency_bucket_of(std::span<const int64_t> starts, int64_t timestamp);

}  // namespace personalize::hrnn
