#include "engine/recipes/item_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace personalize {
namespace {

// Random vectors; of the items, one in eight is the same as the item before it.
class ItemVectorsTest : public testing::TestWithParam<std::pair<size_t, size_t>> {
 protected:
  ItemVectorsTest() : items_(GetParam().first), width_(GetParam().second) {
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < items_; i++) {
      const bool copy = i % 8 == 7;
      for (size_t d = 0; d < width_; d++)
        vectors_.push_back(copy ? vectors_[(i - 1) * width_ + d] : normal(random_));
      bias_.push_back(copy ? bias_.back() : normal(random_));
      row_.push_back(copy ? row_.back() : normal(random_));
    }
    model_ = {.items = items_, .width = width_, .vectors = vectors_, .bias = bias_};
  }
  // A question with a row and terms, or without.
  void ask(bool with_row, size_t terms) {
    std::normal_distribution<float> normal;
    question_.begin(model_);
    for (float& y : question_.y()) y = 0.1F * normal(random_);
    if (with_row) question_.set_row(0.5F, row_);
    for (size_t i = 0; i < terms; i++)
      question_.add(static_cast<ItemIndex>(random_() % items_), normal(random_));
  }
  // The formula, in double precision.
  std::vector<double> slow_scores() const {
    std::vector<double> scores(items_);
    for (size_t j = 0; j < items_; j++) {
      scores[j] = static_cast<double>(bias_[j]);
      for (size_t d = 0; d < width_; d++)
        scores[j] +=
            static_cast<double>(vectors_[j * width_ + d]) * static_cast<double>(question_.y()[d]);
      if (!question_.row().empty())
        scores[j] += static_cast<double>(question_.weight()) * static_cast<double>(row_[j]);
    }
    for (const ScoreTerm& each : question_.added())
      scores[static_cast<size_t>(each.item)] += static_cast<double>(each.term);
    return scores;
  }

  std::vector<float> norms() const {
    std::vector<float> inverse(items_);
    for (size_t j = 0; j < items_; j++) {
      double squares = 0;
      for (size_t d = 0; d < width_; d++)
        squares += std::pow(static_cast<double>(vectors_[j * width_ + d]), 2);
      inverse[j] = static_cast<float>(1 / std::sqrt(squares));
    }
    return inverse;
  }

  const size_t items_, width_;
  std::mt19937 random_{11};
  std::vector<float> vectors_, bias_, row_;
  ItemVectors model_;
  VectorQuestion question_;
};

TEST_P(ItemVectorsTest, ScoresAreThoseOfTheFormula) {
  for (const bool with_row : {false, true}) {
    ask(with_row, 5);
    std::vector<float> scores(items_);
    score_all(question_, scores);
    const std::vector<double> wanted = slow_scores();
    for (size_t j = 0; j < items_; j++)
      ASSERT_NEAR(scores[j], wanted[j], 1e-5 * (1 + std::abs(wanted[j]))) << j;
  }
}

TEST_P(ItemVectorsTest, AQuestionKeepsNothingOfTheOneBefore) {
  ask(true, 50);
  ask(false, 0);
  std::vector<float> scores(items_), again(items_);
  score_all(question_, scores);
  VectorQuestion fresh;
  fresh.begin(model_);
  std::copy(question_.y().begin(), question_.y().end(), fresh.y().begin());
  score_all(fresh, again);
  EXPECT_EQ(scores, again);
}

TEST_P(ItemVectorsTest, ListedItemsHaveTheSameBitsAsAll) {
  ask(true, items_ / 3);
  std::vector<float> scores(items_);
  score_all(question_, scores);
  for (const size_t count : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{40}}) {
    std::vector<ItemIndex> list(count);
    for (ItemIndex& item : list) item = static_cast<ItemIndex>(random_() % items_);
    std::vector<float> listed(count);
    score_listed(question_, list, listed);
    for (size_t i = 0; i < count; i++)
      EXPECT_EQ(listed[i], scores[static_cast<size_t>(list[i])]) << list[i];
  }
}

TEST_P(ItemVectorsTest, ASearchFindsTheBestOfAFullSortAndTheSumOverAllItems) {
  for (const bool with_row : {false, true}) {
    ask(with_row, items_ / 4);
    std::vector<float> scores(items_);
    score_all(question_, scores);
    std::vector<uint64_t> some(items_ / 64 + 1);
    for (uint64_t& word : some) word = random_();
    for (const uint64_t* allowed : std::initializer_list<const uint64_t*>{nullptr, some.data()}) {
      std::vector<Scored> wanted;
      for (size_t j = 0; j < items_; j++)
        if (allowed == nullptr || ((allowed[j / 64] >> (j % 64)) & 1) != 0)
          wanted.push_back({static_cast<ItemIndex>(j), scores[j]});
      std::stable_sort(wanted.begin(), wanted.end(),
                       [](const Scored& a, const Scored& b) { return a.score > b.score; });
      wanted.resize(std::min<size_t>(wanted.size(), 10));
      std::vector<Scored> found;
      TopK best(10, found);
      LogSum sum;
      search(question_, allowed, &best, &sum);
      best.finish();
      EXPECT_EQ(found, wanted);
      double exponentials = 0;
      for (const float score : scores) exponentials += std::exp(static_cast<double>(score));
      EXPECT_NEAR(sum.value(), std::log(exponentials), 1e-6 * std::abs(std::log(exponentials)));
    }
  }
}

