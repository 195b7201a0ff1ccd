#include "engine/recipes/popularity.h"

#include <gtest/gtest.h>

#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/silent_progress.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

TEST(Popularity, CountsDistinctUsersOfTrainingEventsOnly) {
  VectorSource source({{"a", "x", 1},
                       {"a", "y", 2},
                       {"a", "x", 3},
                       {"b", "x", 1},
                       {"b", "z", 2},
                       {"c", "y", 1},
                       {"c", "z", 9}});
  const auto sequences = read_sequences(source, {}, TieOrder::kArrival, 1);
  ASSERT_TRUE(sequences.is_ok());
  TrainingView view = TrainingView::everything(*sequences);
  EXPECT_EQ(distinct_users(view), (std::vector<float>{2, 2, 2}));
  view.end[2]--;  // withholds c's z
  EXPECT_EQ(distinct_users(view), (std::vector<float>{2, 2, 1}));

  SilentProgress progress;
  const auto fitted = popularity_recipe().fit(view, {}, {}, progress);
  ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
  const AlignedBlob blob(fitted->blob);
  const auto model = popularity_recipe().open(blob.view());
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  std::vector<float> scores(3);
  (*model)->score({}, scores);
  EXPECT_EQ(scores, (std::vector<float>{2, 2, 1}));
  scores.assign(3, 0);
  EXPECT_FALSE((*model)->similar(1, scores));
  EXPECT_EQ(scores, (std::vector<float>{2, 2, 1}));
}

TEST(Popularity, NeedsAnInteraction) {
  VectorSource source;
  const auto sequences = read_sequences(source, {}, TieOrder::kArrival, 1);
  SilentProgress progress;
  const auto fitted =
      popularity_recipe().fit(TrainingView::everything(*sequences), {}, {}, progress);
  ASSERT_FALSE(fitted.is_ok());
  EXPECT_EQ(fitted.status().code(), StatusCode::kInvalidInput);
}

TEST(Popularity, RefusesADamagedModel) {
  BlobWriter empty;
  EXPECT_EQ(popularity_recipe().open(AlignedBlob(empty).view()).status().code(),
            StatusCode::kCorrupt);
  BlobWriter wrong;
  wrong.add("popularity-count.users", std::vector<float>{1, kNoValue});
  EXPECT_EQ(popularity_recipe().open(AlignedBlob(wrong).view()).status().code(),
            StatusCode::kCorrupt);
}

}  // namespace
}  // namespace personalize
