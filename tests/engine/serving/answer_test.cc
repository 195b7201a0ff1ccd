#include "engine/serving/answer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/math/random.h"
#include "tests/engine/serving/metadata_model.h"

namespace personalize {
namespace {

using fakes::DecayModel;
using fakes::Loaded;

// Scores whatever the test says.
class TableModel : public Model {
 public:
  TableModel(std::vector<float> scores, ScoreKind kind) : scores_(std::move(scores)), kind_(kind) {}
  size_t item_count() const override { return scores_.size(); }
  ScoreKind score_kind() const override { return kind_; }
  void score(const Question&, std::span<float> scores) const override {
    std::copy(scores_.begin(), scores_.end(), scores.begin());
  }
  ScoreKind similar_kind() const override { return kind_; }
  bool similar(ItemIndex, std::span<float> scores) const override {
    std::copy(scores_.begin(), scores_.end(), scores.begin());
    return true;
  }

 private:
  std::vector<float> scores_;
  ScoreKind kind_;
};

// Sorts everything, in double precision, and normalises over `over`.
std::vector<Answer> slow_answers(const std::vector<float>& scores, ScoreKind kind,
                                 const std::vector<ItemIndex>& candidates,
                                 const std::vector<ItemIndex>& over) {
  double sum = 0;
  for (const ItemIndex i : over) {
    const double score = scores[static_cast<size_t>(i)];
    sum += kind == ScoreKind::kLogits ? std::exp(score) : score;
  }
  std::vector<Answer> all;
  for (const ItemIndex i : candidates) {
    const double score = scores[static_cast<size_t>(i)];
    all.push_back({i, kind == ScoreKind::kLogits   ? std::exp(score) / sum
                      : kind == ScoreKind::kCounts ? score / sum
                                                   : score});
  }
  std::sort(all.begin(), all.end(), [&](const Answer& a, const Answer& b) {
    const float x = scores[static_cast<size_t>(a.item)], y = scores[static_cast<size_t>(b.item)];
    return x > y || (x == y && a.item < b.item);
  });
  return all;
}

void expect_same(const std::vector<Answer>& found, std::vector<Answer> wanted, size_t k) {
  if (wanted.size() > k) wanted.resize(k);
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); i++) {
    EXPECT_EQ(found[i].item, wanted[i].item) << "place " << i;
    EXPECT_NEAR(found[i].score, wanted[i].score, 1e-6 * std::abs(wanted[i].score) + 1e-12);
  }
}

std::vector<ItemIndex> numbers(size_t n) {
  std::vector<ItemIndex> all(n);
  for (size_t i = 0; i < n; i++) all[i] = static_cast<ItemIndex>(i);
  return all;
}

class AnswerTest : public testing::TestWithParam<ScoreKind> {
 protected:
  static constexpr size_t kItems = 300;
  AnswerTest() : loaded_(kItems) {
    for (float& score : scores_) score = static_cast<float>(random_() % 50) / 8;
    loaded_.model->model = std::make_unique<TableModel>(scores_, GetParam());
    answerer_.ask_for_user(*loaded_.model, {history_, {}});
  }
  std::mt19937 random_{7};
  std::vector<float> scores_ = std::vector<float>(kItems);
  Loaded loaded_;
  std::vector<ModelEvent> history_ = {{100, 3, kNoValue}};
  Answerer answerer_;
  std::vector<Answer> answers_;
};

TEST_P(AnswerTest, TheBestKAreThoseOfAFullSortWithScoresOverAllItems) {
  for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, kItems, kItems + 50}) {
    answerer_.best(k, nullptr, answers_);
    expect_same(answers_, slow_answers(scores_, GetParam(), numbers(kItems), numbers(kItems)), k);
  }
}

TEST_P(AnswerTest, ASetIsSearchedNotFilteredAfterwards) {
  ItemSet set = ItemSet::none(kItems);
  std::vector<ItemIndex> members;
  for (size_t i = 0; i < kItems; i++) {
    if (random_() % 10 != 0) continue;
    set.add(static_cast<ItemIndex>(i));
    members.push_back(static_cast<ItemIndex>(i));
  }
  answerer_.best(12, &set, answers_);
  EXPECT_EQ(answers_.size(), 12u);
  expect_same(answers_, slow_answers(scores_, GetParam(), members, numbers(kItems)), 12);
  set.remove(members.front());
  EXPECT_FALSE(set.has(members.front()));
  EXPECT_TRUE(set.has(members.back()));
}

TEST_P(AnswerTest, AListIsRankedWithScoresOverTheList) {
  std::vector<ItemIndex> list = numbers(kItems);
  std::shuffle(list.begin(), list.end(), random_);
  list.resize(40);
  answerer_.ranked(list, answers_);
  expect_same(answers_, slow_answers(scores_, GetParam(), list, list), 40);
  // And what best() gives afterwards is over all items again.
  answerer_.best(5, nullptr, answers_);
  expect_same(answers_, slow_answers(scores_, GetParam(), numbers(kItems), numbers(kItems)), 5);
}

