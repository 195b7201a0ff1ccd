#include "engine/recipes/spectral.h"

#include <algorithm>
#include <cmath>
#include <eigen3/Eigen/Eigenvalues>
#include <numeric>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/dispatch.h"
#include "engine/math/random.h"
#include "engine/recipes/subspace.h"

namespace personalize {
namespace {

constexpr uint64_t kStream = 0x5BEC;
constexpr double kRowPrior = 5;
constexpr size_t kMostFloats = size_t{1} << 25;

// A symmetric sparse matrix, row by row.
struct SparseMatrix {
  std::vector<uint64_t> row;
  std::vector<ItemIndex> column;
  std::vector<float> value;
};

// A = C + C': the transpose by counting, then the two merged with a row of scratch. Unfinished when
// `stop` says so.
SparseMatrix symmetric_sum(const MarkovCounts& counts, const std::function<bool()>& stop) {
  const size_t items = counts.total.size();
  std::vector<uint64_t> first(items + 1);
  for (const ItemIndex column : counts.column) ++first[static_cast<size_t>(column) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<ItemIndex> from(counts.column.size());
  std::vector<float> weight(counts.column.size());
  std::vector<uint64_t> next(first.begin(), first.end() - 1);
  for (size_t i = 0; i < items; ++i)
    for (uint64_t e = counts.row[i]; e < counts.row[i + 1]; ++e) {
      const uint64_t place = next[static_cast<size_t>(counts.column[e])]++;
      from[place] = static_cast<ItemIndex>(i);
      weight[place] = counts.count[e];
    }
  SparseMatrix sum;
  sum.row.push_back(0);
  std::vector<float> scratch(items);
  std::vector<ItemIndex> touched;
  const auto add = [&](ItemIndex item, float amount) {
    float& cell = scratch[static_cast<size_t>(item)];
    if (cell == 0) touched.push_back(item);
    cell += amount;
  };
  for (size_t i = 0; i < items; ++i) {
    if (i % 1'024 == 0 && stop()) return sum;
    for (uint64_t e = counts.row[i]; e < counts.row[i + 1]; ++e)
      add(counts.column[e], counts.count[e]);
    for (uint64_t e = first[i]; e < first[i + 1]; ++e) add(from[e], weight[e]);
    std::sort(touched.begin(), touched.end());
    for (const ItemIndex item : touched) {
      sum.column.push_back(item);
      sum.value.push_back(scratch[static_cast<size_t>(item)]);
      scratch[static_cast<size_t>(item)] = 0;
    }
    touched.clear();
    sum.row.push_back(sum.column.size());
  }
  return sum;
}

// Replaces A's values by X's.
void mutual_information(SparseMatrix& matrix) {
  const size_t items = matrix.row.size() - 1;
  std::vector<double> total(items, kRowPrior);
  for (size_t i = 0; i < items; ++i)
    for (uint64_t e = matrix.row[i]; e < matrix.row[i + 1]; ++e) total[i] += matrix.value[e];
  const double all = std::accumulate(total.begin(), total.end(), 0.0);
  for (size_t i = 0; i < items; ++i)
    for (uint64_t e = matrix.row[i]; e < matrix.row[i + 1]; ++e) {
      const double expected = total[i] * total[static_cast<size_t>(matrix.column[e])] / all;
      const double ratio = matrix.value[e] / expected;
      matrix.value[e] = ratio > 1 ? static_cast<float>(std::log(ratio)) : 0;
    }
}

// out = X q, both items x columns. False, with `out` unfinished, when `stop` says so.
bool multiply(const SparseMatrix& x, const AlignedFloats& q, size_t columns,
              const std::function<bool()>& stop, AlignedFloats& out) {
  const Kernels& k = kernels();
  std::fill_n(out.data(), out.size(), 0.0F);
  for (size_t i = 0; i + 1 < x.row.size(); ++i) {
    if (i % 1'024 == 0 && stop()) return false;
    for (uint64_t e = x.row[i]; e < x.row[i + 1]; ++e)
      if (x.value[e] != 0)
        k.add_scaled(columns, x.value[e], q.data() + static_cast<size_t>(x.column[e]) * columns,
                     out.data() + i * columns);
  }
  return true;
}

// Writes the first columns - kExtraColumns numbers of each row of `embedding` (items x size). False
// if the decomposition came to nothing.
bool decompose(const SparseMatrix& x, size_t size, size_t columns, uint64_t seed,
               const std::function<bool()>& stop, std::span<float> embedding) {
  const auto product = [&](const AlignedFloats& q, size_t width, AlignedFloats& out) {
    return multiply(x, q, width, stop, out);
  };
  return leading_eigenvectors(x.row.size() - 1, columns, seed, product, size, embedding);
}

// All of X's eigenvectors instead of some.
void decompose_exactly(const SparseMatrix& x, AlignedFloats& vectors) {
  const auto items = static_cast<ptrdiff_t>(x.row.size() - 1);
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(items, items);
  for (ptrdiff_t i = 0; i < items; ++i)
    for (uint64_t e = x.row[static_cast<size_t>(i)]; e < x.row[static_cast<size_t>(i) + 1]; ++e)
      dense(i, x.column[e]) = x.value[e];
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(dense);
  if (solver.info() != Eigen::Success) return;
  for (ptrdiff_t i = 0; i < items; ++i)
    for (ptrdiff_t k = 0; k < items; ++k)
      vectors[static_cast<size_t>(i * items + k)] = static_cast<float>(
          solver.eigenvectors()(i, k) * std::sqrt(std::abs(solver.eigenvalues()(k))));
}

Status interrupted() { return {StatusCode::kInterrupted, "training was interrupted"}; }

}  // namespace

size_t spectral_columns(size_t items, size_t size) {
  if (items < size + kExtraColumns) return 0;
  const size_t columns = std::min(size + kExtraColumns, kMostFloats / items);
  return columns > kExtraColumns ? columns : 0;
}

Status spectral_embedding(const MarkovCounts& counts, size_t size, float deviation, uint64_t seed,
                          const std::function<bool()>& stop, std::span<float> embedding) {
  const size_t items = counts.total.size();
  const size_t columns = spectral_columns(items, size);
  bool found = false;
  std::fill(embedding.begin(), embedding.end(), 0.0F);
  if (columns > 0) {
    SparseMatrix x = symmetric_sum(counts, stop);
    if (stop()) return interrupted();
    mutual_information(x);
    found = decompose(x, size, columns, seed, stop, embedding);
    if (stop()) return interrupted();
  }
  const size_t kept = found ? columns - kExtraColumns : 0;
  double squares = 0;
  if (found)
    for (const float value : embedding) squares += static_cast<double>(value) * value;
  const double spread = std::sqrt(squares / static_cast<double>(std::max<size_t>(1, items * kept)));
  const float scale =
      spread > 0 && std::isfinite(spread) ? deviation / static_cast<float>(spread) : 0;
  Random random(seed, kStream + 1);
  const auto noise = [&] { return deviation * static_cast<float>(random.normal()); };
  for (size_t i = 0; i < items; ++i) {
    if (i % 1'024 == 0 && stop()) return interrupted();
    const std::span<float> row = embedding.subspan(i * size, size);
    double norm = 0;
    for (float& value : row) {
      value = scale == 0 ? 0 : value * scale;
      norm += static_cast<double>(value) * value;
    }
    const size_t known = norm < 1e-12 ? 0 : kept;
    for (float& value : row.subspan(known)) value = noise();
  }
  return Status::ok();
}

Result<size_t> association_vectors(const MarkovCounts& counts, size_t size, uint64_t seed,
                                   const std::function<bool()>& stop, AlignedFloats& vectors) {
  const size_t items = counts.total.size();
  const size_t columns = spectral_columns(items, size);
  const size_t length = items < size + kExtraColumns ? items : size;
  vectors = AlignedFloats(items * length);
  SparseMatrix x = symmetric_sum(counts, stop);
  if (stop()) return interrupted();
  mutual_information(x);
  if (items < size + kExtraColumns) {
    decompose_exactly(x, vectors);
  } else if (columns > 0 && !decompose(x, size, columns, seed, stop, vectors.span())) {
    if (stop()) return interrupted();
    vectors = AlignedFloats(items * length);
  }
  for (size_t i = 0; i < items; ++i) {
    const std::span<float> row = vectors.span().subspan(i * length, length);
    double squares = 0;
    for (const float value : row) squares += static_cast<double>(value) * value;
    const bool known = squares >= 1e-12 && std::isfinite(squares);
    const auto scale = static_cast<float>(known ? 1 / std::sqrt(squares) : 0);
    for (float& value : row) value = known ? value * scale : 0;
  }
  return length;
}

}  // namespace personalize
