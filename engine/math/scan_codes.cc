// Compiled once for each instruction set, as kernels.cc is; with VNNI where PERSONALIZE_BF16 is.
#include "engine/math/kernels.h"
#include "engine/math/vectors.h"

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

constexpr size_t kGroup = 16;               // items whose codes lie together
constexpr size_t kWord = 64;                // items of a word of the mask
constexpr size_t kStep = 4;                 // codes of an item that lie side by side
constexpr size_t kParts = kGroup / kLanes;  // vectors of one step of a group
// Groups summed at the same time, so that their sums stay in registers.
constexpr size_t kTogether = kParts == 4 ? 2 : 4;

using Halves = int16_t __attribute__((vector_size(4 * kLanes)));
using UnsignedHalves = uint16_t __attribute__((vector_size(4 * kLanes)));
using UnalignedShorts = uint16_t __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));
using UnalignedIntegers = int32_t __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

PERSONALIZE_INLINE Integers integers_at(const uint8_t* p) {
  return *reinterpret_cast<const UnalignedIntegers*>(p);
}
PERSONALIZE_INLINE void store_integers(int32_t* p, Integers v) {
  *reinterpret_cast<UnalignedIntegers*>(p) = v;
}

// Four codes of the query, as the instruction set wants them, and each lane's product with them.
#if defined(__AVX512VNNI__)
class Four {
 public:
  PERSONALIZE_INLINE explicit Four(int32_t query) : query_(query - Integers{}) {}
  PERSONALIZE_INLINE Integers add(Integers sum, Integers codes) const {
    return __builtin_bit_cast(Integers, __builtin_ia32_vpdpbusd_v16si(sum, codes, query_));
  }

 private:
  Integers query_;
};
#else
// Two products of sixteen bits that fit a lane's 32 with room to spare: of the even codes, then of
// the odd ones. An instruction that multiplies bytes would cut off at 2^15.
PERSONALIZE_INLINE Integers products_of_halves(Halves a, Halves b) {
#if defined(__AVX512BW__)
  using Wide = short __attribute__((vector_size(64)));
  return __builtin_bit_cast(
      Integers, __builtin_ia32_pmaddwd512_mask(__builtin_bit_cast(Wide, a),
                                               __builtin_bit_cast(Wide, b), Integers{}, 0xFFFF));
#elif defined(__AVX2__)
  return __builtin_ia32_pmaddwd256(a, b);
#elif defined(__SSE2__)
  return __builtin_ia32_pmaddwd128(a, b);
#else
  const auto low = [](Halves v) { return (__builtin_bit_cast(Integers, v) << 16) >> 16; };
  const auto high = [](Halves v) { return __builtin_bit_cast(Integers, v) >> 16; };
  return low(a) * low(b) + high(a) * high(b);
#endif
}

class Four {
 public:
  PERSONALIZE_INLINE explicit Four(int32_t query) {
    const auto codes = __builtin_bit_cast(Halves, query - Integers{});
    even_ = (codes << 8) >> 8;
    odd_ = codes >> 8;
  }
  PERSONALIZE_INLINE Integers add(Integers sum, Integers codes) const {
    const auto even = __builtin_bit_cast(Halves, codes & 0x00FF00FF);
    const auto odd = __builtin_bit_cast(Halves, __builtin_bit_cast(UnsignedHalves, codes) >> 8);
    return sum + products_of_halves(even, even_) + products_of_halves(odd, odd_);
  }

 private:
  Halves even_, odd_;
};
#endif

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

// The products of 64 items' codes with the query's.
PERSONALIZE_INLINE void products(size_t steps, const uint8_t* codes, const int8_t* query,
                                 int32_t* sums) {
  const size_t group_bytes = steps * kStep * kGroup;
  for (size_t g = 0; g < kWord / kGroup; g += kTogether, codes += kTogether * group_bytes) {
    Integers sum[kTogether * kParts] = {};
    for (size_t s = 0; s < steps; ++s) {
      int32_t bytes;
      __builtin_memcpy(&bytes, query + kStep * s, kStep);
      const Four four(bytes);
      for (size_t t = 0; t < kTogether; ++t)
        for (size_t p = 0; p < kParts; ++p)
          sum[t * kParts + p] =
              four.add(sum[t * kParts + p],
                       integers_at(codes + t * group_bytes + kStep * (s * kGroup + p * kLanes)));
    }
    for (size_t i = 0; i < kTogether * kParts; ++i)
      store_integers(sums + g * kGroup + i * kLanes, sum[i]);
  }
}

PERSONALIZE_INLINE ExponentialSum scan(size_t size, const CodeBlock& block, float limit,
                                       bool summed, float reference, float* estimates,
                                       float* uppers, uint64_t* masks) {
  const CodeBlock b = block;
  Vector maximum = broadcast(-__builtin_inff());
  Vector total{};
  for (size_t first = 0; first < size; first += kWord) {
    alignas(4 * kLanes) int32_t sums[kWord];
    products(b.steps, b.codes + first * kStep * b.steps, b.query, sums);
    uint64_t mask = 0;
    for (size_t i = 0; i < kWord; i += kLanes) {
      const size_t at = first + i;
      const Vector scale = load_bf16(b.scales + at);
      Vector estimate = scale * (b.step * load_integers(sums + i, b.correction));
      Vector margin = scale * b.margin + kSmallestMargin;
      if (b.factors != nullptr) {
        const Vector factor = load(b.factors + at);
        estimate *= factor;
        margin *= factor;
      }
      Vector added{};
      if (b.bias != nullptr) {
        const Vector bias = load(b.bias + at);
        estimate += bias;
        added = size_of(bias);
      }
      if (b.row != nullptr) {
        const Vector row = b.row_weight * load(b.row + at);
        estimate += row;
        added += size_of(row);
      }
      const Vector upper = estimate + (margin + (kAdditionMargin * added + b.least_margin));
      store(estimates + at, estimate);
      store(uppers + at, upper);
      mask |= not_below(upper, limit) << i;
      if (summed) {
        maximum = maximum_of(estimate, maximum);
        total += exponential(estimate - reference);
      }
    }
    masks[first / kWord] = mask;
  }
  float largest = -__builtin_inff();
  for (int lane = 0; lane < kLanes; ++lane)
    largest = maximum[lane] > largest ? maximum[lane] : largest;
  return {largest, sum_of(total)};
}

}  // namespace

ExponentialSum scan_codes(size_t size, const CodeBlock& block, float limit, const float* reference,
                          float* estimates, float* uppers, uint64_t* masks) {
  if (reference == nullptr) return scan(size, block, limit, false, 0, estimates, uppers, masks);
  return scan(size, block, limit, true, *reference, estimates, uppers, masks);
}

}  // namespace personalize::PERSONALIZE_NAMESPACE
