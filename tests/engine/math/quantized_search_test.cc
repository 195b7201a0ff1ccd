#include "engine/math/quantized_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

// Items and a question about them, whose scores are all computed in floats.
class Catalogue {
 public:
  Catalogue(size_t items, size_t width, std::vector<float> vectors)
      : items_(items), width_(width), vectors_(std::move(vectors)) {
    owned_ = *quantize(items, width, vectors_);
    quantized_ = {items, width, owned_.codes, owned_.scales, owned_.bounds};
  }
  static std::vector<float> normal(size_t count, Random& random, double size = 1) {
    std::vector<float> values(count);
    for (float& x : values) x = static_cast<float>(size * random.normal());
    return values;
  }

  void ask(Random& random, bool with_row, size_t terms, double size = 3) {
    question_ = {.vectors = &quantized_};
    y_ = normal(width_, random, size / std::sqrt(static_cast<double>(width_)));
    bias_ = normal(items_, random);
    row_ = normal(items_, random);
    question_.y = y_.data();
    question_.bias = bias_.data();
    if (with_row) {
      question_.row = row_.data();
      question_.row_weight = -0.3F;
    }
    terms_.clear();
    for (size_t i = 0; i < terms; ++i)
      terms_.push_back(
          {static_cast<ItemIndex>(random.below(items_)), static_cast<float>(3 * random.normal())});
    std::sort(terms_.begin(), terms_.end(),
              [](const ScoreTerm& a, const ScoreTerm& b) { return a.item < b.item; });
    terms_.erase(
        std::unique(terms_.begin(), terms_.end(),
                    [](const ScoreTerm& a, const ScoreTerm& b) { return a.item == b.item; }),
        terms_.end());
    question_.terms = terms_;
    score_all();
  }
  void ask_without_bias(const float* y) {
    question_ = {.vectors = &quantized_, .y = y};
    score_all();
  }
  // Cosines with one of the items.
  void ask_for_cosines(size_t item) {
    factors_.assign(items_, 0.0F);
    for (size_t j = 0; j < items_; ++j) {
      double squares = 0;
      for (size_t c = 0; c < width_; ++c)
        squares += static_cast<double>(vectors_[j * width_ + c]) * vectors_[j * width_ + c];
      if (squares > 0) factors_[j] = static_cast<float>(1 / std::sqrt(squares));
    }
    question_ = {.vectors = &quantized_,
                 .y = vectors_.data() + item * width_,
                 .factor = factors_[item],
                 .factors = factors_.data(),
                 .least_margin = static_cast<float>(width_ + 32) * 0x1p-23F};
    score_all();
  }

  // Compares with a sort of all scores.
  void expect_exact(QuantizedSearch& search, const uint64_t* allowed, size_t k) const {
    std::vector<Scored> wanted;
    for (size_t j = 0; j < items_; ++j)
      if (allowed == nullptr || ((allowed[j / 64] >> (j % 64)) & 1) != 0)
        wanted.push_back({static_cast<ItemIndex>(j), scores_[j]});
    const auto better = [](const Scored& a, const Scored& b) {
      return a.score > b.score || (a.score == b.score && a.item < b.item);
    };
    const size_t count = std::min(k, wanted.size());
    std::partial_sort(wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(count), wanted.end(),
                      better);
    wanted.resize(count);
    for (const bool summed : {false, true}) {
      std::vector<Scored> found = {{1, 1}};
      LogSum sum;
      ASSERT_TRUE(
          search.best(question_, allowed, k, score_listed_, found, summed ? &sum : nullptr));
      ASSERT_EQ(found.size(), wanted.size()) << k;
      for (size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_EQ(found[i].item, wanted[i].item) << k << " at " << i;
        ASSERT_EQ(found[i].score, wanted[i].score) << k << " at " << i;
      }
    }
  }
  double sum(QuantizedSearch& search, const uint64_t* allowed, size_t k) const {
    std::vector<Scored> found;
    LogSum sum;
    EXPECT_TRUE(search.best(question_, allowed, k, score_listed_, found, &sum));
    return sum.value();
  }
  double exact_sum() const { return log_sum_exp(scores_); }
  size_t items() const { return items_; }