TEST_P(ItemVectorsTest, CosinesAreThoseOfTheFormulaAndListedItemsHaveTheSameBits) {
  const std::vector<float> inverse_norms = norms();
  model_.inverse_norms = inverse_norms;
  const size_t of = items_ / 2;
  question_.begin(model_);
  std::copy_n(vectors_.begin() + static_cast<ptrdiff_t>(of * width_), width_,
              question_.y().begin());
  question_.ask_for_cosine(inverse_norms[of]);
  std::vector<float> scores(items_), listed(items_);
  score_all(question_, scores);
  std::vector<ItemIndex> all(items_);
  std::iota(all.begin(), all.end(), 0);
  score_listed(question_, all, listed);
  EXPECT_EQ(scores, listed);
  EXPECT_NEAR(scores[of], 1, 1e-6);
  for (size_t j = 0; j < items_; j++) {
    double product = 0;
    for (size_t d = 0; d < width_; d++)
      product += static_cast<double>(vectors_[j * width_ + d]) *
                 static_cast<double>(vectors_[of * width_ + d]);
    EXPECT_NEAR(scores[j], product * inverse_norms[j] * inverse_norms[of], 1e-5) << j;
    EXPECT_LE(std::abs(scores[j]), 1);
  }
}

TEST_P(ItemVectorsTest, CodesChangeNoListAndTheSumByLittle) {
  const std::vector<float> inverse_norms = norms();
  model_.inverse_norms = inverse_norms;
  ItemVectors with_codes = model_;
  const auto codes = quantize(items_, width_, vectors_);
  ASSERT_TRUE(codes);
  with_codes.codes = {items_, width_, codes->codes, codes->scales, codes->bounds};
  std::vector<uint64_t> some(items_ / 64 + 1);
  for (uint64_t& word : some) word = random_();
  for (const int kind : {0, 1, 2}) {
    VectorQuestion by_codes;
    ask(kind == 1, items_ / 20);
    by_codes.begin(with_codes);
    if (kind == 2) {
      question_.begin(model_);
      std::copy_n(vectors_.begin(), width_, question_.y().begin());
      question_.ask_for_cosine(inverse_norms[0]);
      by_codes.ask_for_cosine(inverse_norms[0]);
    } else {
      by_codes.set_row(question_.weight(), question_.row());
      for (const ScoreTerm& each : question_.added()) by_codes.add(each.item, each.term);
    }
    std::copy(question_.y().begin(), question_.y().end(), by_codes.y().begin());
    for (const size_t k : {size_t{1}, size_t{20}, items_ / 2, items_})
      for (const uint64_t* allowed : std::initializer_list<const uint64_t*>{nullptr, some.data()}) {
        std::vector<Scored> found, wanted;
        TopK best(k, found), best_wanted(k, wanted);
        LogSum sum, sum_wanted;
        search(by_codes, allowed, &best, &sum);
        search(question_, allowed, &best_wanted, &sum_wanted);
        best.finish();
        best_wanted.finish();
        EXPECT_EQ(found, wanted) << kind << " " << k;
        EXPECT_NEAR(sum.value(), sum_wanted.value(), 2e-3) << kind << " " << k;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ItemVectorsTest,
                         testing::Values(std::pair<size_t, size_t>{1, 8},
                                         std::pair<size_t, size_t>{300, 24},
                                         std::pair<size_t, size_t>{512, 16},
                                         std::pair<size_t, size_t>{1'700, 64},
                                         std::pair<size_t, size_t>{3'701, 128}));

TEST(VectorQuestion, SumsAnItemsTermsUpWhenTheyAreAskedFor) {
  const std::vector<float> numbers(6, 1.0F);
  const ItemVectors items{3, 2, numbers, std::span(numbers).first(3)};
  const auto terms = [](const VectorQuestion& question) {
    return std::vector<float>(question.terms().begin(), question.terms().end());
  };
  VectorQuestion question;
  question.begin(items);
  EXPECT_EQ(terms(question), (std::vector<float>{0, 0, 0}));
  question.add(1, 2);
  EXPECT_EQ(terms(question), (std::vector<float>{0, 2, 0}));
  const std::vector<ItemIndex> more = {2, 1};
  const std::vector<float> theirs = {3, 4};
  question.add(more, 0.5F, theirs);
  EXPECT_EQ(terms(question), (std::vector<float>{0, 4, 1.5F}));
  question.begin(items);
  EXPECT_EQ(terms(question), (std::vector<float>{0, 0, 0}));
}

TEST(VectorQuestion, GivesWhatItKeeps) {
  const std::vector<float> numbers(6, 1.0F);
  const ItemVectors items{3, 2, numbers, std::span(numbers).first(3)};
  VectorQuestion question;
  VectorQuestion::Kept kept, given;
  for (const float y : {5.0F, 7.0F}) {
    question.begin(items);
    EXPECT_EQ(question.y()[0], 0);
    question.y()[0] = y;
    question.set_row(0.5F, std::span(numbers).first(3));
    question.add(1, y);
    EXPECT_EQ(question.terms()[1], y);
    question.keep(kept);
    question.give(given);
    EXPECT_EQ(given.vectors, kept.vectors);
    EXPECT_EQ(given.y, kept.y);
    EXPECT_EQ(given.weight, kept.weight);
    EXPECT_EQ(given.row.data(), kept.row.data());
    ASSERT_EQ(given.terms.size(), 1u);
    EXPECT_EQ(given.terms[0].item, 1);
    EXPECT_EQ(given.terms[0].term, y);
  }
  question.begin(items);
  EXPECT_EQ(question.terms()[1], 0);
}

}  // namespace
}  // namespace personalize
