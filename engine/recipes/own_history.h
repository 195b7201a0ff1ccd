// The own-history ("seen") term: what a user's having had an item says about his wanting it next.
// Never again for a film, often again in a shop; ten learned numbers tell which.
//
// After event k (k events are known, counted from 1), for every distinct item j among them:
//   S(j) = recency[bucket] + count_weight * ln n(j) + session_weight * ses(j)
// bucket = min(7, floor(log2(k - last(j) + 1))) with last(j) the last place where j occurs, n(j)
// how often it does, ses(j) = 1 if no gap longer than the session gap lies between last(j) and k.
// S is 0 for items never had.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/recipes/recipe.h"

namespace personalize {

inline constexpr size_t kRecencyBuckets = 8;

// The ten numbers, in the order in which models store them.
struct OwnHistoryWeights {
  std::array<float, kRecencyBuckets> recency{};
  float count_weight = 0;
  float session_weight = 0;
};
inline constexpr size_t kOwnHistoryParameters = kRecencyBuckets + 2;
static_assert(sizeof(OwnHistoryWeights) == kOwnHistoryParameters * sizeof(float));

// What the term sees of one item.
struct OwnItem {
  ItemIndex item = kNoItem;
  int32_t last = 0;   // place of its last event, from 0
  int32_t count = 0;  // how many events
};

// Seconds from one timestamp to another; what 64 bits can't hold is cut off.
inline int64_t seconds_between(int64_t from, int64_t to) {
  int64_t seconds = 0;
  if (!__builtin_sub_overflow(to, from, &seconds)) return seconds;
  return to < from ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

inline size_t recency_bucket(int32_t steps_since) {
  return std::min<size_t>(kRecencyBuckets, std::bit_width(static_cast<uint32_t>(steps_since) + 1)) -
         1;
}

inline float own_history_term(const OwnHistoryWeights& weights, const OwnItem& item,
                              int32_t last_place, int32_t session_start) {
  // Most items come once, and ln 1 is 0.
  const float log_count = item.count == 1 ? 0 : std::log(static_cast<float>(item.count));
  return weights.recency[recency_bucket(last_place - item.last)] +
         weights.count_weight * log_count +
         (item.last >= session_start ? weights.session_weight : 0);
}

// The distinct items of one user's events, kept up to date as events come in. Memory: 4 bytes an
// item of the vocabulary. Not for concurrent use.
class OwnHistory {
 public:
  // Makes room for items 0 .. item_count - 1, if there is not enough.
  void fit(size_t item_count) {
    if (slot_.size() < item_count) slot_.resize(item_count, -1);
  }
  // Forgets the events, not the room: for the next user. Time in proportion to the distinct items.
  void clear() {
    for (const OwnItem& own : items_) slot_[static_cast<size_t>(own.item)] = -1;
    items_.clear();
    events_ = session_start_ = 0;
  }
  // The user's next event. `gap`: seconds since the one before it.
  void add(ItemIndex item, int64_t gap, int64_t session_gap) {
    if (gap > session_gap) session_start_ = events_;
    int32_t& slot = slot_[static_cast<size_t>(item)];
    if (slot < 0) {
      slot = static_cast<int32_t>(items_.size());
      items_.push_back({item, 0, 0});
    }
    OwnItem& own = items_[static_cast<size_t>(slot)];
    own.last = events_++;
    ++own.count;
  }
  // The events of `history` instead of those known so far.
  void add_all(std::span<const ModelEvent> history, int64_t session_gap) {
    clear();
    for (size_t i = 0; i < history.size(); ++i)
      add(history[i].item,
          i == 0 ? 0 : seconds_between(history[i - 1].timestamp, history[i].timestamp),
          session_gap);
  }

  std::span<const OwnItem> items() const { return items_; }
  // The place of `item` in items(), -1 if the user never had it.
  int32_t place_of(ItemIndex item) const { return slot_[static_cast<size_t>(item)]; }
  int32_t last_place() const { return events_ - 1; }
  // Place of the first event of the running session.
  int32_t session_start() const { return session_start_; }

 private:
  std::vector<int32_t> slot_;  // an item's place in items_, -1 if it was not had
  std::vector<OwnItem> items_;
  int32_t events_ = 0;
  int32_t session_start_ = 0;
};

// The hyperparameter session_gap: seconds, or "auto".
HyperparameterSpec session_gap_spec();

// The session gap that "auto" stands for: half an hour, or half a day where nearly all timestamps
// lie on whole days.
int64_t automatic_session_gap(const TrainingView& data);

}  // namespace personalize
