#include "engine/recipes/hrnn/update.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/dataset/split.h"
#include "engine/recipes/hrnn/hrnn.h"
#include "engine/recipes/hrnn/model.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

Hyperparameters small(const std::string& more = "") {
  return *Hyperparameters::parse(
      R"({"hidden_dimension":32,"embedding_dimension":16,"batch_size":4,"bptt":16)" + more + "}",
      hrnn_recipe().hyperparameters());
}

// The events up to `newest`, whose items have numbers in order of their first sight there.
Sequences up_to(const Sequences& all, int64_t newest) {
  Sequences before;
  before.start.push_back(0);
  for (size_t user = 0; user < all.user_count(); ++user) {
    before.users.push_back(all.users[user]);
    for (auto e = static_cast<size_t>(all.start[user]);
         e < static_cast<size_t>(all.start[user + 1]) && all.timestamp[e] <= newest; ++e) {
      before.item.push_back(before.items.add(all.items.id(all.item[e])));
      before.timestamp.push_back(all.timestamp[e]);
      before.value.push_back(all.value[e]);
    }
    before.start.push_back(static_cast<int64_t>(before.item.size()));
  }
  return before;
}

// A model of the events up to a time, ready to go on from.
class Update : public testing::Test {
 protected:
  void train_up_to(const Sequences& all, int64_t newest, const Hyperparameters& hyperparameters) {
    const Sequences before = up_to(all, newest);
    SilentProgress progress;
    auto fitted =
        hrnn_recipe().fit(TrainingView::everything(before), hyperparameters, {}, progress);
    ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
    before.items.write(fitted->blob);
    blob_ = std::make_unique<AlignedBlob>(fitted->blob);
    vocabulary_ = *Vocabulary::open(blob_->view());
    previous_ = {blob_->view(), &vocabulary_, newest};
    old_ = *hrnn_recipe().open(blob_->view());
  }

  std::unique_ptr<AlignedBlob> blob_;
  Vocabulary vocabulary_;
  PreviousModel previous_;
  std::unique_ptr<Model> old_;
};

int64_t newest_of(const Sequences& all, double share) {
  std::vector<int64_t> times = all.timestamp;
  std::sort(times.begin(), times.end());
  return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
}

// Mean NDCG@10 of the users' last events that are later than `newest` and of items from `least` on.
double gain(const Model& model, const Sequences& all, int64_t newest, ItemIndex least = 0) {
  double sum = 0;
  size_t users = 0;
  for (size_t user = 0; user < all.user_count(); ++user) {
    const auto last = static_cast<size_t>(all.start[user + 1]) - 1;
    if (all.item[last] < least || all.timestamp[last] <= newest ||
        static_cast<int64_t>(last) == all.start[user])
      continue;
    const auto scores = scores_after(model, history_of(all, user, static_cast<int64_t>(last)));
    size_t rank = 0;
    for (const float score : scores) rank += score >= scores[static_cast<size_t>(all.item[last])];
    sum += rank <= 10 ? 1 / std::log2(1.0 + static_cast<double>(rank)) : 0;
    ++users;
  }
  return sum / static_cast<double>(users);
}

