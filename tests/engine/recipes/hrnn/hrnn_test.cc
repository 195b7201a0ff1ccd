#include "engine/recipes/hrnn/hrnn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/shared_data.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

// A network that is trained in a moment.
Hyperparameters small(const std::string& more = "") {
  return *Hyperparameters::parse(
      R"({"hidden_dimension":32,"embedding_dimension":16,"batch_size":4,"bptt":16)" + more + "}",
      hrnn_recipe().hyperparameters());
}

Result<Fitted> fit(const Sequences& all, const Hyperparameters& hyperparameters,
                   const FitOptions& options = {}) {
  SilentProgress progress;
  return hrnn_recipe().fit(TrainingView::everything(all), hyperparameters, options, progress);
}

// NDCG@10 of every user's last event, all items ranked, ties against us.
double leave_one_out(const Sequences& all, const Hyperparameters& hyperparameters) {
  TrainingView view = TrainingView::everything(all);
  for (int64_t& end : view.end) --end;
  const TrainedModel model(hrnn_recipe(), view, hyperparameters);
  if (model.get() == nullptr) return 0;
  double gain = 0;
  for (size_t user = 0; user < all.user_count(); ++user) {
    const std::vector<ModelEvent> history = history_of(all, user, view.end[user]);
    const std::vector<float> scores = scores_after(*model, history);
    const float wanted = scores[static_cast<size_t>(all.item[static_cast<size_t>(view.end[user])])];
    size_t rank = 0;
    for (const float score : scores) rank += score >= wanted ? 1 : 0;
    if (rank <= 10) gain += 1 / std::log2(1.0 + static_cast<double>(rank));
  }
  return gain / static_cast<double>(all.user_count());
}

TEST(Hrnn, LearnsWhatFollowsWhat) {
  // Two followers share two thirds of the next items: 0.54 is what those who know them get.
  EXPECT_GT(leave_one_out(random_sequences(400, 50, 20, 1), small(R"(,"epochs":6)")), 0.45);
}

TEST(Hrnn, ReachesItsPublishedAccuracyOnMovieLens) {
  const auto rows = read_shared_data("ml-100k");
  if (!rows) GTEST_SKIP() << "needs MovieLens-100K beside the source tree";
  VectorSource source(*rows);
  const auto all = read_sequences(source, {}, TieOrder::kArrival, 1);
  ASSERT_TRUE(all.is_ok());
  // An item is rated once: the list with history is as good as the one without. Three epochs of the
  // ten that are the default.
  EXPECT_GT(leave_one_out(
                *all, *Hyperparameters::parse(R"({"epochs":3})", hrnn_recipe().hyperparameters())),
            0.12);
}

TEST(Hrnn, IsTheSameBitForBitForAnyNumberOfThreads) {
  const Sequences all = random_sequences(200, 60, 15, 2);
  // Lanes that no number of threads divides, and fewer of them than threads.
  for (const std::string lanes : {"1", "3", "6", "7"}) {
    const Hyperparameters hyperparameters = small(R"(,"epochs":2,"batch_size":)" + lanes);
    std::vector<std::byte> first;
    for (const int threads : {1, 2, 3, 7}) {
      auto fitted = fit(all, hyperparameters, {.seed = 5, .threads = threads});
      ASSERT_TRUE(fitted.is_ok());
      if (first.empty()) first = fitted->blob.finish();
      EXPECT_TRUE(fitted->blob.finish() == first) << lanes << " lanes, " << threads << " threads";
    }
    auto other = fit(all, hyperparameters, {.seed = 6, .threads = 1});
    EXPECT_FALSE(other->blob.finish() == first);
  }
}

TEST(Hrnn, StopsWhereverItIsTold) {
  const Sequences all = random_sequences(300, 60, 15, 2);
  SilentProgress whole;
  ASSERT_TRUE(
      hrnn_recipe()
          .fit(TrainingView::everything(all), small(R"(,"epochs":2)"), {.threads = 2}, whole)
          .is_ok());
  ASSERT_EQ(whole.epochs.size(), 2U);
  EXPECT_EQ(whole.epochs[1].epoch, 2);
  EXPECT_EQ(whole.epochs[1].epochs, 2);
  EXPECT_LT(whole.epochs[1].loss, whole.epochs[0].loss);
  for (const long after : {0, 1, 2, 3}) {
    SilentProgress progress;
    progress.stop_after = after;
    const auto fitted = hrnn_recipe().fit(TrainingView::everything(all), small(R"(,"epochs":1000)"),
                                          {.threads = 2}, progress);
    ASSERT_FALSE(fitted.is_ok());
    EXPECT_EQ(fitted.status().code(), StatusCode::kInterrupted);
  }
}