 private:
  void score_all() {
    scores_.resize(items_);
    std::vector<ItemIndex> all(items_);
    for (size_t j = 0; j < items_; ++j) all[j] = static_cast<ItemIndex>(j);
    score(all, scores_);
  }
  // In the order in which QuantizedQuestion says that it is done.
  void score(std::span<const ItemIndex> listed, std::span<float> out) const {
    const QuantizedQuestion& q = question_;
    for (size_t i = 0; i < listed.size(); ++i) {
      const auto j = static_cast<size_t>(listed[i]);
      float& score = out[i];
      kernels().matrix_vector(1, width_, vectors_.data() + j * width_, q.y,
                              q.bias == nullptr ? nullptr : q.bias + j, &score);
      if (q.factors != nullptr) score = std::clamp(score * q.factor * q.factors[j], -1.0F, 1.0F);
      if (q.row != nullptr) score += q.row_weight * q.row[j];
      const auto term =
          std::lower_bound(terms_.begin(), terms_.end(), listed[i],
                           [](const ScoreTerm& a, ItemIndex item) { return a.item < item; });
      if (!q.terms.empty() && term != terms_.end() && term->item == listed[i]) score += term->term;
    }
  }

  size_t items_, width_;
  std::vector<float> vectors_;
  OwnedQuantizedVectors owned_;
  QuantizedVectors quantized_;
  QuantizedQuestion question_;
  std::vector<float> y_, bias_, row_, factors_, scores_;
  std::vector<ScoreTerm> terms_;
  const ScoreListed score_listed_ = [this](std::span<const ItemIndex> listed,
                                           std::span<float> out) { score(listed, out); };
};

// Topics of items that are like each other.
std::vector<float> clustered(size_t items, size_t width, size_t topics, double apart,
                             Random& random) {
  const std::vector<float> centres = Catalogue::normal(topics * width, random);
  std::vector<float> vectors = Catalogue::normal(items * width, random, apart);
  for (size_t j = 0; j < items; ++j) {
    const size_t topic = random.below(topics);
    for (size_t c = 0; c < width; ++c) vectors[j * width + c] += centres[topic * width + c];
  }
  return vectors;
}

std::vector<uint64_t> some_of(size_t items, Random& random, uint64_t every) {
  std::vector<uint64_t> words(items / 64 + 1);
  for (size_t j = 0; j < items; ++j)
    if (random.below(every) == 0) words[j / 64] |= uint64_t{1} << (j % 64);
  return words;
}

TEST(QuantizedSearch, FindsTheBestOfAnyNumberOfItems) {
  QuantizedSearch search;
  QuantizedSearch in_parts(1);
  for (const size_t items : {1, 2, 63, 64, 65, 511, 512, 513, 1100, 5000})
    for (const size_t width : {1, 6, 64}) {
      Random random(items, width);
      Catalogue catalogue(items, width, Catalogue::normal(items * width, random));
      const std::vector<uint64_t> half = some_of(items, random, 2);
      const std::vector<uint64_t> few = some_of(items, random, 300);
      for (const bool with_row : {false, true}) {
        catalogue.ask(random, with_row, with_row ? items / 10 : 0);
        for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, items, 2 * items, SIZE_MAX})
          for (const uint64_t* allowed :
               {static_cast<const uint64_t*>(nullptr), half.data(), few.data()}) {
            catalogue.expect_exact(search, allowed, k);
            catalogue.expect_exact(in_parts, allowed, k);
          }
      }
    }
}

TEST(QuantizedSearch, FindsTheBestOfClustersAndOfEqualItems) {
  constexpr size_t kItems = 20'000;
  constexpr size_t kWidth = 32;
  QuantizedSearch search;
  for (const double apart : {0.0, 1e-4, 0.1}) {
    Random random(7, static_cast<uint64_t>(1e6 * apart));
    Catalogue catalogue(kItems, kWidth, clustered(kItems, kWidth, 40, apart, random));
    const std::vector<uint64_t> half = some_of(kItems, random, 2);
    const std::vector<float> y = Catalogue::normal(kWidth, random);
    for (const size_t k : {1, 10, 1000}) {
      catalogue.ask_without_bias(y.data());
      catalogue.expect_exact(search, nullptr, k);
      catalogue.expect_exact(search, half.data(), k);
      catalogue.ask_for_cosines(77);
      catalogue.expect_exact(search, nullptr, k);
    }
  }
}

