// How much there is to learn from, counted without keeping any of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

#include "engine/dataset/event_filter.h"
#include "engine/dataset/sources.h"
#include "engine/status.h"

namespace personalize {

// Of the events that pass a filter.
struct DataSize {
  uint64_t events = 0;
  uint64_t users = 0;    // with at least one event
  uint64_t items = 0;    // distinct
  uint64_t longest = 0;  // events of the user with the most
  // Users with so many events; what is not below kLongLengths counts as longer.
  static constexpr uint64_t kLongLengths = 64;
  std::array<uint64_t, kLongLengths> users_of_length = {};

  // Pairs of events of a user of which the second is at most `window` places after the first;
  // window < kLongLengths. An upper bound where the lengths are not known.
  double transitions(uint64_t window) const;

  // Sum over users of the square of the number of their distinct items: how often two items come
  // together.
  double pairs = 0;
};

// Counts in one scan of `source`; memory: 8 bytes an item. `stop` is asked once a user. Errors:
// kInterrupted when it says so, those of the scan.
Result<DataSize> count_data(EventSource& source, const EventFilter& filter,
                            const std::function<bool()>& stop);

}  // namespace personalize
