#include "engine/recipes/subspace.h"

#include <algorithm>
#include <cmath>
#include <eigen3/Eigen/Cholesky>
#include <eigen3/Eigen/Eigenvalues>
#include <numeric>
#include <vector>

#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr int kIterations = 4;
constexpr uint64_t kStream = 0x5BEC;

using Square = Eigen::MatrixXd;

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

}  // namespace

bool leading_eigenvectors(size_t rows, size_t columns, uint64_t seed,
                          const SymmetricProduct& multiply, size_t stride,
                          std::span<float> vectors) {
  const size_t kept = columns - kExtraColumns;
  Random random(seed, kStream);
  AlignedFloats q(rows * columns);
  AlignedFloats other(rows * columns);
  for (float& value : other.span()) value = static_cast<float>(random.normal());
  for (int iteration = 0; iteration <= kIterations; ++iteration) {
    if (!multiply(other, columns, q) || !orthonormalise(q, columns, other)) return false;
    std::swap(q, other);
  }
  std::swap(q, other);
  if (!multiply(q, columns, other)) return false;
  const Square projected = inner_products(q, other, columns);
  const Eigen::SelfAdjointEigenSolver<Square> solver((projected + projected.transpose()) / 2);
  if (solver.info() != Eigen::Success) return false;

  std::vector<ptrdiff_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  const auto magnitude = [&](ptrdiff_t i) { return std::abs(solver.eigenvalues()(i)); };
  std::sort(order.begin(), order.end(), [&](ptrdiff_t a, ptrdiff_t b) {
    return magnitude(a) != magnitude(b) ? magnitude(a) > magnitude(b) : a < b;
  });
  Square chosen(static_cast<ptrdiff_t>(columns), static_cast<ptrdiff_t>(kept));
  for (size_t j = 0; j < kept; ++j)
    chosen.col(static_cast<ptrdiff_t>(j)) =
        solver.eigenvectors().col(order[j]) * std::sqrt(magnitude(order[j]));
  transform(q, columns, chosen, vectors.data(), stride);
  return true;
}

}  // namespace personalize
