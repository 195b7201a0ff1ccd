#include "engine/recipes/hrnn/training_cost.h"

#include <gtest/gtest.h>

namespace personalize::hrnn {
namespace {

constexpr Shape kMillion{1'000'000, 128, 128, 0};

TrainingOptions with(Softmax softmax) {
  TrainingOptions options;
  options.softmax = softmax;
  options.threads = 2;
  return options;
}

TEST(TrainingCost, TheSoftmaxIsFullForFewItemsHoweverManyEvents) {
  EXPECT_FALSE(training_cost({20'000, 128, 128, 5}, 1'000'000'000, {}).sampled);
}

TEST(TrainingCost, TheSoftmaxIsFullForManyItemsOfFewEvents) {
  EXPECT_FALSE(training_cost({100'000, 128, 128, 5}, 10'000, {}).sampled);
}

TEST(TrainingCost, TheSoftmaxIsSampledForVeryManyItemsHoweverFewEvents) {
  EXPECT_TRUE(training_cost({250'000, 128, 128, 5}, 1'000, {}).sampled);
}

TEST(TrainingCost, TheSoftmaxIsSampledWhereTheFullOneIsTooDear) {
  EXPECT_TRUE(training_cost(kMillion, 2'000'000, {}).sampled);
  EXPECT_FALSE(training_cost(kMillion, 2'000'000, with(Softmax::kFull)).sampled);
  EXPECT_TRUE(training_cost({1'000, 128, 128, 5}, 1'000, with(Softmax::kSampled)).sampled);
}

TEST(TrainingCost, TheChoiceDoesNotDependOnThreads) {
  for (size_t items = 30'000; items < 500'000; items += 10'000) {
    TrainingOptions one = with(Softmax::kAuto);
    TrainingOptions many = one;
    one.threads = 1;
    many.threads = 16;
    const Shape shape{items, 128, 128, 5};
    EXPECT_EQ(training_cost(shape, 1'000'000, one).sampled,
              training_cost(shape, 1'000'000, many).sampled);
  }
}

TEST(TrainingCost, AMillionItemsTakeLittleMoreThanTheirEmbeddings) {
  const double embeddings = 4.0 * 1'000'000 * 128;
  const double bytes = training_cost(kMillion, 2'000'000, with(Softmax::kSampled)).bytes;
  EXPECT_GT(bytes, 2 * embeddings);
  EXPECT_LT(bytes, 2.5e9);
  EXPECT_GT(training_cost(kMillion, 2'000'000, with(Softmax::kFull)).bytes, 5 * embeddings);
}

TEST(TrainingCost, SecondsGrowWithEventsAndFallWithThreads) {
  const Shape shape{3'706, 128, 128, 10};
  TrainingOptions one = with(Softmax::kAuto);
  one.threads = 1;
  const double alone = training_cost(shape, 1'000'000, one).seconds;
  EXPECT_GT(alone, 0);
  EXPECT_LT(training_cost(shape, 500'000, one).seconds, 0.6 * alone);
  EXPECT_LT(training_cost(shape, 1'000'000, with(Softmax::kAuto)).seconds, 0.6 * alone);
}

}  // namespace
}  // namespace personalize::hrnn