TEST(QuantizedSearch, FindsTheBestWhereRowsAreOfAllSizes) {
  constexpr size_t kItems = 3'000;
  constexpr size_t kWidth = 16;
  QuantizedSearch search;
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    Random random(seed, 5);
    std::vector<float> vectors = Catalogue::normal(kItems * kWidth, random);
    for (size_t j = 0; j < kItems; ++j) {
      const float size = j % 50 == 0 ? 0.0F : std::exp(static_cast<float>(6 * random.normal()));
      for (size_t c = 0; c < kWidth; ++c) vectors[j * kWidth + c] *= size;
    }
    Catalogue catalogue(kItems, kWidth, vectors);
    const std::vector<float> y = Catalogue::normal(kWidth, random, std::exp(3 * random.normal()));
    catalogue.ask_without_bias(y.data());
    catalogue.expect_exact(search, nullptr, 20);
    catalogue.ask_for_cosines(seed);
    catalogue.expect_exact(search, nullptr, 20);
    catalogue.ask_for_cosines(0);  // of zeros: all are alike
    catalogue.expect_exact(search, nullptr, 20);
  }
}

TEST(QuantizedSearchThreads, AMillionItemsAreSearchedAsExactlyOnTwoThreads) {
  constexpr size_t kItems = 1'000'003;
  constexpr size_t kWidth = 64;
  // The same normal numbers again and again, shifted: drawing 64 million takes longer than the
  // test.
  Random random(3, 1);
  const std::vector<float> numbers = Catalogue::normal(1 << 16, random);
  std::vector<float> vectors(kItems * kWidth);
  for (size_t j = 0; j < kItems; ++j)
    std::copy_n(numbers.data() + random.below(numbers.size() - kWidth), kWidth,
                vectors.data() + j * kWidth);
  Catalogue catalogue(kItems, kWidth, std::move(vectors));
  catalogue.ask(random, true, 300);
  QuantizedSearch search;
  for (const size_t k : {10, 1000}) catalogue.expect_exact(search, nullptr, k);
  EXPECT_LT(search.scored(), 20'000U);
  const std::vector<uint64_t> hundredth = some_of(kItems, random, 100);
  catalogue.expect_exact(search, hundredth.data(), 10);
}

TEST(QuantizedSearch, TheSumIsThatOfAllItemsWhateverIsAskedFor) {
  constexpr size_t kItems = 12'345;
  Random random(5, 1);
  Catalogue catalogue(kItems, 48, Catalogue::normal(kItems * 48, random));
  const std::vector<uint64_t> few = some_of(kItems, random, 1000);
  QuantizedSearch search;
  QuantizedSearch in_parts(1);
  double worst = 0;
  for (const double size : {0.1, 1.0, 3.0, 6.0, 60.0}) {
    catalogue.ask(random, true, 100, size);
    const double sum = catalogue.sum(search, nullptr, 10);
    EXPECT_EQ(catalogue.sum(search, few.data(), 100), sum);
    EXPECT_EQ(catalogue.sum(search, nullptr, 0), sum);
    EXPECT_NEAR(catalogue.sum(in_parts, nullptr, 10), sum, 1e-6);
    worst = std::max(worst, std::abs(sum - catalogue.exact_sum()));
  }
  EXPECT_LT(worst, 0.005);
}

TEST(QuantizedSearch, SaysSoWhereNoBoundsCanBeGiven) {
  Random random(6, 1);
  Catalogue catalogue(100, 4, Catalogue::normal(400, random));
  std::vector<float> y = {1, 2, HUGE_VALF, 3};
  const auto owned = *quantize(1, 4, std::vector<float>{1, 2, 3, 4});
  const QuantizedVectors vectors{1, 4, owned.codes, owned.scales, owned.bounds};
  QuantizedSearch search;
  std::vector<Scored> found = {{7, 7}};
  EXPECT_FALSE(search.best({.vectors = &vectors, .y = y.data()}, nullptr, 1, {}, found, nullptr));
  EXPECT_EQ(found.size(), 1U);
}

}  // namespace
}  // namespace personalize