TEST_P(AnswerTest, TheScoreOfOneItemIsTheOneOfTheList) {
  std::vector<Answer> all;
  answerer_.best(kItems, nullptr, all);
  for (const Answer& answer : all) EXPECT_EQ(answerer_.score_of(answer.item), answer.score);
}

TEST_P(AnswerTest, SimilarItemsLeaveTheItemItselfOut) {
  answerer_.ask_for_similar(*loaded_.model, 17);
  answerer_.best(kItems, nullptr, answers_);
  std::vector<ItemIndex> others = numbers(kItems);
  std::erase(others, 17);
  expect_same(answers_, slow_answers(scores_, GetParam(), others, others), kItems);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AnswerTest,
                         testing::Values(ScoreKind::kLogits, ScoreKind::kCounts,
                                         ScoreKind::kSimilarity));

TEST(Answer, AUserWithoutEventsGetsThePopularItemsAndTheirShares) {
  const Loaded loaded(4);  // popularity 1, 2, 3, 4
  Answerer answerer;
  std::vector<Answer> answers;
  answerer.ask_for_user(*loaded.model, {});
  answerer.best(3, nullptr, answers);
  expect_same(answers, {{3, 0.4}, {2, 0.3}, {1, 0.2}}, 3);
}

TEST(Answer, AnItemTooLittleIsKnownAboutGivesPopularItemsButNotItself) {
  const Loaded loaded(4);
  Answerer answerer;
  std::vector<Answer> answers;
  answerer.ask_for_similar(*loaded.model, 0);
  answerer.best(10, nullptr, answers);
  expect_same(answers, {{3, 0.4}, {2, 0.3}, {1, 0.2}}, 10);
  answerer.ask_for_similar(*loaded.model, kNoItem);
  answerer.best(10, nullptr, answers);
  expect_same(answers, {{3, 0.4}, {2, 0.3}, {1, 0.2}, {0, 0.1}}, 10);
}

// Unseen items 4 (comedy), 5 (of unknown genre) and 6 (drama and comedy) beside items 0 to 3.
class AnswerWithUnseenTest : public testing::Test {
 protected:
  AnswerWithUnseenTest() {
    const auto add = [&](const char* id, const char* genre) {
      const FieldValue values[] = {FieldValue::of(genre), FieldValue::missing()};
      EXPECT_TRUE(unseen_.row(id, values).is_ok());
    };
    add("new a", "comedy");
    add("new b", "opera");
    add("new c", "drama|comedy");
    state_ = {0.5F, 1};
    question_ = {history_, state_};
    for (size_t i = 0; i < 4; i++) scores_.push_back(0.5F * std::cos(static_cast<float>(i) * 0.7F));
    scores_.insert(scores_.end(), {1, 0, 3});
  }
  fakes::LoadedWithMetadata loaded_{4};
  UnseenTable unseen_{loaded_.model, fakes::item_fields()};
  std::vector<ModelEvent> history_ = {{100, 3, kNoValue}};
  std::vector<float> state_;
  Question question_;
  std::vector<float> scores_;
  Answerer answerer_;
  std::vector<Answer> answers_;
};

TEST_F(AnswerWithUnseenTest, UnseenItemsAreAnswersLikeOthers) {
  answerer_.ask_for_user(*loaded_.model, question_, &unseen_);
  EXPECT_EQ(answerer_.item_count(), 7u);
  answerer_.best(10, nullptr, answers_);
  expect_same(answers_, slow_answers(scores_, ScoreKind::kLogits, numbers(7), numbers(7)), 10);
  EXPECT_EQ(answers_.front().item, 6);
  ItemSet some = ItemSet::none(7);
  some.add(5);
  some.add(1);
  answerer_.best(10, &some, answers_);
  expect_same(answers_, slow_answers(scores_, ScoreKind::kLogits, {1, 5}, numbers(7)), 10);
  const std::vector<ItemIndex> list = {5, 2, 4};
  answerer_.ranked(list, answers_);
  expect_same(answers_, slow_answers(scores_, ScoreKind::kLogits, list, list), 10);
}

TEST_F(AnswerWithUnseenTest, WithoutThemTheAnswersAreThoseOfTheModelAlone) {
  answerer_.ask_for_user(*loaded_.model, question_, &unseen_);
  answerer_.ask_for_user(*loaded_.model, question_);
  answerer_.best(10, nullptr, answers_);
  scores_.resize(4);
  expect_same(answers_, slow_answers(scores_, ScoreKind::kLogits, numbers(4), numbers(4)), 10);
}

TEST_F(AnswerWithUnseenTest, AnUnseenItemThatTheUserHasHadIsKnownByItsNumber) {
  history_.push_back({101, 5, kNoValue});
  answerer_.ask_for_user(*loaded_.model, {history_, state_}, &unseen_);
  scores_[5] = 1;
  answerer_.best(10, nullptr, answers_);
  expect_same(answers_, slow_answers(scores_, ScoreKind::kLogits, numbers(7), numbers(7)), 10);
}

