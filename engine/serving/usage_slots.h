// The rows of the usage file: a row is a slot of 512 bytes, all of them words that threads and
// processes add to at once. Read from a file that anybody may have written to: a slot whose key
// makes no sense is free.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/serving/usage.h"

namespace personalize {

struct alignas(64) UsageSlot {
  std::atomic<uint64_t> key;  // 0: free; set last. Marker << 56 | hour << 8 | kind
  std::atomic<uint64_t> campaign;
  std::atomic<uint64_t> throttled;
  std::atomic<uint32_t> latencies[kLatencyBuckets];  // of those served
};
static_assert(sizeof(UsageSlot) == 512);

// What the slot counts; nothing if it is free.
std::optional<UsageKey> key_of(const UsageSlot& slot);
UsageRow row_of(const UsageSlot& slot, const UsageKey& key);

// Slots are given out in a circle, so those of an hour stand together. `last` is the place of the
// one that was given out last, whatever stands there: it only says where to look first.

// The key's slot among those before `last` that are of its hour; null if it has none there.
UsageSlot* find_slot(std::span<UsageSlot> slots, uint64_t last, const UsageKey& key);

// Makes the next free slot after `last` the key's, and that the last; null if there is none. Two
// at once on the same slots would give two keys one slot.
UsageSlot* take_slot(std::span<UsageSlot> slots, std::atomic<uint64_t>& last, const UsageKey& key);

// Frees the slots of the oldest hour, unless that is the hour of `newest` or the one before, in
// which others may still be counting. False if nothing was freed.
bool free_oldest_hour(std::span<UsageSlot> slots, uint32_t newest);

}  // namespace personalize
