// Checks of many numbers at once, simple enough for the compiler to do several in a step: an opened
// model's numbers are all looked at.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace personalize {

// Whether no value is infinite or no number.
inline bool all_finite(std::span<const float> values) {
  uint32_t bad = 0;
  for (const float value : values)
    bad |= static_cast<uint32_t>((std::bit_cast<uint32_t>(value) & 0x7F80'0000U) == 0x7F80'0000U);
  return bad == 0;
}

// The same, and none is below 0 (nor -0).
inline bool all_finite_and_positive(std::span<const float> values) {
  uint32_t bad = 0;
  for (const float value : values)
    bad |= static_cast<uint32_t>(std::bit_cast<uint32_t>(value) >= 0x7F80'0000U);
  return bad == 0;
}

// Whether every index lies in 0 .. count - 1.
inline bool all_below(std::span<const int32_t> indices, size_t count) {
  uint32_t bad = 0;
  const auto limit = static_cast<uint32_t>(count);  // an int32_t's worth at most
  for (const int32_t index : indices)
    bad |= static_cast<uint32_t>(static_cast<uint32_t>(index) >= limit);
  return bad == 0;
}

}  // namespace personalize
