// The events of all users as flat arrays, in the order in which recipes learn from them: one user
// after the other, each by timestamp, then arrival.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/contexts.h"
#include "engine/dataset/event_filter.h"
#include "engine/dataset/sources.h"
#include "engine/dataset/vocabulary.h"
#include "engine/ids.h"
#include "engine/status.h"

namespace personalize {

// How ties (equal timestamps of one user) are ordered before training.
enum class TieOrder { kAuto, kArrival, kShuffled };

struct Sequences {
  VocabularyBuilder items;
  std::vector<std::string> users;  // text ids
  std::vector<int64_t> start;      // users + 1: user u's events are start[u] .. start[u+1] - 1
  std::vector<ItemIndex> item;     // one an event, as the next three
  std::vector<int64_t> timestamp;
  std::vector<float> value;  // NaN: none
  // What the interactions' contextual columns say, if that was asked for and they have some; else
  // both are empty.
  Contexts contexts;
  std::vector<uint32_t> context;  // one an event: its row of `contexts`
  size_t rows_read = 0;           // before the filter
  bool ties_shuffled = false;     // what TieOrder::kAuto decided, see read_sequences
  double tied_share = 0;          // share of neighbouring events of a user with equal timestamps

  size_t user_count() const { return users.size(); }
  size_t item_count() const { return items.size(); }
  size_t event_count() const { return item.size(); }
};

// The part of each user's events that may be learned from: start[u] .. end[u] - 1. The events after
// end[u] are withheld (evaluation), or there are none (the final fit).
struct TrainingView {
  const Sequences* sequences = nullptr;
  std::vector<int64_t> end;  // one a user, start[u] <= end[u] <= start[u+1]

  static TrainingView everything(const Sequences& sequences) {
    return {&sequences, {sequences.start.begin() + 1, sequences.start.end()}};
  }
  int64_t begin(size_t user) const { return sequences->start[user]; }
  int64_t length(size_t user) const { return end[user] - sequences->start[user]; }
};

// Reads all events of `source` that pass `filter`. With TieOrder::kAuto it looks whether ties are
// many and stand in ascending or descending order of the item id (a table that was loaded in item
// order would teach "the next id is larger" and inflate every metric); if so it shuffles inside
// ties, seeded by `seed`, and sets ties_shuffled. Same source, filter and seed: the same arrays.
// `with_context`: whether their contexts are read, too.
Result<Sequences> read_sequences(EventSource& source, const EventFilter& filter, TieOrder tie_order,
                                 uint64_t seed, bool with_context = false);

}  // namespace personalize
