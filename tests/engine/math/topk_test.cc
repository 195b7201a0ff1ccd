#include "engine/math/topk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace personalize {
namespace {

// Sorts everything.
std::vector<Scored> slow_top_k(const std::vector<float>& scores, const uint64_t* allowed,
                               size_t k) {
  std::vector<Scored> all;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!std::isgreater(scores[i], -std::numeric_limits<float>::infinity())) continue;
    if (allowed != nullptr && ((allowed[i / 64] >> (i % 64)) & 1) == 0) continue;
    all.push_back({static_cast<ItemIndex>(i), scores[i]});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  if (all.size() > k) all.resize(k);
  return all;
}

TEST(TopK, AgreesWithASortOfEverythingAlsoWhereScoresAreTied) {
  std::mt19937 random(5);
  for (const size_t n : {0, 1, 15, 16, 17, 511, 512, 513, 3000}) {
    for (const int levels : {3, 50, 1'000'000}) {
      std::vector<float> scores(n);
      for (float& score : scores) score = static_cast<float>(random() % levels) - 10;
      std::vector<uint64_t> allowed(n / 64 + 1);
      for (uint64_t& word : allowed) word = random() | (static_cast<uint64_t>(random()) << 32);
      for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, size_t{100}, n, n + 5, SIZE_MAX}) {
        std::vector<Scored> out = {{7, 7}};
        top_k(scores, nullptr, k, out);
        EXPECT_EQ(out, slow_top_k(scores, nullptr, k)) << n << " " << levels << " " << k;
        top_k(scores, allowed.data(), k, out);
        EXPECT_EQ(out, slow_top_k(scores, allowed.data(), k)) << n << " " << levels << " " << k;
      }
    }
  }
}

TEST(TopK, FindsTheBestOfAscendingAndDescendingScores) {
  std::vector<float> scores(5000);
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i);
  std::vector<Scored> out;
  top_k(scores, nullptr, 7, out);
  EXPECT_EQ(out, slow_top_k(scores, nullptr, 7));
  std::reverse(scores.begin(), scores.end());
  top_k(scores, nullptr, 7, out);
  EXPECT_EQ(out, slow_top_k(scores, nullptr, 7));
}

TEST(TopK, NeverTakesAScoreThatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<Scored> out;
  top_k(std::vector<float>{nan, 1, -infinity, 2, nan}, nullptr, 5, out);
  EXPECT_EQ(out, (std::vector<Scored>{{3, 2}, {1, 1}}));
}

TEST(TopK, GivesTheNormaliserOfAllItemsInTheSamePass) {
  std::mt19937 random(6);
  std::vector<float> scores(2000);
  for (float& score : scores) score = std::normal_distribution<float>(90, 20)(random);
  long double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<long double>(score));
  const std::vector<uint64_t> none(scores.size() / 64 + 1);
  std::vector<Scored> out;
  double normaliser = 0;
  top_k(scores, none.data(), 10, out, &normaliser);
  EXPECT_TRUE(out.empty());
  EXPECT_NEAR(normaliser, static_cast<double>(std::log(sum)), 1e-5);
  EXPECT_NEAR(log_sum_exp(scores), static_cast<double>(std::log(sum)), 1e-5);
}

TEST(LogSumExp, LeavesOutWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> scores(40, nan);
  scores[3] = 2;
  scores[20] = 1;
  scores[21] = -std::numeric_limits<float>::infinity();
  EXPECT_NEAR(log_sum_exp(scores), std::log(std::exp(2.0) + std::exp(1.0)), 1e-5);
}

TEST(LogSumExp, NeitherOverflowsNorVanishes) {
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000, 1000}), 1000 + std::log(2.0), 1e-4);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{-1000, -1000}), -1000 + std::log(2.0), 1e-4);
  EXPECT_EQ(log_sum_exp({}), -std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace personalize
