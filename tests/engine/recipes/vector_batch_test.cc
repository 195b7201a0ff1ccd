#include "engine/recipes/vector_batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace personalize {
namespace {

struct Case {
  size_t items, width;
  int levels;  // how many different values the numbers have; 0: any
};

// Random items and questions; few levels make many equal scores.
class BatchSearchTest : public testing::TestWithParam<Case> {
 protected:
  BatchSearchTest() {
    const size_t items = GetParam().items;
    for (size_t i = 0; i < items * GetParam().width; i++) vectors_.push_back(number());
    for (size_t i = 0; i < items; i++) bias_.push_back(number());
    for (size_t i = 0; i < 2 * items; i++) rows_.push_back(number());
    for (size_t i = 0; i <= items / 64; i++) allowed_.push_back(random_());
    model_ = {items, GetParam().width, vectors_, bias_};
  }
  float number() {
    if (GetParam().levels > 0)
      return static_cast<float>(static_cast<int>(random_() % GetParam().levels) - 1);
    return std::normal_distribution<float>()(random_);
  }
  void ask(size_t place, VectorQuestion& question) {
    const size_t items = GetParam().items;
    question.begin(model_);
    for (float& y : question.y()) y = 0.2F * number();
    if (place % 3 != 0) question.set_row(0.5F, std::span(rows_).subspan(place % 2 * items, items));
    for (size_t i = 0; i < place % 40; i++)
      question.add(static_cast<ItemIndex>(random_() % items), number());
  }

  std::mt19937_64 random_{5};
  std::vector<float> vectors_, bias_, rows_;
  std::vector<uint64_t> allowed_;
  ItemVectors model_;
};

TEST_P(BatchSearchTest, GivesEachQuestionWhatItIsGivenAlone) {
  const BatchVectors copied = BatchVectors::of(model_);
  BatchVectors uncopied = BatchVectors::of(model_);  // as those of large models
  ASSERT_GT(uncopied.tiles.size(), 0u);
  uncopied.tiles = AlignedFloats();
  BatchSearch search_many;
  for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, size_t{200}}) {
    for (const size_t count : {size_t{1}, size_t{37}, size_t{128}}) {
      std::vector<BatchQuestion> batch(count);
      std::vector<std::vector<Scored>> wanted(count);
      std::vector<double> sums(count);
      VectorQuestion question;
      for (size_t q = 0; q < count; q++) {
        ask(q, question);
        question.keep(batch[q].question);
        batch[q].allowed = q % 5 == 4 ? allowed_.data() : nullptr;
        TopK best(k, wanted[q]);
        LogSum sum;
        search(question, batch[q].allowed, &best, &sum);
        best.finish();
        sums[q] = sum.value();
      }
      for (const BatchVectors* known :
           std::initializer_list<const BatchVectors*>{&copied, &uncopied}) {
        search_many.run(model_, *known, k, batch);
        for (size_t q = 0; q < count; q++) {
          EXPECT_EQ(batch[q].best, wanted[q]) << q << " of " << count << ", k = " << k;
          EXPECT_NEAR(batch[q].log_sum, sums[q], 1e-5);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, BatchSearchTest,
                         testing::Values(Case{1, 8, 0}, Case{40, 16, 0}, Case{512, 24, 0},
                                         Case{1'700, 64, 0}, Case{3'701, 128, 0}, Case{2'000, 8, 2},
                                         Case{2'000, 16, 3}));

TEST(BatchSearch, SumsInAnotherOrderDoNotMakeAnotherAnswer) {
  // Large numbers that cancel: the order of adding up decides about the last bits of every score.
  constexpr size_t kItems = 600, kWidth = 64;
  std::mt19937 random(3);
  std::vector<float> vectors, bias(kItems, 0.0F);
  for (size_t i = 0; i < kItems; i++)
    for (size_t d = 0; d < kWidth; d++)
      vectors.push_back((d % 2 == 0 ? 1e4F : -1e4F) + 1e-3F * static_cast<float>(random() % 1'000));
  const ItemVectors model{kItems, kWidth, vectors, bias};
  VectorQuestion question;
  question.begin(model);
  std::fill(question.y().begin(), question.y().end(), 1.0F);
  std::vector<Scored> wanted;
  TopK best(10, wanted);
  search(question, nullptr, &best, nullptr);
  best.finish();
  std::vector<BatchQuestion> batch(1);
  question.keep(batch[0].question);
  BatchSearch().run(model, BatchVectors::of(model), 10, batch);
  EXPECT_EQ(batch[0].best, wanted);
}

}  // namespace
}  // namespace personalize
