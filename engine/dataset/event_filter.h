// Which of the events of a source count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/dataset/sources.h"
#include "engine/status.h"

namespace personalize {

// Which events count, for training and for a user's state alike (event_type and
// event_value_threshold of a solution). Empty event_type: all. Event types match whatever their
// case (Amazon's rule). An event without a value does not pass a threshold.
struct EventFilter {
  std::string event_type;
  double event_value_threshold = 0;
  bool has_threshold = false;
};

// Asks a filter about the events of one source; looks up each event type's text once.
class FilterCheck {
 public:
  FilterCheck(EventSource& source, const EventFilter& filter) : source_(source), filter_(filter) {}

  // Errors: those of EventSource::event_type.
  Result<bool> passes(const Event& event);
  // Event type codes may mean other texts from now on.
  void forget() { type_.clear(); }

 private:
  enum class Answer : uint8_t { kUnknown, kYes, kNo };
  EventSource& source_;
  const EventFilter& filter_;
  std::vector<Answer> type_;  // by event type code
};

}  // namespace personalize
