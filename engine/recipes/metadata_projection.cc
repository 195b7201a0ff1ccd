#include "engine/recipes/metadata_projection.h"

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/recipes/subspace.h"

namespace personalize {
namespace {

// Added to the diagonal, so that the iteration finds as many directions as it looks for where rows
// differ in fewer. Those have no eigenvalue but this, and are left out.
constexpr float kShift = 1e-3F;

std::vector<float> inverse_frequencies(const hrnn::ColumnBags& bags, size_t columns) {
  std::vector<double> rows(columns);
  for (const ColumnIndex c : bags.columns) rows[c] += 1;
  std::vector<float> idf(columns);
  for (size_t c = 0; c < columns; ++c)
    idf[c] = static_cast<float>(std::log((1 + static_cast<double>(bags.size())) / (1 + rows[c])));
  return idf;
}

// 1 / the length of x, one a row.
std::vector<float> inverse_lengths(const hrnn::ColumnBags& bags, std::span<const float> idf) {
  std::vector<float> inverse(bags.size());
  for (size_t row = 0; row < bags.size(); ++row) {
    double squares = 0;
    for (const ColumnIndex c : bags.of(row)) squares += static_cast<double>(idf[c]) * idf[c];
    inverse[row] = squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0;
  }
  return inverse;
}

// Scales `vector` to length 1, unless it is 0.
void normalise(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  if (squares < 1e-12) {
    std::fill(vector.begin(), vector.end(), 0.0F);
    return;
  }
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (float& value : vector) value *= scale;
}

}  // namespace

void project_metadata(std::span<const float> rows, size_t size,
                      std::span<const ColumnIndex> columns, float* vector) {
  std::fill_n(vector, size, 0.0F);
  for (const ColumnIndex c : columns) kernels().add_scaled(size, 1, rows.data() + c * size, vector);
  normalise({vector, size});
}

void MetadataProjection::project(std::span<const ColumnIndex> columns, float* vector) const {
  project_metadata(rows, size, columns, vector);
}

Result<MetadataProjection> learn_projection(const hrnn::ColumnBags& bags, size_t columns,
                                            size_t size, uint64_t seed,
                                            const std::function<bool()>& stop) {
  const std::vector<float> idf = inverse_frequencies(bags, columns);
  MetadataProjection projection;
  if (columns < size + kExtraColumns) {
    // Few enough to be kept as they are.
    projection.size = columns;
    projection.rows.assign(columns * columns, 0);
    for (size_t c = 0; c < columns; ++c) projection.rows[c * columns + c] = idf[c];
    return projection;
  }
  const std::vector<float> inverse = inverse_lengths(bags, idf);
  const Kernels& k = kernels();
  AlignedFloats seen(size + kExtraColumns);  // x q of one row
  const auto multiply = [&](const AlignedFloats& q, size_t width, AlignedFloats& out) {
    std::fill_n(out.data(), out.size(), 0.0F);
    k.add_scaled(columns * width, kShift, q.data(), out.data());
    for (size_t row = 0; row < bags.size(); ++row) {
      if (row % 1'024 == 0 && stop()) return false;
      std::fill_n(seen.data(), width, 0.0F);
      for (const ColumnIndex c : bags.of(row))
        k.add_scaled(width, idf[c] * inverse[row], q.data() + c * width, seen.data());
      for (const ColumnIndex c : bags.of(row))
        k.add_scaled(width, idf[c] * inverse[row], seen.data(), out.data() + c * width);
    }
    return true;
  };
  projection.size = size;
  projection.rows.assign(columns * size, 0);
  const bool found =
      leading_eigenvectors(columns, size + kExtraColumns, seed, multiply, size, projection.rows);
  if (stop()) return Status(StatusCode::kInterrupted, "training was interrupted");
  if (!found) return MetadataProjection{};
  // The eigenvectors come with the roots of their eigenvalues: back to length 1, then idf.
  std::vector<double> squares(size);
  for (size_t c = 0; c < columns; ++c)
    for (size_t n = 0; n < size; ++n)
      squares[n] +=
          static_cast<double>(projection.rows[c * size + n]) * projection.rows[c * size + n];
  for (size_t c = 0; c < columns; ++c)
    for (size_t n = 0; n < size; ++n)
      projection.rows[c * size + n] *=
          squares[n] > 2 * kShift ? idf[c] / static_cast<float>(std::sqrt(squares[n])) : 0;
  return projection;
}

}  // namespace personalize
