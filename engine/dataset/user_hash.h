// Numbers that depend on a user's id and a seed alone: which users are test users, and how a user's
// ties are shuffled, do not change when other users come or go, nor with the order of a scan.
#pragma once

#include <cstdint>
#include <string_view>

namespace personalize {

// The finish of splitmix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit.
constexpr uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// FNV-1a over the id's bytes, the seed added, then mix64: the same on any machine and in any
// language.
constexpr uint64_t user_hash(std::string_view user_id, uint64_t seed) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : user_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix64(hash + (seed + 1) * 0x9E3779B97F4A7C15u);
}

}  // namespace personalize
