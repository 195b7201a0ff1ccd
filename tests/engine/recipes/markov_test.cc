#include "engine/recipes/markov.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/shared_data.h"
#include "tests/engine/testing/silent_progress.h"

namespace personalize {
namespace {

Hyperparameters defaults() {
  return *Hyperparameters::parse("", markov_recipe().hyperparameters());
}

// NDCG@10 of every user's last event, all items ranked, ties against us, items of the history left
// out or not.
double leave_one_out(const Sequences& all, bool exclude_history) {
  TrainingView view = TrainingView::everything(all);
  for (int64_t& end : view.end) --end;
  SilentProgress progress;
  auto fitted = markov_recipe().fit(view, defaults(), {}, progress);
  EXPECT_TRUE(fitted.is_ok());
  const AlignedBlob blob(fitted->blob);
  const auto model = markov_recipe().open(blob.view());
  EXPECT_TRUE(model.is_ok()) << model.status().message();
  double gain = 0;
  std::vector<float> scores(all.item_count());
  for (size_t user = 0; user < all.user_count(); ++user) {
    std::vector<ModelEvent> history;
    for (int64_t e = view.begin(user); e < view.end[user]; ++e)
      history.push_back({all.timestamp[static_cast<size_t>(e)], all.item[static_cast<size_t>(e)],
                         all.value[static_cast<size_t>(e)]});
    (*model)->score({history, {}}, scores);
    const auto target = static_cast<size_t>(all.item[static_cast<size_t>(view.end[user])]);
    if (exclude_history)
      for (const ModelEvent& event : history) scores[static_cast<size_t>(event.item)] = -INFINITY;
    if (std::isinf(scores[target])) continue;
    size_t rank = 0;
    for (const float score : scores) rank += score >= scores[target] ? 1 : 0;
    if (rank <= 10) gain += 1 / std::log2(1.0 + static_cast<double>(rank));
  }
  return gain / static_cast<double>(all.user_count());
}

TEST(Markov, LearnsWhatFollowsWhat) {
  // Two followers share two thirds of the next items: 0.667 * (1 + 1 / log2(3)) / 2 = 0.54 is what
  // those who know them get.
  EXPECT_GT(leave_one_out(random_sequences(400, 50, 20, 1), false), 0.45);
}

TEST(Markov, LeavesTheFirstPlacesToPopularityWhereNothingFollowsAnything) {
  // Items drawn by chance, the first ones much more often.
  VectorSource source;
  uint64_t random = 1;
  for (int user = 0; user < 600; ++user)
    for (int event = 0; event < 6; ++event) {
      random = random * 6364136223846793005U + 1442695040888963407U;
      const double uniform = static_cast<double>(random >> 11) / 9007199254740992.0;
      source.add({"user " + std::to_string(user),
                  "item " + std::to_string(static_cast<int>(300 * std::pow(uniform, 4))), event});
    }
  const Sequences all = *read_sequences(source, {}, TieOrder::kArrival, 1);
  // Whoever knows the shares lists the items by them.
  double best = 0;
  for (int item = 0; item < 10; ++item)
    best +=
        (std::pow((item + 1) / 300.0, 0.25) - std::pow(item / 300.0, 0.25)) / std::log2(2.0 + item);
  EXPECT_GT(leave_one_out(all, false), 0.9 * best);
}

TEST(Markov, ReachesItsPublishedAccuracyOnMovieLens) {
  const auto rows = read_shared_data("ml-100k");
  if (!rows) GTEST_SKIP() << "needs MovieLens-100K beside the source tree";
  VectorSource source(*rows);
  const auto all = read_sequences(source, {}, TieOrder::kArrival, 1);
  ASSERT_TRUE(all.is_ok());
  EXPECT_GT(leave_one_out(*all, true), 0.10);
}

TEST(Markov, GivesThePopularItemsToAUserWithoutHistory) {
  const Sequences all = random_sequences(100, 20, 10, 2);
  SilentProgress progress;
  auto fitted = markov_recipe().fit(TrainingView::everything(all), defaults(), {}, progress);
  ASSERT_TRUE(fitted.is_ok());
  const AlignedBlob blob(fitted->blob);
  const auto model = markov_recipe().open(blob.view());
  ASSERT_TRUE(model.is_ok());
  std::vector<double> events(20, 1);
  for (const ItemIndex item : all.item) ++events[static_cast<size_t>(item)];
  std::vector<float> scores(20);
  (*model)->score({{}, {}}, scores);
  for (size_t j = 1; j < 20; ++j)
    EXPECT_NEAR(std::exp(scores[j] - scores[0]), events[j] / events[0], 1e-4);
}

TEST(Markov, MakesAModelOfNearlyNothing) {
  for (const size_t users : {1, 2, 25}) {
    const Sequences all = random_sequences(users, 3, 2, 2);
    SilentProgress progress;
    auto fitted = markov_recipe().fit(TrainingView::everything(all), defaults(), {}, progress);
    ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
    const AlignedBlob blob(fitted->blob);
    EXPECT_TRUE(markov_recipe().open(blob.view()).is_ok());
  }
  const Sequences none = random_sequences(0, 3, 2, 2);
  SilentProgress progress;
  EXPECT_EQ(
      markov_recipe().fit(TrainingView::everything(none), defaults(), {}, progress).status().code(),
      StatusCode::kInvalidInput);
}

TEST(Markov, IsTheSameBitForBitEveryTime) {
  const Sequences all = random_sequences(100, 20, 10, 2);
  std::vector<std::byte> first;
  for (const int threads : {1, 2, 3}) {
    SilentProgress progress;
    auto fitted = markov_recipe().fit(TrainingView::everything(all), defaults(),
                                      {.seed = 5, .threads = threads}, progress);
    ASSERT_TRUE(fitted.is_ok());
    if (first.empty()) first = fitted->blob.finish();
    EXPECT_EQ(fitted->blob.finish(), first);
  }
}

}  // namespace
}  // namespace personalize
