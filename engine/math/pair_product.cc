// Compiled for instruction sets with bf16 only (vectors.h says why apart).
#include "engine/math/bf16.h"
#include "engine/math/matrix_product.h"

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

// to[r / 2][j] = (from[r][j], from[r + 1][j]) for pairs of rows, the last one with zeros if odd.
void pair_rows(const float* from, size_t rows, size_t columns, ptrdiff_t stride, float* to) {
  for (size_t r = 0; r < rows; r += 2, from += 2 * stride, to += columns)
    for (size_t j = 0; j < columns; j += kLanes)
      store_pairs(to + j, load(from + j), r + 1 < rows ? load(from + stride + j) : Vector{});
}

// to[r][j / 2] = (from[r][j], from[r][j + 1]).
void pair_columns(const float* from, size_t rows, size_t columns, ptrdiff_t stride, float* to) {
  for (size_t r = 0; r < rows; ++r, from += stride, to += columns / 2)
    for (size_t j = 0; j < columns; j += kLanes)
      store_numbers(reinterpret_cast<Number*>(to) + j, load(from + j));
}

}  // namespace

void pair_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                  float* c, ptrdiff_t ldc, bool accumulate, float* room) {
  const size_t steps = (k + 1) / 2;
  float* right = room + m * steps;
  pair_rows(b, k, n, ldb, right);
  const bool by_rows = a.column_stride == 1;
  if (by_rows)
    pair_columns(a.data, m, k, a.row_stride, room);
  else
    pair_rows(a.data, k, m, a.column_stride, room);
  const auto rows = static_cast<ptrdiff_t>(m);
  const auto row_stride = by_rows ? static_cast<ptrdiff_t>(steps) : 1;
  stream_product(m, n, steps, {room, row_stride, by_rows ? 1 : rows}, right,
                 static_cast<ptrdiff_t>(n), c, ldc, accumulate, Stream::kNone);
}

}  // namespace personalize::PERSONALIZE_NAMESPACE