TEST_F(AnswerWithUnseenTest, AUserWithoutEventsGetsThemAsPopularWithNobody) {
  answerer_.ask_for_user(*loaded_.model, {}, &unseen_);
  answerer_.best(5, nullptr, answers_);
  expect_same(answers_, {{3, 0.4}, {2, 0.3}, {1, 0.2}, {0, 0.1}, {4, 0}}, 5);
  for (const Answer& answer : answers_) EXPECT_EQ(answer.reason, Reason::kPopular);
}

TEST_F(AnswerWithUnseenTest, ItemsAreSimilarToUnseenOnesAndTheOtherWayRound) {
  answerer_.ask_for_similar(*loaded_.model, 6, &unseen_);  // two columns, like no other
  answerer_.best(10, nullptr, answers_);
  expect_same(answers_, {{0, 1}, {1, 2 / 3.0}, {2, 0.5}, {3, 0.4}, {4, -0.1}, {5, -0.1}}, 10);
  answerer_.ask_for_similar(*loaded_.model, 2, &unseen_);
  answerer_.best(3, nullptr, answers_);  // the one without columns is like it, says the model
  expect_same(answers_, {{5, 0.9}, {1, 0.5}, {3, 0.5}}, 3);
  answerer_.ask_for_similar(*loaded_.model, 5, &unseen_);
  answerer_.best(2, nullptr, answers_);
  expect_same(answers_, {{3, 0.4}, {2, 0.3}}, 2);
  EXPECT_EQ(answers_.front().reason, Reason::kPopular);
}

TEST_F(AnswerWithUnseenTest, ExplorationGivesThemPlacesAndTheirScores) {
  const std::vector<NewItem> fresh = {{4, 1, 0}, {5, 2, 0}};
  answerer_.ask_for_user(*loaded_.model, question_, &unseen_);
  std::vector<Answer> before;
  std::map<ItemIndex, int> explored;
  for (uint64_t request = 0; request < 300; request++) {
    answerer_.best(4, nullptr, before);  // 6, 4, 0, 1: one of two at most is new already
    answers_ = before;
    answerer_.explore({1, 0, 3, 4, request}, fresh, nullptr, answers_);
    for (const Answer& answer : answers_) {
      EXPECT_EQ(answer.score, answerer_.score_of(answer.item));
      if (answer.reason == Reason::kExploration) explored[answer.item]++;
    }
  }
  EXPECT_EQ(explored.size(), 1u);
  EXPECT_GT(explored[5], 20);  // floor(4 * 0.3 + u) is 2 in a fifth of the lists
  ItemSet known = ItemSet::none(7);
  for (const ItemIndex item : {0, 1, 2, 3}) known.add(item);
  answerer_.best(4, &known, before);
  answers_ = before;
  answerer_.explore({1, 0, 3, 4, 5}, fresh, &known, answers_);
  expect_same(answers_, before, 4);
}

TEST_F(AnswerWithUnseenTest, ExplorationForAUserWithoutEventsTakesAnyNewItem) {
  const std::vector<NewItem> fresh = {{4, 1, 0}, {5, 2, 0}, {6, 3, 0}};
  answerer_.ask_for_user(*loaded_.model, {}, &unseen_);
  std::map<ItemIndex, int> explored;
  for (uint64_t request = 0; request < 300; request++) {
    answerer_.best(4, nullptr, answers_);
    answerer_.explore({1, 1, 3, 4, request}, fresh, nullptr, answers_);
    for (const Answer& answer : answers_)
      if (answer.reason == Reason::kExploration) explored[answer.item]++;
  }
  for (const ItemIndex item : {4, 5, 6}) EXPECT_GT(explored[item], 60);
}

TEST(ItemSet, AddsRemovesAndKeepsAsSetsDo) {
  Random random(9, 0);
  for (const size_t count : {1, 63, 64, 65, 200}) {
    ItemSet a = ItemSet::none(count), b = ItemSet::all(count);
    std::vector<bool> in_a(count), in_b(count, true);
    for (int change = 0; change < 300; change++) {
      const auto item = static_cast<size_t>(random.uniform() * static_cast<double>(count));
      if (change % 2 == 0) {
        a.add(static_cast<ItemIndex>(item));
        in_a[item] = true;
      } else {
        b.remove(static_cast<ItemIndex>(item));
        in_b[item] = false;
      }
      ItemSet both = a, either = a, rest = a;
      both.keep(b);
      either.add(b);
      rest.remove(b);
      bool none = true;
      for (size_t i = 0; i < count; i++) {
        const auto index = static_cast<ItemIndex>(i);
        ASSERT_EQ(both.has(index), in_a[i] && in_b[i]);
        ASSERT_EQ(either.has(index), in_a[i] || in_b[i]);
        ASSERT_EQ(rest.has(index), in_a[i] && !in_b[i]);
        none &= !in_b[i];
      }
      ASSERT_EQ(b.is_empty(count), none) << count;
    }
  }
}

}  // namespace
}  // namespace personalize
