// bf16 numbers (the upper half of a float, rounded to the nearest even), alone and in pairs. For
// the files that are compiled with PERSONALIZE_BF16 (vectors.h).
#pragma once

#include <immintrin.h>

#include "engine/math/vectors.h"

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

using Number = uint16_t;
using UnalignedShorts = uint16_t __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));
using Words = uint32_t __attribute__((vector_size(4 * kLanes)));
using UnalignedWords = uint32_t __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
constexpr size_t kPair = 2;  // numbers in a float's room

PERSONALIZE_INLINE Shorts to_numbers(Vector v) {
  return __builtin_bit_cast(Shorts, _mm512_cvtneps_pbh(v));
}
PERSONALIZE_INLINE Words words_of(const Number* p) {
  return __builtin_convertvector(*reinterpret_cast<const UnalignedShorts*>(p), Words);
}
PERSONALIZE_INLINE Vector load_numbers(const Number* p) {
  return __builtin_bit_cast(Vector, words_of(p) << 16);
}
PERSONALIZE_INLINE void store_numbers(Number* p, Vector v) {
  *reinterpret_cast<UnalignedShorts*>(p) = to_numbers(v);
}
PERSONALIZE_INLINE float number_of(Number x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16);
}
PERSONALIZE_INLINE Number to_number(float x) {
  using Eight = uint16_t __attribute__((vector_size(16)));
  return __builtin_bit_cast(Eight, _mm_cvtneps_pbh(_mm_set_ss(x)))[0];
}
// e^x as exactly as a number holds it, for x up to 88: 2^n times a polynomial of what is left.
PERSONALIZE_INLINE Vector number_exponential(Vector x) {
  x = x < broadcast(-87.0F) ? broadcast(-87.0F) : x;
  const Vector magic = broadcast(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const Vector shifted = x * 1.44269504F + magic;
  const Vector left = x * 1.44269504F - (shifted - magic);
  Vector y = broadcast(9.618129e-3F);
  y = y * left + 5.5504109e-2F;
  y = y * left + 2.40226507e-1F;
  y = y * left + 6.93147181e-1F;
  y = y * left + 1.0F;
  return y * from_bits((bits_of(shifted) << 23) + (127 << 23));
}
// Two vectors as pairs: of low in the lower halves.
PERSONALIZE_INLINE void store_pairs(float* p, Vector low, Vector high) {
  *reinterpret_cast<UnalignedWords*>(p) = __builtin_convertvector(to_numbers(low), Words) |
                                          (__builtin_convertvector(to_numbers(high), Words) << 16);
}

}  // namespace
}  // namespace personalize::PERSONALIZE_NAMESPACE
