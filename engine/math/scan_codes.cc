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
constexpr size_t kTogetherScanned = 512;  // items whose products wait in the first-level cache
#if defined(__AVX512VNNI__)
constexpr size_t kRegisterSteps = 16;  // of vectors 64 wide
#endif

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

// The products of `size` items' codes with the query's. kSteps: `steps`, if it is known when this
// is compiled, so that the query stays in registers; otherwise 0.
template <size_t kSteps>
void products(size_t size, size_t steps, const uint8_t* codes, const int8_t* query, int32_t* sums) {
  const size_t count = kSteps == 0 ? steps : kSteps;
  const size_t group_bytes = count * kStep * kGroup;
  const auto four = [query](size_t step) {
    int32_t bytes;
    __builtin_memcpy(&bytes, query + kStep * step, kStep);
    return Four(bytes);
  };
  for (size_t first = 0; first < size; first += kTogether * kGroup) {
    Integers sum[kTogether * kParts] = {};
#pragma GCC unroll 16
    for (size_t s = 0; s < count; ++s)
#pragma GCC unroll 4
      for (size_t t = 0; t < kTogether; ++t)
#pragma GCC unroll 4
        for (size_t p = 0; p < kParts; ++p)
          sum[t * kParts + p] =
              four(s).add(sum[t * kParts + p],
                          integers_at(codes + t * group_bytes + kStep * (s * kGroup + p * kLanes)));
    for (size_t i = 0; i < kTogether * kParts; ++i)
      store_integers(sums + first + i * kLanes, sum[i]);
    codes += kTogether * group_bytes;
  }
}

void products_of_block(size_t size, size_t steps, const uint8_t* codes, const int8_t* query,
                       int32_t* sums) {
#if defined(__AVX512VNNI__)
  if (steps == kRegisterSteps) return products<kRegisterSteps>(size, steps, codes, query, sums);
#endif
  products<0>(size, steps, codes, query, sums);
}

// An item's estimate, and the upper bound of its score.
struct Bounded {
  Vector estimate, upper;
};

PERSONALIZE_INLINE Bounded bounded(const CodeBlock& b, const int32_t* sums, size_t at) {
  const Vector scale = load_bf16(b.scales + at);
  Vector estimate = scale * (b.step * load_integers(sums, b.correction));
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
  return {estimate, estimate + (margin + (kAdditionMargin * added + b.least_margin))};
}

PERSONALIZE_INLINE ExponentialSum scan(size_t size, const CodeBlock& block, float limit,
                                       bool summed, float reference, float* estimates,
                                       float* uppers, uint64_t* masks) {
  const CodeBlock b = block;
  Vector maximum = broadcast(-__builtin_inff());
  Vector total{};
  // Products of many items first: memory is read in few long runs instead of many short ones.
  alignas(64) int32_t sums[kTogetherScanned];
  for (size_t first = 0; first < size; first += kWord) {
    const size_t place = first % kTogetherScanned;
    if (place == 0) {
      const size_t count = size - first < kTogetherScanned ? size - first : kTogetherScanned;
      const uint8_t* codes = b.codes + first * kStep * b.steps;
      products_of_block(count, b.steps, codes, b.query, sums);
    }
    Bounded of_word[kWord / kLanes];
    uint64_t mask = 0;
#pragma GCC unroll 4
    for (size_t v = 0; v < kWord / kLanes; ++v) {
      of_word[v] = bounded(b, sums + place + v * kLanes, first + v * kLanes);
      mask |= not_below(of_word[v].upper, limit) << (v * kLanes);
      if (summed) {
        maximum = maximum_of(of_word[v].estimate, maximum);
        total += exponential(of_word[v].estimate - reference);
      }
    }
    masks[first / kWord] = mask;
    if (mask == 0 && !b.wants_all) continue;
    for (size_t v = 0; v < kWord / kLanes; ++v) {
      store(estimates + first + v * kLanes, of_word[v].estimate);
      store(uppers + first + v * kLanes, of_word[v].upper);
    }
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
