#include "engine/recipes/hrnn/cold_items.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/math/random.h"
#include "tests/engine/testing/aligned_blob.h"

namespace personalize::hrnn {
namespace {

constexpr size_t kColumns = 5;
constexpr size_t kD = 19;

std::vector<float> normals(size_t count, uint64_t seed) {
  Random random(seed, 0);
  std::vector<float> result;
  for (size_t i = 0; i < count; ++i) result.push_back(static_cast<float>(random.normal()));
  return result;
}

ItemRidge ridge() {
  ItemRidge result;
  result.size = kD;
  result.mean = normals(kD, 1);
  result.mean_bias = 0.3F;
  result.rows = normals(kColumns * kD, 2);
  result.bias = normals(kColumns, 3);
  return result;
}

class ColdItemsTest : public testing::Test {
 protected:
  static constexpr float kA = 0.8F;
  static constexpr ColdWeights kWeights{.alpha = 1.7F, .beta = -0.4F, .noise = 0.9F};

  BlobWriter written(const ItemRidge& of) const {
    BlobWriter writer;
    write_cold_items(of, predicted_, kWeights, 10, kA, writer);
    return writer;
  }
  // By the formula, in double precision, of plain numbers.
  double score(const std::vector<float>& y, std::span<const ColumnIndex> columns) const {
    double middle = predicted_[kD];
    double own = ridge_.mean_bias;
    for (const ColumnIndex c : columns) own += ridge_.bias[c];
    for (size_t k = 0; k < kD; ++k) {
      double row = ridge_.mean[k];
      for (const ColumnIndex c : columns) row += ridge_.rows[c * kD + k];
      middle += y[k] * predicted_[k];
      own += y[k] * row;
    }
    return kA * middle + kWeights.alpha * (kA * own - kA * middle) + kWeights.beta;
  }

  const ItemRidge ridge_ = ridge();
  const std::vector<float> predicted_ = normals(kD + 1, 4);
  const std::vector<uint32_t> start_ = {0, 2, 2, 3};
  const std::vector<ColumnIndex> columns_ = {1, 4, 0};
  const UnseenItems unseen_{start_, columns_};
};

TEST_F(ColdItemsTest, ScoreByTheFormulaAndPredictPlainRows) {
  const AlignedBlob blob(written(ridge_));
  const auto cold = ColdItems::open(blob.view(), kColumns, kD);
  ASSERT_TRUE(cold.is_ok()) << cold.status().message();
  EXPECT_EQ(cold->numbers.noise, 0.9F);
  const std::vector<float> y = normals(kD, 5);
  std::vector<float> scaled_y;  // a model's output is scaled by a
  for (const float value : y) scaled_y.push_back(kA * value);
  std::vector<float> scores(3);
  cold->score(scaled_y.data(), unseen_, scores);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(scores[i], score(y, unseen_.of(i)), 1e-4);
  std::vector<float> row(kD);
  cold->predict(unseen_.of(0), row.data());
  for (size_t k = 0; k < kD; ++k)
    EXPECT_NEAR(row[k], ridge_.mean[k] + ridge_.rows[kD + k] + ridge_.rows[4 * kD + k], 1e-5);
}

TEST_F(ColdItemsTest, AreLikeThemselvesAndItemsWithoutColumnsLikeNone) {
  const AlignedBlob blob(written(ridge_));
  const auto cold = ColdItems::open(blob.view(), kColumns, kD);
  ASSERT_TRUE(cold.is_ok());
  std::vector<float> row(kD);
  cold->predict(unseen_.of(2), row.data());
  std::vector<float> scores(3);
  cold->similar(row.data(), unseen_, scores);
  EXPECT_NEAR(scores[2], 1, 1e-5);
  EXPECT_EQ(scores[1], 0);
  EXPECT_LT(scores[0], 1);
}

TEST_F(ColdItemsTest, AreNotPlacedByABlobWithoutThem) {
  BlobWriter empty;
  empty.add("other", std::vector<float>{1});
  const AlignedBlob blob(empty);
  const auto cold = ColdItems::open(blob.view(), kColumns, kD);
  ASSERT_TRUE(cold.is_ok());
  EXPECT_EQ(cold->size, 0U);
}

TEST_F(ColdItemsTest, OfOtherSizesOrNotFiniteAreCorrupt) {
  const AlignedBlob blob(written(ridge_));
  EXPECT_EQ(ColdItems::open(blob.view(), kColumns + 1, kD).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(ColdItems::open(blob.view(), kColumns, kD - 1).status().code(), StatusCode::kCorrupt);
  ItemRidge bad = ridge_;
  bad.rows[7] = std::numeric_limits<float>::quiet_NaN();
  const AlignedBlob damaged(written(bad));
  EXPECT_EQ(ColdItems::open(damaged.view(), kColumns, kD).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace personalize::hrnn