// From the middle on, two new items follow on what used to lead elsewhere.
Sequences with_new_items(int64_t& newest) {
  Sequences all = random_sequences(1'000, 60, 12, 7);
  newest = newest_of(all, 0.8);
  const ItemIndex first = all.items.add("new 0");
  const ItemIndex second = all.items.add("new 1");
  for (size_t user = 0; user < all.user_count(); ++user)
    for (auto e = static_cast<size_t>(all.start[user]) + 1;
         e < static_cast<size_t>(all.start[user + 1]); ++e) {
      if (all.timestamp[e] <= newest) continue;
      if (all.item[e - 1] % 4 == 0) all.item[e] = first;
      if (all.item[e - 1] == first) all.item[e] = second;
    }
  return all;
}

TEST_F(Update, LearnsNewItemsAndComesNearToATrainingFromNothing) {
  int64_t newest = 0;
  const Sequences all = with_new_items(newest);
  TrainingView known = TrainingView::everything(all);
  for (size_t user = 0; user < all.user_count(); ++user)
    if (known.length(user) > 1) --known.end[user];
  const Hyperparameters hyperparameters = small(R"(,"epochs":6)");
  train_up_to(all, newest, hyperparameters);
  const TrainedModel updated(hrnn_recipe(), known, hyperparameters, {.previous = &previous_});
  const TrainedModel full(hrnn_recipe(), known, hyperparameters);
  ASSERT_TRUE(updated.get() != nullptr && full.get() != nullptr);
  EXPECT_EQ(updated.progress().epochs.size(), 2U);
  EXPECT_GT(gain(*updated, all, newest), 0.8 * gain(*full, all, newest));

  // Where a new item came, which the old model can't know.
  EXPECT_GT(gain(*full, all, newest, 60), 0.5);
  EXPECT_GT(gain(*updated, all, newest, 60), 0.7 * gain(*full, all, newest, 60));
}

TEST_F(Update, LeavesTheNetworkAsItIsWhereNothingIsNew) {
  const Sequences all =
      up_to(random_sequences(200, 60, 15, 2), std::numeric_limits<int64_t>::max());
  train_up_to(all, newest_of(all, 1), small(R"(,"epochs":2)"));
  SilentProgress progress;
  const auto fitted =
      hrnn_recipe().fit(TrainingView::everything(all), small(), {.previous = &previous_}, progress);
  ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
  EXPECT_EQ(fitted->hyperparameters.integer("epochs"), 0);
  const auto before = hrnn::read_model(blob_->view());
  const auto after = hrnn::read_model(AlignedBlob(fitted->blob).view());
  ASSERT_TRUE(before.is_ok() && after.is_ok());
  EXPECT_EQ(after->weights.w, before->weights.w);
  for (size_t i = 0; i < before->trained.layout.size; ++i)
    EXPECT_NEAR(after->trained.parameters[i], before->trained.parameters[i], 1e-5);
}

TEST_F(Update, LeavesOutItemsThatAreGone) {
  Sequences all = random_sequences(200, 60, 15, 2);
  const int64_t newest = newest_of(all, 0.9);
  train_up_to(all, newest, small(R"(,"epochs":2)"));
  // Nobody has ever had the items below 20 now.
  Sequences left;
  left.start.push_back(0);
  for (size_t user = 0; user < all.user_count(); ++user) {
    left.users.push_back(all.users[user]);
    for (auto e = static_cast<size_t>(all.start[user]);
         e < static_cast<size_t>(all.start[user + 1]); ++e) {
      if (all.item[e] < 20) continue;
      left.item.push_back(left.items.add(all.items.id(all.item[e])));
      left.timestamp.push_back(all.timestamp[e]);
      left.value.push_back(all.value[e]);
    }
    left.start.push_back(static_cast<int64_t>(left.item.size()));
  }
  const TrainedModel updated(hrnn_recipe(), TrainingView::everything(left), small(),
                             {.previous = &previous_});
  ASSERT_NE(updated.get(), nullptr);
  EXPECT_EQ(updated.get()->item_count(), 40U);
}

TEST_F(Update, IsTheSameBitForBitForAnyNumberOfThreads) {
  const Sequences all = random_sequences(200, 60, 15, 2);
  train_up_to(all, newest_of(all, 0.8), small(R"(,"epochs":2)"));
  std::vector<std::byte> first;
  for (const int threads : {1, 2, 3}) {
    SilentProgress progress;
    const auto fitted =
        hrnn_recipe().fit(TrainingView::everything(all), small(),
                          {.seed = 5, .threads = threads, .previous = &previous_}, progress);
    ASSERT_TRUE(fitted.is_ok());
    if (first.empty()) first = fitted->blob.finish();
    EXPECT_TRUE(fitted->blob.finish() == first) << threads << " threads";
  }
}

TEST_F(Update, StopsWhereverItIsTold) {
  const Sequences all = random_sequences(300, 60, 15, 2);
  train_up_to(all, newest_of(all, 0.8), small(R"(,"epochs":2)"));
  for (const long after : {0, 1, 2}) {
    SilentProgress progress;
    progress.stop_after = after;
    const auto fitted = hrnn_recipe().fit(TrainingView::everything(all), small(),
                                          {.threads = 2, .previous = &previous_}, progress);
    ASSERT_FALSE(fitted.is_ok());
    EXPECT_EQ(fitted.status().code(), StatusCode::kInterrupted);
  }
}

TEST_F(Update, RefusesANetworkOfAnotherShape) {
  const Sequences all = random_sequences(200, 60, 15, 2);
  train_up_to(all, newest_of(all, 0.8), small(R"(,"epochs":2)"));
  SilentProgress progress;
  const auto fitted = hrnn_recipe().fit(
      TrainingView::everything(all), *Hyperparameters::parse("", hrnn_recipe().hyperparameters()),
      {.previous = &previous_}, progress);
  ASSERT_FALSE(fitted.is_ok());
  EXPECT_EQ(fitted.status().message(),
            "the model to go on from has hidden_dimension 32 and embedding_dimension 16");
}

}  // namespace
}  // namespace personalize
