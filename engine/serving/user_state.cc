#include "engine/serving/user_state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "engine/math/dispatch.h"

namespace personalize {
namespace {

// Folding fewer events than this again is cheaper than writing the memo (6 us against 1 us a step).
constexpr size_t kWorthWriting = 4;

// Their bytes are hashed as they lie in memory.
static_assert(sizeof(ModelEvent) ==
              sizeof(ModelEvent::timestamp) + sizeof(ModelEvent::item) + sizeof(ModelEvent::value));

}  // namespace

uint64_t history_hash(std::span<const ModelEvent> history) {
  // Seeded with the instruction set: another one's states differ in their last bits.
  static const uint64_t seed = XXH3_64bits(kernels().isa, std::strlen(kernels().isa));
  return XXH3_64bits_withSeed(history.data(), history.size_bytes(), seed);
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
