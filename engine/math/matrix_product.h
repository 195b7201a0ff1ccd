// The matrix product of one instruction set, made tile by tile in registers. For the files that are
// compiled once for each instruction set (vectors.h). Where PERSONALIZE_BF16 is set, an element of
// a and b stands for a pair of bf16 numbers, the former in its lower half, and products are those
// of pairs.
#pragma once

#include "engine/math/kernels.h"
#include "engine/math/vectors.h"
#if defined(PERSONALIZE_BF16)
#include <immintrin.h>
#endif

namespace personalize::PERSONALIZE_NAMESPACE {

// Which of a product's matrices is too large for the second-level cache and read once: what of it
// comes next is fetched while the products before are made.
enum class Stream { kNone, kRight, kResult };

// Kernels::product, or that of pairs, in which n is a multiple of kLanes.
void stream_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                    float* c, ptrdiff_t ldc, bool accumulate, Stream stream);

#if defined(PERSONALIZE_BF16)
// Kernels::product_bf16.
void pair_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                  float* c, ptrdiff_t ldc, bool accumulate, float* room);
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kTileRows = 14;  // 28 accumulators of 32 registers
#elif defined(__AVX2__)
constexpr int kTileRows = 6;  // 12 accumulators of 16 registers
#else
constexpr int kTileRows = 4;  // 8 accumulators of 16 registers; products need some too
#endif

// Memory to be fetched, one line a step of a tile's loop.
struct Ahead {
  const char* next;
  const char* end;
};

struct Target {
  float* c;
  ptrdiff_t stride;
  bool accumulate;
};

PERSONALIZE_INLINE Vector multiply_add(float x, Vector right, Vector sum) {
#if defined(PERSONALIZE_BF16)
  return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, _mm512_set1_ps(x)),
                          __builtin_bit_cast(__m512bh, right));
#else
  return sum + broadcast(x) * right;
#endif
}

// kRows rows of c, kVectors vectors wide, held in registers over all of k.
template <int kRows, int kVectors>
PERSONALIZE_INLINE void tile(size_t k, const StridedMatrix& a, const float* b, ptrdiff_t ldb,
                             float* c, const Target& target, Ahead& ahead) {
  constexpr ptrdiff_t kLine = 64;
  Vector sum[kRows][kVectors] = {};
  const float* left = a.data;
  const ptrdiff_t row_stride = a.row_stride;
  const ptrdiff_t column_stride = a.column_stride;
  const ptrdiff_t stride = target.stride;
  const bool accumulate = target.accumulate;
  const char* fetched = ahead.next;
  const ptrdiff_t line = fetched < ahead.end ? kLine : 0;
  ahead.next = fetched + line * static_cast<ptrdiff_t>(k);
  for (size_t step = 0; step < k; ++step, left += column_stride, b += ldb, fetched += line) {
    __builtin_prefetch(fetched, 0, 3);
    if constexpr (kRows == 1) {  // what is used once takes no register
      const float x = *left;
#pragma GCC unroll 24
      for (int v = 0; v < kVectors; ++v)
        sum[0][v] = multiply_add(x, load(b + v * kLanes), sum[0][v]);
      continue;
    }
    Vector right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = load(b + v * kLanes);
    for (int i = 0; i < kRows; ++i)
      for (int v = 0; v < kVectors; ++v)
        sum[i][v] = multiply_add(left[i * row_stride], right[v], sum[i][v]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* to = c + i * stride;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const Vector before = accumulate ? load(to + v * kLanes) : Vector{};
      store(to + v * kLanes, before + sum[i][v]);
    }
  }
}

#if !defined(PERSONALIZE_BF16)
template <int kRows>
void scalar_columns(size_t columns, size_t k, const StridedMatrix& a, const float* b, ptrdiff_t ldb,
                    float* to, const Target& target) {
  for (int i = 0; i < kRows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      float sum = 0;
      for (size_t step = 0; step < k; ++step)
        sum += a.data[i * a.row_stride + static_cast<ptrdiff_t>(step) * a.column_stride] *
               b[static_cast<ptrdiff_t>(step) * ldb + static_cast<ptrdiff_t>(j)];
      float& c = to[i * target.stride + static_cast<ptrdiff_t>(j)];
      c = target.accumulate ? c + sum : sum;
    }
}
#endif

