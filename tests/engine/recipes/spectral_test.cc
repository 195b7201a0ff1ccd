#include "engine/recipes/spectral.h"

#include <gtest/gtest.h>

#include <cmath>
#include <eigen3/Eigen/Eigenvalues>

#include "tests/engine/testing/random_sequences.h"

namespace personalize {
namespace {

constexpr size_t kItems = 60;
constexpr size_t kSize = 8;

bool never() { return false; }

MarkovCounts counts_of(const Sequences& all) {
  return *count_transitions(TrainingView::everything(all),
                            {.window = 5, .decay = 0.7F, .smoothing = 50, .cut = 128}, 1, never);
}

// X by its definition, dense.
Eigen::MatrixXd dense(const MarkovCounts& counts) {
  Eigen::MatrixXd c = Eigen::MatrixXd::Zero(kItems, kItems);
  for (size_t i = 0; i < kItems; ++i)
    for (uint64_t e = counts.row[i]; e < counts.row[i + 1]; ++e)
      c(static_cast<ptrdiff_t>(i), counts.column[e]) = counts.count[e];
  const Eigen::MatrixXd a = c + c.transpose();
  const Eigen::VectorXd r = a.rowwise().sum().array() + 5;
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(kItems, kItems);
  for (ptrdiff_t i = 0; i < x.rows(); ++i)
    for (ptrdiff_t j = 0; j < x.cols(); ++j)
      if (a(i, j) > 0) x(i, j) = std::max(0.0, std::log(a(i, j) * r.sum() / (r(i) * r(j))));
  return x;
}

TEST(SpectralEmbedding, IsTheDecompositionOfTheDenseMatrix) {
  const Sequences all = random_sequences(300, kItems, 20, 6);
  const MarkovCounts counts = counts_of(all);
  std::vector<float> embedding(kItems * kSize);
  ASSERT_TRUE(spectral_embedding(counts, kSize, 0.05F, 1, never, embedding).is_ok());
  double squares = 0;
  for (const float x : embedding) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(std::sqrt(squares / embedding.size()), 0.05, 1e-5);

  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(dense(counts));
  std::vector<ptrdiff_t> order(kItems);
  for (size_t i = 0; i < kItems; ++i) order[i] = static_cast<ptrdiff_t>(i);
  std::sort(order.begin(), order.end(), [&](ptrdiff_t a, ptrdiff_t b) {
    return std::abs(solver.eigenvalues()(a)) > std::abs(solver.eigenvalues()(b));
  });
  // Signs are free, so magnitudes are compared, of the three leading columns: subspace iteration
  // with four rounds has them exactly, where the gaps to the next are wide.
  double scale = 0;
  for (size_t j = 0; j < kSize; ++j) scale += std::abs(solver.eigenvalues()(order[j]));
  scale = 0.05 / std::sqrt(scale / (kItems * kSize));
  for (size_t j = 0; j < 3; ++j)
    for (size_t i = 0; i < kItems; ++i) {
      const double wanted = scale * std::sqrt(std::abs(solver.eigenvalues()(order[j]))) *
                            std::abs(solver.eigenvectors()(static_cast<ptrdiff_t>(i), order[j]));
      EXPECT_NEAR(std::abs(embedding[i * kSize + j]), wanted, 0.003) << i << "," << j;
    }
}

TEST(SpectralEmbedding, IsNoiseWhereThereIsNothingToDecompose) {
  const Sequences few = random_sequences(50, 20, 5, 6);  // fewer items than 8 + 16
  std::vector<float> embedding(20 * kSize);
  ASSERT_TRUE(spectral_embedding(counts_of(few), kSize, 0.05F, 1, never, embedding).is_ok());
  double squares = 0;
  for (const float x : embedding) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(std::sqrt(squares / embedding.size()), 0.05, 0.01);

  const Sequences lonely = random_sequences(50, kItems, 1, 6);  // nothing follows anything
  embedding.assign(kItems * kSize, 0);
  ASSERT_TRUE(spectral_embedding(counts_of(lonely), kSize, 0.05F, 1, never, embedding).is_ok());
  for (const float x : embedding) EXPECT_TRUE(std::isfinite(x) && x != 0);
}

TEST(SpectralEmbedding, StopsWhenTold) {
  const Sequences all = random_sequences(300, kItems, 20, 6);
  std::vector<float> embedding(kItems * kSize);
  EXPECT_EQ(spectral_embedding(
                counts_of(all), kSize, 0.05F, 1, [] { return true; }, embedding)
                .code(),
            StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