TEST(Hrnn, MakesAModelOfNearlyNothing) {
  for (const auto& [users, items, length] :
       {std::tuple(25, 10, 8), std::tuple(2, 1, 2), std::tuple(6, 3, 2), std::tuple(60, 200, 4)}) {
    Sequences all = random_sequences(static_cast<size_t>(users), static_cast<size_t>(items),
                                     static_cast<size_t>(length), 3);
    all.value.assign(all.value.size(), kNoValue);
    for (size_t e = 0; e < all.timestamp.size(); e += 3)  // clocks at both ends of time
      all.timestamp[e] =
          e % 2 == 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
    auto fitted = fit(all, *Hyperparameters::parse("", hrnn_recipe().hyperparameters()));
    ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
    const AlignedBlob blob(fitted->blob);
    const auto model = hrnn_recipe().open(blob.view());
    ASSERT_TRUE(model.is_ok()) << model.status().message();
    for (size_t user = 0; user < all.user_count(); ++user)
      for (const float score : scores_after(**model, history_of(all, user, all.start[user + 1])))
        EXPECT_TRUE(std::isfinite(score));
  }
}

TEST(Hrnn, SaysWhatItNeedsWhereNothingFollowsAnything) {
  const Sequences all = random_sequences(5, 10, 1, 3);
  const auto fitted = fit(all, small());
  ASSERT_FALSE(fitted.is_ok());
  EXPECT_EQ(fitted.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(fitted.status().message(),
            "hrnn learns what follows what, and no user has two interactions (5 interactions of 5 "
            "users in all); popularity-count needs no histories");
}

TEST(Hrnn, ResolvesWhatIsLeftToIt) {
  const Sequences all = random_sequences(60, 30, 5, 3);
  auto fitted = fit(all, small());
  ASSERT_TRUE(fitted.is_ok());
  for (const char* name : {"epochs", "learning_rate", "session_gap"})
    EXPECT_FALSE(fitted->hyperparameters.is_auto(name)) << name;
  EXPECT_EQ(fitted->hyperparameters.real("session_gap"), 1'800);
}

TEST(Hrnn, TakesItsStateFromTheDataWhereItIsLeftToIt) {
  const Sequences all = random_sequences(60, 30, 5, 3);
  const auto fitted =
      fit(all, *Hyperparameters::parse(R"({"epochs":1})", hrnn_recipe().hyperparameters()));
  ASSERT_TRUE(fitted.is_ok());
  EXPECT_EQ(fitted->hyperparameters.integer("hidden_dimension"), 128);
}

TEST(Hrnn, TrainsFewerEpochsWithinABudget) {
  const Sequences all = random_sequences(300, 60, 15, 2);
  SilentProgress progress;
  auto fitted = hrnn_recipe().fit(TrainingView::everything(all), small(R"(,"epochs":500)"),
                                  {.budget_seconds = 1e-6}, progress);
  ASSERT_TRUE(fitted.is_ok());
  EXPECT_EQ(fitted->hyperparameters.integer("epochs"), 1);
  ASSERT_EQ(progress.epochs.size(), 1U);
  ASSERT_FALSE(progress.notes.empty());
  EXPECT_TRUE(progress.notes[0].starts_with("1 of 500 epochs fit the budget of 1e-06 s"))
      << progress.notes[0];
}

TEST(Hrnn, MakesASoundModelAlsoAtTheHighestRate) {
  Sequences all = random_sequences(100, 60, 15, 2);
  SilentProgress progress;
  const auto fitted = hrnn_recipe().fit(TrainingView::everything(all),
                                        small(R"(,"epochs":2,"learning_rate":0.1)"), {}, progress);
  // Whatever became of it, no number that is none gets into a model.
  ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
  const AlignedBlob blob(fitted->blob);
  EXPECT_TRUE(hrnn_recipe().open(blob.view()).is_ok());
}

class HrnnModelTest : public testing::Test {
 protected:
  void SetUp() override {
    auto fitted = fit(all_, small(R"(,"epochs":3)"));
    ASSERT_TRUE(fitted.is_ok());
    bytes_ = fitted->blob.finish();
    blob_ = std::make_unique<AlignedBlob>(bytes_);
    auto opened = hrnn_recipe().open(blob_->view());
    ASSERT_TRUE(opened.is_ok()) << opened.status().message();
    model_ = std::move(*opened);
  }

  Sequences all_ = random_sequences(300, 40, 15, 4);
  std::vector<std::byte> bytes_;
  std::unique_ptr<AlignedBlob> blob_;
  std::unique_ptr<Model> model_;
};

TEST_F(HrnnModelTest, MovesAStateFromWhereItStands) {
  const std::vector<ModelEvent> history = history_of(all_, 5, all_.start[6]);
  ASSERT_GE(history.size(), 3U);
  std::vector<float> state(model_->state_size());
  EXPECT_EQ(state.size(), 32U);
  model_->begin(state);
  for (size_t i = 0; i < history.size(); ++i) {
    // A state that was folded over a prefix may be kept: later steps see the whole history.
    model_->step(std::span(history).first(i + 1), i, state);
    std::vector<float> again(model_->state_size());
    model_->begin(again);
    for (size_t j = 0; j <= i; ++j) model_->step(history, j, again);
    EXPECT_EQ(again, state);
  }
}

TEST_F(HrnnModelTest, GivesThePopularItemsToAUserWithoutHistory) {
  std::vector<double> events(40, 1);
  for (const ItemIndex item : all_.item) ++events[static_cast<size_t>(item)];
  const std::vector<float> scores = scores_after(*model_, {});
  for (size_t j = 1; j < 40; ++j)
    EXPECT_NEAR(std::exp(scores[j] - scores[0]), events[j] / events[0], 1e-3);
}

TEST_F(HrnnModelTest, FindsItselfTheMostSimilarItem) {
  std::vector<float> similarity(40);
  EXPECT_TRUE(model_->similar(7, similarity));
  EXPECT_NEAR(similarity[7], 1, 1e-5);
  for (const float x : similarity) EXPECT_LE(std::abs(x), 1);
  std::vector<float> back(40);
  EXPECT_TRUE(model_->similar(9, back));
  EXPECT_NEAR(similarity[9], back[7], 1e-6);
  EXPECT_FALSE(model_->similar(kNoItem, similarity));
  EXPECT_FLOAT_EQ(*std::max_element(similarity.begin(), similarity.end()), 1);
}

TEST_F(HrnnModelTest, IsRefusedWhereANumberIsNotFinite) {
  // A float of E and of the recurrent weights: the sections are long, so their middles are hit by
  // looking for places that hold the model's own numbers.
  const auto embedding = blob_->view().section<float>("hrnn.embedding");
  const auto recurrent = blob_->view().section<float>("hrnn.recurrent");
  ASSERT_TRUE(embedding.is_ok() && recurrent.is_ok());
  for (const std::span<const float> section : {*embedding, *recurrent}) {
    const auto offset = static_cast<size_t>(
        reinterpret_cast<const std::byte*>(section.data() + section.size() / 2) -
        blob_->bytes().data());
    std::vector<std::byte> damaged = bytes_;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(damaged.data() + offset, &nan, sizeof nan);
    const AlignedBlob blob(damaged);
    const auto opened = hrnn_recipe().open(blob.view());
    ASSERT_FALSE(opened.is_ok());
    EXPECT_EQ(opened.status().code(), StatusCode::kCorrupt);
  }
}

TEST_F(HrnnModelTest, IsRefusedWhereASectionOrASizeIsWrong) {
  const AlignedBlob empty{BlobWriter()};
  EXPECT_EQ(hrnn_recipe().open(empty.view()).status().code(), StatusCode::kCorrupt);
  const auto header = blob_->view().section<std::byte>("hrnn.header");
  EXPECT_FALSE(header.is_ok());  // it is one element, not bytes
  const auto users = blob_->view().section<float>("hrnn.users");
  ASSERT_TRUE(users.is_ok());
  // The header's sizes: items, embedding, hidden, features. Its section is found by its content.
  const uint64_t sizes[] = {40, 16, 32};
  const auto place =
      std::search(bytes_.begin(), bytes_.end(), std::as_bytes(std::span(sizes)).begin(),
                  std::as_bytes(std::span(sizes)).end());
  ASSERT_NE(place, bytes_.end());
  for (size_t field = 0; field < 4; ++field)
    for (const uint64_t wrong : {uint64_t{0}, uint64_t{31}, ~uint64_t{0}, uint64_t{1} << 61}) {
      std::vector<std::byte> damaged = bytes_;
      std::memcpy(damaged.data() + (place - bytes_.begin()) + field * 8, &wrong, 8);
      const AlignedBlob blob(damaged);
      EXPECT_FALSE(hrnn_recipe().open(blob.view()).is_ok()) << field << " " << wrong;
    }
}

TEST(PersonalizedRanking, IsTheHrnnOfAnotherType) {
  EXPECT_EQ(personalized_ranking_recipe().name(), "personalized-ranking");
  EXPECT_EQ(personalized_ranking_recipe().type(), RecipeType::kPersonalizedRanking);
  EXPECT_EQ(hrnn_recipe().type(), RecipeType::kUserPersonalization);
}

}  // namespace
}  // namespace personalize