// kRows rows of c, n columns. Few rows take wider tiles: as many sums must be under way as the
// multipliers' latency wants. One row takes the widest: each element of b is read for it alone, and
// memory is fastest in long runs. What a caller stores for the call is read back soon, while the
// stores of whole tiles are still waiting: hence references to what was stored element by element.
template <int kRows>
void tile_row(size_t n, size_t k, const StridedMatrix& a, const float* b, ptrdiff_t ldb,
              const Target& to, Ahead& ahead) {
  constexpr int kVectors = kRows * 8 <= 2 * kTileRows ? 8 : kRows * 4 <= 2 * kTileRows ? 4 : 2;
  size_t j = 0;
#if defined(__AVX512F__)
  constexpr int kWidest = 24;
  if (kRows == 1)
    for (; j + kWidest * kLanes <= n; j += kWidest * kLanes)
      tile<1, kWidest>(k, a, b + j, ldb, to.c + j, to, ahead);
#endif
  for (; j + kVectors * kLanes <= n; j += kVectors * kLanes)
    tile<kRows, kVectors>(k, a, b + j, ldb, to.c + j, to, ahead);
  for (; j + kLanes <= n; j += kLanes) tile<kRows, 1>(k, a, b + j, ldb, to.c + j, to, ahead);
#if !defined(PERSONALIZE_BF16)
  if (j < n) scalar_columns<kRows>(n - j, k, a, b + j, ldb, to.c + j, to);
#endif
}

using TileRow = void (*)(size_t, size_t, const StridedMatrix&, const float*, ptrdiff_t,
                         const Target&, Ahead&);
constexpr TileRow kTileRow[] = {
    nullptr,      tile_row<1>,  tile_row<2>,  tile_row<3>,  tile_row<4>,
#if PERSONALIZE_LANES > 4
    tile_row<5>,  tile_row<6>,
#endif
#if PERSONALIZE_LANES > 8
    tile_row<7>,  tile_row<8>,  tile_row<9>,  tile_row<10>, tile_row<11>,
    tile_row<12>, tile_row<13>, tile_row<14>,
#endif
};

// All rows of c, in tiles of nearly equal height.
inline void all_rows(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                     Target to, Stream stream) {
  const size_t tiles = (m + kTileRows - 1) / kTileRows;
  const auto* behind = reinterpret_cast<const char*>(b + static_cast<ptrdiff_t>(k) * ldb);
  const auto bytes = static_cast<ptrdiff_t>(k * n * sizeof(float));
  Ahead ahead{behind, stream == Stream::kRight ? behind + bytes : behind};
  for (size_t t = 0, i = 0; t < tiles; ++t) {
    const size_t rows = (m - i + (tiles - t) - 1) / (tiles - t);
    if (stream == Stream::kResult) {
      ahead.next = reinterpret_cast<const char*>(to.c + static_cast<ptrdiff_t>(rows) * to.stride);
      ahead.end = ahead.next + static_cast<ptrdiff_t>(rows) * to.stride * sizeof(float);
    }
    kTileRow[rows](n, k, a, b, ldb, to, ahead);
    a.data += static_cast<ptrdiff_t>(rows) * a.row_stride;
    to.c += static_cast<ptrdiff_t>(rows) * to.stride;
    i += rows;
  }
}

inline void product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                    float* c, ptrdiff_t ldc, bool accumulate, Stream stream) {
  constexpr size_t kSecondLevel = 16 * 1024;  // floats of b at a time: they stay in that cache
  constexpr size_t kFirstLevel = 8 * 1024;
  constexpr size_t kMostDepth = 256;
  constexpr size_t kPanel = 4 * kLanes;
  if (k == 0 && !accumulate)
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < n; ++j)
        c[static_cast<ptrdiff_t>(i) * ldc + static_cast<ptrdiff_t>(j)] = 0;
  // A stream is read in the order in which it lies.
  const size_t most = stream == Stream::kRight ? kSecondLevel / n + 1 : kMostDepth;
  for (size_t first = 0; first < k; first += most) {
    const size_t depth = k - first < most ? k - first : most;
    const auto offset = static_cast<ptrdiff_t>(first);
    const StridedMatrix part{a.data + offset * a.column_stride, a.row_stride, a.column_stride};
    const float* rows = b + offset * ldb;
    const bool add = accumulate || first > 0;
    const bool whole = depth * n <= kFirstLevel || m <= kTileRows || stream != Stream::kNone;
    const size_t width = whole ? n : kPanel;
    for (size_t j = 0; j < n; j += width)
      all_rows(m, n - j < width ? n - j : width, depth, part, rows + j, ldb, {c + j, ldc, add},
               stream);
  }
}

}  // namespace
}  // namespace personalize::PERSONALIZE_NAMESPACE
