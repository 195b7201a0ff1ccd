#include "engine/serving/user_state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "engine/math/dispatch.h"

namespace personalize {
namespace {

// Folding fewer events than this again is cheaper than writing the memo (6 us against 1 us a step).
constexpr size_t kWorthWriting = 4;

// What of an event tells its columns from others: mixed into the hash where there are any.
uint64_t hash_columns(const ModelEvent& event, uint64_t seed) {
  const uint64_t side =
      XXH3_64bits_withSeed(event.columns.data(), event.columns.size_bytes(), seed);
  return XXH3_64bits_withSeed(event.item_columns.data(), event.item_columns.size_bytes(), side);
}

}  // namespace

uint64_t history_hash(std::span<const ModelEvent> history) {
  // Seeded with the instruction set: another one's states differ in their last bits.
  static const uint64_t seed = XXH3_64bits(kernels().isa, std::strlen(kernels().isa));
  uint64_t hash = seed;
  for (const ModelEvent& event : history) {
    // An unseen item's number may be another one at the next question: its columns tell it.
    const struct {
      int64_t timestamp;
      int32_t item;
      float value;
    } plain = {event.timestamp, event.item_columns.empty() ? event.item : kNoItem, event.value};
    static_assert(sizeof(plain) == 16);
    hash = XXH3_64bits_withSeed(&plain, sizeof(plain), hash);
    if (!event.columns.empty() || !event.item_columns.empty()) hash = hash_columns(event, hash);
  }
  return hash;
}

namespace {

// Makes `stored` the memo if it is one of this history's, else the start. False: there was none.
bool recall(const Model& model, std::span<const ModelEvent> history, const UserMemo& memo,
            StoredState& stored) {
  const size_t size = model.state_size();
  if (memo.store != nullptr && memo.store->get(memo.key, stored) && stored.state.size() == size &&
      stored.event_count <= history.size() &&
      stored.chain_hash == history_hash(history.first(stored.event_count)))
    return true;
  stored.event_count = 0;
  stored.state.assign(size, 0.0F);
  model.begin(stored.state);
  return false;
}

// Writes the memo of a state that was recalled and folded, where it is worth it.
void remember(std::span<const ModelEvent> history, const UserMemo& memo, bool recalled,
              const StoredState& stored) {
  const size_t folded = history.size() - stored.event_count;
  if (memo.store != nullptr && (folded >= kWorthWriting || (!recalled && folded > 0)))
    memo.store->put(memo.key, history.size(), history_hash(history), stored.state);
}

}  // namespace

std::span<const float> UserState::after(const Model& model, std::span<const ModelEvent> history,
                                        const UserMemo& memo) {
  if (model.state_size() == 0) return {};
  const bool recalled = recall(model, history, memo, stored_);
  model.advance(history, stored_.event_count, history.size(), stored_.state);
  remember(history, memo, recalled, stored_);
  return stored_.state;
}

std::span<const float> UserState::from(const Model& model, std::span<const ModelEvent> history,
                                       size_t folded, std::span<const float> state) {
  stored_.state.assign(state.begin(), state.end());
  if (!state.empty()) model.advance(history, folded, history.size(), stored_.state);
  return stored_.state;
}

void UserStates::after(const Model& model, std::span<const Asked> users) {
  if (stored_.size() < users.size()) stored_.resize(users.size());
  for (StoredState& stored : stored_) stored.state.clear();
  if (model.state_size() == 0) return;
  recalled_.clear();
  foldings_.clear();
  for (size_t i = 0; i < users.size(); i++) {
    recalled_.push_back(recall(model, users[i].history, users[i].memo, stored_[i]));
    if (stored_[i].event_count < users[i].history.size())
      foldings_.push_back({users[i].history, stored_[i].event_count, stored_[i].state});
  }
  model.fold(foldings_);
  for (size_t i = 0; i < users.size(); i++)
    remember(users[i].history, users[i].memo, recalled_[i], stored_[i]);
}

}  // namespace personalize
