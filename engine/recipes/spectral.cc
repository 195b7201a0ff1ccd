#include "engine/recipes/spectral.h"

#include <algorithm>
#include <cmath>
#include <eigen3/Eigen/Cholesky>
#include <eigen3/Eigen/Eigenvalues>
#include <numeric>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr size_t kExtraColumns = 16;
constexpr int kIterations = 4;
constexpr uint64_t kStream = 0x5BEC;
constexpr double kRowPrior = 5;
constexpr size_t kMostFloats = size_t{1} << 25;

using Square = Eigen::MatrixXd;

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

// a' b, columns x columns.
Square inner_products(const AlignedFloats& a, const AlignedFloats& b, size_t columns) {
  const size_t rows = a.size() / columns;
  const auto stride = static_cast<ptrdiff_t>(columns);
  AlignedFloats products(columns * columns);
  kernels().product(columns, columns, rows, {a.data(), 1, stride}, b.data(), stride,
                    products.data(), stride, false);
  Square result(stride, stride);
  for (ptrdiff_t i = 0; i < stride; ++i)
    for (ptrdiff_t j = 0; j < stride; ++j)
      result(i, j) = products[static_cast<size_t>(i * stride + j)];
  return result;
}

// out = q m, m columns x n (n <= columns); `stride` floats from row to row of `out`.
void transform(const AlignedFloats& q, size_t columns, const Square& m, float* out, size_t stride) {
  const size_t rows = q.size() / columns;
  const auto n = static_cast<size_t>(m.cols());
  AlignedFloats right(columns * n);
  for (size_t i = 0; i < columns; ++i)
    for (size_t j = 0; j < n; ++j)
      right[i * n + j] =
          static_cast<float>(m(static_cast<ptrdiff_t>(i), static_cast<ptrdiff_t>(j)));
  kernels().product(rows, n, columns, {q.data(), static_cast<ptrdiff_t>(columns), 1}, right.data(),
                    static_cast<ptrdiff_t>(n), out, static_cast<ptrdiff_t>(stride), false);
}

// Makes the columns of q orthonormal: Cholesky's method on q' q, three times, the first time with a
// shift that keeps it positive (Fukaya et al. 2020). `other` is scratch.
bool orthonormalise(AlignedFloats& q, size_t columns, AlignedFloats& other) {
  for (int round = 0; round < 3; ++round) {
    Square gram = inner_products(q, q, columns);
    gram.diagonal().array() += gram.trace() * (round == 0 ? 1e-5 : 1e-12) + 1e-30;
    const Eigen::LLT<Square> cholesky(gram);
    if (cholesky.info() != Eigen::Success) return false;
    const Square inverse = cholesky.matrixU().solve(
        Square::Identity(static_cast<ptrdiff_t>(columns), static_cast<ptrdiff_t>(columns)));
    if (!inverse.allFinite()) return false;
    transform(q, columns, inverse, other.data(), columns);
    std::swap(q, other);
  }
  return true;
}

// Writes the first columns - kExtraColumns columns of `embedding` (items x size). False if the
// decomposition came to nothing.
bool decompose(const SparseMatrix& x, size_t size, size_t columns, uint64_t seed,
               const std::function<bool()>& stop, std::span<float> embedding) {
  const size_t items = x.row.size() - 1;
  const size_t kept = columns - kExtraColumns;
  Random random(seed, kStream);
  AlignedFloats q(items * columns);
  AlignedFloats other(items * columns);
  for (float& value : other.span()) value = static_cast<float>(random.normal());
  for (int iteration = 0; iteration <= kIterations; ++iteration) {
    if (!multiply(x, other, columns, stop, q) || !orthonormalise(q, columns, other)) return false;
    std::swap(q, other);
  }
  std::swap(q, other);
  if (!multiply(x, q, columns, stop, other)) return false;
  const Square projected = inner_products(q, other, columns);
  const Eigen::SelfAdjointEigenSolver<Square> solver((projected + projected.transpose()) / 2);
  if (solver.info() != Eigen::Success) return false;

  std::vector<ptrdiff_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  const auto magnitude = [&](ptrdiff_t i) { return std::abs(solver.eigenvalues()(i)); };
  std::sort(order.begin(), order.end(), [&](ptrdiff_t a, ptrdiff_t b) {
    return magnitude(a) != magnitude(b) ? magnitude(a) > magnitude(b) : a < b;
  });
  Square vectors(static_cast<ptrdiff_t>(columns), static_cast<ptrdiff_t>(kept));
  for (size_t j = 0; j < kept; ++j)
    vectors.col(static_cast<ptrdiff_t>(j)) =
        solver.eigenvectors().col(order[j]) * std::sqrt(magnitude(order[j]));
  transform(q, columns, vectors, embedding.data(), size);
  return true;
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

}  // namespace personalize
