// Random numbers that are a function of (seed, stream, counter): the same on any machine, in any
// order and from any thread. Two rounds of SplitMix64's finaliser (Steele, Lea, Flood 2014).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

namespace personalize {

// SplitMix64's output function: a bijection of 64-bit numbers that looks random.
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// One stream of numbers. Copy it freely: a copy goes on where the original stood.
class Random {
 public:
  Random(uint64_t seed, uint64_t stream)
      : key_(mix64(mix64(seed) ^ (stream * 0xD1B54A32D192ED03))) {}

  // The number at place `counter` of the stream, whatever was drawn so far.
  uint64_t at(uint64_t counter) const { return mix64(key_ + mix64(counter)); }
  // What tells this stream from others, for kernels that draw many numbers at once.
  uint64_t key() const { return key_; }
  uint64_t next() { return at(counter_++); }

  // 0 <= result < bound, bound > 0. The bias is below bound / 2^64.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  // 0 < result < 1.
  double uniform() { return (static_cast<double>(next() >> 12) + 0.5) * 0x1p-52; }
  // Normal with mean 0 and standard deviation 1 (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  // Fisher and Yates' shuffle.
  template <typename T>
  void shuffle(std::span<T> values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
};

}  // namespace personalize
