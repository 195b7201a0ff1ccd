// Checks of many numbers at once, as fast as memory gives them: an opened model's numbers are all
// looked at. Each makes a word of a number whose highest bit is set if the number is wrong.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace personalize {

// The highest bit of all word(values[i]) together. In blocks that the compiler can do in a few
// steps.
template <typename T, typename Word>
bool any_highest_bit(std::span<const T> values, const Word& word) {
  constexpr size_t kLanes = 64;
  uint32_t lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; lane++)
      lanes[lane] |= word(std::bit_cast<uint32_t>(values[i + lane]));
  uint32_t all = 0;
  for (const uint32_t lane : lanes) all |= lane;
  for (; i < values.size(); i++) all |= word(std::bit_cast<uint32_t>(values[i]));
  return (all >> 31) != 0;
}

// Infinity and what is no number have an exponent of ones: with one added to it, it overflows.
inline constexpr uint32_t kExponentOne = 0x0080'0000;

// Whether no value is infinite or no number.
inline bool all_finite(std::span<const float> values) {
  return !any_highest_bit(values,
                          [](uint32_t bits) { return (bits & 0x7FFF'FFFFU) + kExponentOne; });
}

// The same, and none is below 0 (nor -0).
inline bool all_finite_and_positive(std::span<const float> values) {
  return !any_highest_bit(values, [](uint32_t bits) { return bits | (bits + kExponentOne); });
}

// Whether every index lies in 0 .. count - 1.
inline bool all_below(std::span<const int32_t> indices, size_t count) {
  if (count == 0) return indices.empty();
  const auto last = static_cast<uint32_t>(std::min<size_t>(count - 1, 0x7FFF'FFFF));
  return !any_highest_bit(indices, [last](uint32_t index) { return index | (last - index); });
}

}  // namespace personalize
