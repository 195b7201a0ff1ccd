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

std::span<const float> UserState::after(const Model& model, std::span<const ModelEvent> history,
                                        const UserMemo& memo) {
  const size_t size = model.state_size();
  if (size == 0) return {};
  const bool remembered = memo.store != nullptr && memo.store->get(memo.key, stored_) &&
                          stored_.state.size() == size && stored_.event_count <= history.size() &&
                          stored_.chain_hash == history_hash(history.first(stored_.event_count));
  if (!remembered) {
    stored_.event_count = 0;
    stored_.state.assign(size, 0.0F);
    model.begin(stored_.state);
  }
  const size_t known = stored_.event_count;
  for (size_t i = known; i < history.size(); i++) model.step(history, i, stored_.state);
  const size_t folded = history.size() - known;
  if (memo.store != nullptr && (folded >= kWorthWriting || (!remembered && folded > 0)))
    memo.store->put(memo.key, history.size(), history_hash(history), stored_.state);
  return stored_.state;
}

}  // namespace personalize
