// What the kernels are written with: vectors as wide as the instruction set has them. For the files
// that are compiled once for each instruction set, with PERSONALIZE_KERNELS naming it, and for
// nothing else. All functions have internal linkage and no header whose inline functions have
// linkage may be included: the linker would keep one copy of such a function for all, perhaps the
// one that an old CPU can't run. A test reads this off the objects.
#pragma once

#include <cstddef>
#include <cstdint>

#define PERSONALIZE_TEXT_INNER(x) #x
#define PERSONALIZE_TEXT(x) PERSONALIZE_TEXT_INNER(x)
#define PERSONALIZE_JOIN_INNER(a, b) a##b
#define PERSONALIZE_JOIN(a, b) PERSONALIZE_JOIN_INNER(a, b)
#define PERSONALIZE_NAMESPACE PERSONALIZE_JOIN(kernels_, PERSONALIZE_KERNELS)
#define PERSONALIZE_INLINE inline __attribute__((always_inline))

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

#if defined(__AVX512F__)
#define PERSONALIZE_LANES 16
#define PERSONALIZE_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define PERSONALIZE_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif defined(__AVX2__)
#define PERSONALIZE_LANES 8
#define PERSONALIZE_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define PERSONALIZE_ODD 1, 3, 5, 7, 9, 11, 13, 15
#else
#define PERSONALIZE_LANES 4
#define PERSONALIZE_EVEN 0, 2, 4, 6
#define PERSONALIZE_ODD 1, 3, 5, 7
#endif

constexpr int kLanes = PERSONALIZE_LANES;
using Vector = float __attribute__((vector_size(4 * kLanes)));
using Unaligned = float __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
using Integers = int32_t __attribute__((vector_size(4 * kLanes)));
using Longs = uint64_t __attribute__((vector_size(4 * kLanes)));
using Shorts = uint16_t __attribute__((vector_size(2 * kLanes)));

PERSONALIZE_INLINE Vector load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
PERSONALIZE_INLINE void store(float* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }
PERSONALIZE_INLINE Vector broadcast(float x) { return x - Vector{}; }
PERSONALIZE_INLINE Integers bits_of(Vector v) { return __builtin_bit_cast(Integers, v); }
PERSONALIZE_INLINE Vector from_bits(Integers v) { return __builtin_bit_cast(Vector, v); }
PERSONALIZE_INLINE Vector maximum_of(Vector a, Vector b) { return a > b ? a : b; }

PERSONALIZE_INLINE bool any_above(Vector v, float limit) {
#if defined(__AVX512F__)
  constexpr int kGreater = 30, kNoRounding = 4;
  return __builtin_ia32_cmpps512_mask(v, broadcast(limit), kGreater, 0xFFFF, kNoRounding) != 0;
#elif defined(__AVX2__)
  return __builtin_ia32_movmskps256(__builtin_bit_cast(Vector, v > limit)) != 0;
#elif defined(__SSE__)
  return __builtin_ia32_movmskps(__builtin_bit_cast(Vector, v > limit)) != 0;
#else
  bool any = false;
  for (int i = 0; i < kLanes; ++i) any |= v[i] > limit;
  return any;
#endif
}

// The first `count` elements, zeros behind.
PERSONALIZE_INLINE Vector load_some(const float* p, size_t count) {
  Vector v{};
  for (size_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
PERSONALIZE_INLINE void store_some(float* p, Vector v, size_t count) {
  for (size_t i = 0; i < count; ++i) p[i] = v[i];
}

// Calls body(offset, loader, storer) for whole vectors, then once more for what is left.
template <typename Body>
PERSONALIZE_INLINE void for_vectors(size_t size, const Body& body) {
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    body([i](const float* p) { return load(p + i); }, [i](float* p, Vector v) { store(p + i, v); });
  if (i < size) {
    const size_t left = size - i;
    body([i, left](const float* p) { return load_some(p + i, left); },
         [i, left](float* p, Vector v) { store_some(p + i, v, left); });
  }
}

PERSONALIZE_INLINE float sum_of(Vector v) {
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

// Sums of neighbours: of a in the first half of the result, of b in the second.
PERSONALIZE_INLINE Vector add_neighbours(Vector a, Vector b) {
  return __builtin_shuffle(a, b, Integers{PERSONALIZE_EVEN}) +
         __builtin_shuffle(a, b, Integers{PERSONALIZE_ODD});
}

// e^x to 2 units in the last place; x is cut off where the result would leave the normal numbers.
// Cephes' polynomial (Moshier 1989).
PERSONALIZE_INLINE Vector exponential(Vector x) {
  x = x > broadcast(88.0F) ? broadcast(88.0F) : x;
  x = x < broadcast(-87.0F) ? broadcast(-87.0F) : x;
  const Vector magic = broadcast(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const Vector shifted = x * 1.44269504088896341F + magic;
  const Vector n = shifted - magic;
  const Vector r = x - n * 0.693359375F - n * -2.12194440e-4F;
  Vector y = broadcast(1.9875691500e-4F);
  y = y * r + 1.3981999507e-3F;
  y = y * r + 8.3334519073e-3F;
  y = y * r + 4.1665795894e-2F;
  y = y * r + 1.6666665459e-1F;
  y = y * r + 5.0000001201e-1F;
  y = y * r * r + r + 1.0F;
  const Integers power = (bits_of(shifted) << 23) + (127 << 23);
  return y * from_bits(power);
}

PERSONALIZE_INLINE Vector sigmoid(Vector x) { return 1.0F / (1.0F + exponential(-x)); }
PERSONALIZE_INLINE Vector hyperbolic_tangent(Vector x) {
  return 1.0F - 2.0F / (1.0F + exponential(x + x));
}

// ln x for normal x >= 1. Cephes' polynomial.
PERSONALIZE_INLINE Vector logarithm(Vector x) {
  Integers bits = bits_of(x);
  Vector e = __builtin_convertvector((bits >> 23) - 126, Vector);
  bits = (bits & 0x007FFFFF) | 0x3F000000;
  Vector m = from_bits(bits);  // 0.5 <= m < 1
  const auto small = m < broadcast(0.707106781186547524F);
  e = small ? e - 1.0F : e;
  m = small ? m + m - 1.0F : m - 1.0F;
  const Vector z = m * m;
  Vector y = broadcast(7.0376836292e-2F);
  y = y * m - 1.1514610310e-1F;
  y = y * m + 1.1676998740e-1F;
  y = y * m - 1.2420140846e-1F;
  y = y * m + 1.4249322787e-1F;
  y = y * m - 1.6668057665e-1F;
  y = y * m + 2.0000714765e-1F;
  y = y * m - 2.4999993993e-1F;
  y = y * m + 3.3333331174e-1F;
  y = y * m * z + e * -2.12194440e-4F - z * 0.5F;
  return m + y + e * 0.693359375F;
}

}  // namespace
}  // namespace personalize::PERSONALIZE_NAMESPACE
