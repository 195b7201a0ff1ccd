#include "engine/recipes/metadata_projection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/math/random.h"

namespace personalize {
namespace {

bool never() { return false; }

hrnn::ColumnBags bags_of(const std::vector<std::vector<ColumnIndex>>& rows) {
  hrnn::ColumnBags bags;
  for (const auto& row : rows) {
    bags.columns.insert(bags.columns.end(), row.begin(), row.end());
    bags.end_row();
  }
  return bags;
}

// The cosine of two rows' columns, weighted by idf, from the definition.
double slow_cosine(const hrnn::ColumnBags& bags, size_t a, size_t b) {
  const auto idf = [&](ColumnIndex column) {
    double rows = 0;
    for (const ColumnIndex c : bags.columns) rows += c == column ? 1 : 0;
    return std::log((1 + static_cast<double>(bags.size())) / (1 + rows));
  };
  double both = 0, left = 0, right = 0;
  for (const ColumnIndex c : bags.of(a)) left += idf(c) * idf(c);
  for (const ColumnIndex c : bags.of(b)) right += idf(c) * idf(c);
  for (const ColumnIndex c : bags.of(a))
    for (const ColumnIndex d : bags.of(b)) both += c == d ? idf(c) * idf(c) : 0;
  return both / std::sqrt(left * right);
}

double cosine(const MetadataProjection& projection, const hrnn::ColumnBags& bags, size_t a,
              size_t b) {
  std::vector<float> left(projection.size), right(projection.size);
  projection.project(bags.of(a), left.data());
  projection.project(bags.of(b), right.data());
  double product = 0;
  for (size_t n = 0; n < projection.size; n++) product += static_cast<double>(left[n]) * right[n];
  return product;
}

TEST(MetadataProjection, KeepsTheCosinesOfFewColumns) {
  Random random(1, 0);
  std::vector<std::vector<ColumnIndex>> rows(40);
  for (auto& row : rows)
    for (ColumnIndex c = 0; c < 12; c++)
      if (random.below(3) == 0) row.push_back(c);
  for (size_t i = 0; i < rows.size(); i++)
    if (rows[i].empty()) rows[i] = {static_cast<ColumnIndex>(i % 12)};
  const hrnn::ColumnBags bags = bags_of(rows);
  const auto projection = learn_projection(bags, 12, 30, 1, never);
  ASSERT_TRUE(projection.is_ok());
  for (size_t i = 0; i < rows.size(); i++)
    for (size_t j = 0; j < rows.size(); j++)
      EXPECT_NEAR(cosine(*projection, bags, i, j), slow_cosine(bags, i, j), 1e-5);
}

// Rows of 25 kinds, of five columns each that no other kind has: 25 directions are all there are.
TEST(MetadataProjection, FindsTheDirectionsOfManyColumns) {
  std::vector<std::vector<ColumnIndex>> rows;
  for (ColumnIndex i = 0; i < 200; i++) {
    const ColumnIndex kind = i % 25;
    rows.push_back({kind * 5, kind * 5 + 1, kind * 5 + 2, kind * 5 + 3, kind * 5 + 4});
  }
  const hrnn::ColumnBags bags = bags_of(rows);
  const auto projection = learn_projection(bags, 125, 30, 1, never);
  ASSERT_TRUE(projection.is_ok());
  ASSERT_EQ(projection->size, 30U);
  for (size_t j = 0; j < 50; j++)
    EXPECT_NEAR(cosine(*projection, bags, 3, j), j % 25 == 3 ? 1 : 0, 1e-3) << j;
}

TEST(MetadataProjection, AnItemWithoutColumnsIsNothing) {
  const hrnn::ColumnBags bags = bags_of({{0}, {1}, {}});
  const auto projection = learn_projection(bags, 2, 30, 1, never);
  ASSERT_TRUE(projection.is_ok());
  EXPECT_EQ(cosine(*projection, bags, 2, 2), 0);
  EXPECT_NEAR(cosine(*projection, bags, 0, 0), 1, 1e-6);
}

TEST(MetadataProjection, StopsWhenItIsTold) {
  std::vector<std::vector<ColumnIndex>> rows(100);
  for (size_t i = 0; i < rows.size(); i++) rows[i] = {static_cast<ColumnIndex>(i)};
  EXPECT_EQ(learn_projection(bags_of(rows), 100, 30, 1, [] { return true; }).status().code(),
            StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
