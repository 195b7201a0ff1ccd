// Compiled once for each instruction set, as kernels.cc is.
#include "engine/math/kernels.h"
#include "engine/math/vectors.h"

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

using UnalignedShorts = uint16_t __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));
using UnalignedIntegers = int32_t __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

PERSONALIZE_INLINE Vector load_bf16(const uint16_t* p) {
  return from_bits(__builtin_convertvector(*reinterpret_cast<const UnalignedShorts*>(p), Integers)
                   << 16);
}
PERSONALIZE_INLINE Vector load_integers(const int32_t* p, int32_t less) {
  return __builtin_convertvector(*reinterpret_cast<const UnalignedIntegers*>(p) - less, Vector);
}
PERSONALIZE_INLINE Vector size_of(Vector v) { return from_bits(bits_of(v) & 0x7FFFFFFF); }

// A bit a lane: whether it is not below `limit`.
PERSONALIZE_INLINE uint64_t not_below(Vector v, float limit) {
#if defined(__AVX512F__)
  constexpr int kNotLess = 21, kNoRounding = 4;
  return static_cast<uint16_t>(
      __builtin_ia32_cmpps512_mask(v, broadcast(limit), kNotLess, 0xFFFF, kNoRounding));
#elif defined(__AVX2__)
  return static_cast<uint8_t>(
      ~__builtin_ia32_movmskps256(__builtin_bit_cast(Vector, v < broadcast(limit))));
#elif defined(__SSE__)
  return 0xF & ~static_cast<uint64_t>(
                   __builtin_ia32_movmskps(__builtin_bit_cast(Vector, v < broadcast(limit))));
#else
  uint64_t bits = 0;
  for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint64_t>(!(v[i] < limit)) << i;
  return bits;
#endif
}

}  // namespace

void score_estimates(size_t size, const int32_t* sums, const EstimateTerms& terms, float limit,
                     float* estimates, float* uppers, uint64_t* masks) {
  const EstimateTerms t = terms;
  for (size_t first = 0; first < size; first += 64) {
    uint64_t mask = 0;
    for (size_t i = first; i < first + 64; i += kLanes) {
      const Vector scale = load_bf16(t.scales + i);
      Vector estimate = scale * (t.step * load_integers(sums + i, t.correction));
      Vector margin = scale * t.margin + kSmallestMargin;
      if (t.factors != nullptr) {
        const Vector factor = load(t.factors + i);
        estimate *= factor;
        margin *= factor;
      }
      Vector added{};
      if (t.bias != nullptr) {
        const Vector bias = load(t.bias + i);
        estimate += bias;
        added = size_of(bias);
      }
      if (t.row != nullptr) {
        const Vector row = t.row_weight * load(t.row + i);
        estimate += row;
        added += size_of(row);
      }
      const Vector upper = estimate + (margin + (kAdditionMargin * added + t.least_margin));
      store(estimates + i, estimate);
      store(uppers + i, upper);
      mask |= not_below(upper, limit) << (i - first);
    }
    masks[first / 64] = mask;
  }
}

}  // namespace personalize::PERSONALIZE_NAMESPACE
