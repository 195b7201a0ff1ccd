#include "engine/serving/usage_slots.h"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace personalize {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint64_t kMarker = 0x55;
constexpr int kMarkerShift = 56;
constexpr int kHourShift = 8;

uint64_t word_of(const UsageKey& key) {
  return kMarker << kMarkerShift | uint64_t{key.hour} << kHourShift |
         static_cast<uint64_t>(key.kind);
}

}  // namespace

std::string_view question_kind_name(QuestionKind kind) {
  constexpr std::array<std::string_view, kQuestionKinds> kNames = {
      "recommend", "rank", "similar", "score", "explain", "segment", "batch"};
  return kNames[static_cast<size_t>(kind)];
}

std::optional<UsageKey> key_of(const UsageSlot& slot) {
  const uint64_t word = slot.key.load(std::memory_order_acquire);
  const uint64_t hour = (word >> kHourShift) & 0xffffffffffff;
  const uint64_t kind = word & 0xff;
  if (word >> kMarkerShift != kMarker || kind >= kQuestionKinds ||
      hour > std::numeric_limits<uint32_t>::max())
    return std::nullopt;
  return UsageKey{static_cast<uint32_t>(hour), slot.campaign.load(kRelaxed),
                  static_cast<QuestionKind>(kind)};
}

UsageRow row_of(const UsageSlot& slot, const UsageKey& key) {
  UsageRow row;
  row.key = key;
  row.throttled = slot.throttled.load(kRelaxed);
  for (size_t i = 0; i < kLatencyBuckets; i++) {
    row.latencies[i] = slot.latencies[i].load(kRelaxed);
    row.served += row.latencies[i];
  }
  return row;
}

UsageSlot* find_slot(std::span<UsageSlot> slots, uint64_t last, const UsageKey& key) {
  const size_t count = slots.size();
  for (size_t back = 0; back < count; back++) {
    UsageSlot& slot = slots[(last % count + count - back) % count];
    const std::optional<UsageKey> found = key_of(slot);
    if (found == key) return &slot;
    if (!found || found->hour < key.hour) return nullptr;
  }
  return nullptr;
}

UsageSlot* take_slot(std::span<UsageSlot> slots, std::atomic<uint64_t>& last, const UsageKey& key) {
  const size_t count = slots.size();
  const uint64_t start = last.load(kRelaxed) % std::max<size_t>(count, 1);
  for (size_t ahead = 1; ahead <= count; ahead++) {
    const size_t place = (start + ahead) % count;
    UsageSlot& slot = slots[place];
    if (key_of(slot)) continue;
    slot.key.store(0, kRelaxed);
    slot.campaign.store(key.campaign, kRelaxed);
    slot.throttled.store(0, kRelaxed);
    for (std::atomic<uint32_t>& number : slot.latencies) number.store(0, kRelaxed);
    slot.key.store(word_of(key), std::memory_order_release);
    last.store(place, kRelaxed);
    return &slot;
  }
  return nullptr;
}

bool free_oldest_hour(std::span<UsageSlot> slots, uint32_t newest) {
  uint32_t oldest = std::numeric_limits<uint32_t>::max();
  for (const UsageSlot& slot : slots)
    if (const std::optional<UsageKey> key = key_of(slot)) oldest = std::min(oldest, key->hour);
  if (uint64_t{oldest} + 1 >= newest) return false;
  for (UsageSlot& slot : slots)
    if (const std::optional<UsageKey> key = key_of(slot); key && key->hour == oldest)
      slot.key.store(0, kRelaxed);
  return true;
}

}  // namespace personalize
