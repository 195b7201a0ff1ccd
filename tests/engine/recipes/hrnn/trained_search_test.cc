// The search by codes over vectors that were trained, whose lengths and directions are not those of
// random numbers, against a full sort of all scores.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/math/random.h"
#include "engine/recipes/hrnn/hrnn.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

constexpr size_t kItems = kEstimatedFrom + 77;

// What the test's questions are about: a model that was trained for a moment, of users who had one
// item in four. Nobody had the others.
class TrainedSearch : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    all_ = new Sequences(random_sequences(150, kItems, 20, 7));
    const auto hyperparameters =
        Hyperparameters::parse(R"({"hidden_dimension":32,"embedding_dimension":24,"epochs":1})",
                               hrnn_recipe().hyperparameters());
    model_ = new TrainedModel(hrnn_recipe(), TrainingView::everything(*all_), *hyperparameters,
                              {.seed = 3});
  }
  static void TearDownTestSuite() {
    delete model_;
    delete all_;
  }
  void SetUp() override {
    ASSERT_NE(model_->get(), nullptr);
    ASSERT_EQ(vectors().codes.items, kItems);
    // Every other item, about one in 200, and two that are far from each other.
    allowed_.assign(3, std::vector<uint64_t>(kItems / 64 + 1));
    Random random(1, 1);
    for (size_t item = 0; item < kItems; ++item) {
      if (item % 2 == 0) allow(0, item);
      if (random.below(200) == 0) allow(1, item);
    }
    allow(2, 5);
    allow(2, kItems - 1);
  }
  void allow(size_t set, size_t item) { allowed_[set][item / 64] |= uint64_t{1} << (item % 64); }

  const ItemVectors& vectors() const { return *(*model_)->vectors(); }
  // Asks for a user after all of his events.
  void ask_for_user(size_t user, VectorQuestion& question) const {
    const std::vector<ModelEvent> history = history_of(*all_, user, all_->start[user + 1]);
    const std::vector<float> state = state_after(**model_, history);
    (*model_)->reduce({.history = history, .state = state}, question);
  }

  // Compares the search with a full sort; gives how many of the lists end among equal scores.
  size_t expect_the_best(const VectorQuestion& question) const {
    std::vector<float> scores(kItems);
    score_all(question, scores);
    size_t ties = 0;
    for (size_t set = 0; set <= allowed_.size(); ++set) {
      const uint64_t* allowed = set == 0 ? nullptr : allowed_[set - 1].data();
      std::vector<Scored> sorted;
      for (size_t item = 0; item < kItems; ++item)
        if (allowed == nullptr || (allowed[item / 64] >> (item % 64) & 1) != 0)
          sorted.push_back({static_cast<ItemIndex>(item), scores[item]});
      std::stable_sort(sorted.begin(), sorted.end(),
                       [](const Scored& a, const Scored& b) { return a.score > b.score; });
      for (const size_t k : {1, 2, 10, 25, 100, 150}) {
        std::vector<Scored> found;
        TopK best(k, found);
        search(question, allowed, &best, nullptr);
        best.finish();
        const size_t wanted = std::min(k, sorted.size());
        EXPECT_EQ(found, std::vector<Scored>(sorted.begin(), sorted.begin() + wanted))
            << "set " << set << ", k = " << k;
        if (wanted < sorted.size() && sorted[wanted - 1].score == sorted[wanted].score) ++ties;
      }
    }
    return ties;
  }

  static Sequences* all_;
  static TrainedModel* model_;
  std::vector<std::vector<uint64_t>> allowed_;
};
Sequences* TrainedSearch::all_ = nullptr;
TrainedModel* TrainedSearch::model_ = nullptr;

TEST_F(TrainedSearch, FindsTheBestItemsOfUsers) {
  VectorQuestion question;
  for (size_t user = 0; user < all_->user_count(); ++user) {
    ask_for_user(user, question);
    expect_the_best(question);
  }
}

TEST_F(TrainedSearch, FindsTheMostSimilarItems) {
  VectorQuestion question;
  for (size_t e = 0; e < all_->event_count(); e += 31) {
    ASSERT_TRUE((*model_)->reduce_similar(all_->item[e], question));
    expect_the_best(question);
  }
}

TEST_F(TrainedSearch, FindsTheSmallerNumbersOfEqualScores) {
  // Of each eight items seven are one and the same.
  std::vector<float> numbers(vectors().vectors.begin(), vectors().vectors.end());
  std::vector<float> bias(vectors().bias.begin(), vectors().bias.end());
  const size_t width = vectors().width;
  for (size_t item = 0; item < kItems; ++item) {
    const size_t like = item % 8 == 0 ? item : item / 8 * 8 + 1;
    std::copy_n(vectors().vectors.begin() + like * width, width, numbers.begin() + item * width);
    bias[item] = vectors().bias[like];
  }
  const auto codes = quantize(kItems, width, numbers);
  ASSERT_TRUE(codes);
  const ItemVectors same{.items = kItems,
                         .width = width,
                         .vectors = numbers,
                         .bias = bias,
                         .codes = {kItems, width, codes->codes, codes->scales, codes->bounds}};
  VectorQuestion asked, question;
  size_t ties = 0;
  for (size_t user = 0; user < all_->user_count(); user += 3) {
    ask_for_user(user, asked);
    question.begin(same);
    std::copy(asked.y().begin(), asked.y().end(), question.y().begin());
    for (const ScoreTerm& each : asked.added())
      if (user % 2 == 0) question.add(each.item, each.term);
    ties += expect_the_best(question);
  }
  EXPECT_GT(ties, 100u);
}

}  // namespace
}  // namespace personalize
