#include "engine/math/bounded_top_k.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/math/random.h"

namespace personalize {
namespace {

// Items of which a test knows the scores.
struct Shop {
  std::vector<float> scores;
  size_t asked = 0;
  ScoreListed score_listed = [this](std::span<const ItemIndex> items, std::span<float> out) {
    for (size_t i = 0; i < items.size(); ++i) out[i] = scores[static_cast<size_t>(items[i])];
    asked += items.size();
  };
};

TEST(BoundedTopK, FindsWhatTopKFindsWhateverTheBounds) {
  BoundedTopK halves[2];
  for (const int levels : {1, 2, 30, 1'000'000})
    for (const float widest : {0.0F, 0.5F, 3.0F, 1e9F})
      for (const size_t n : {0, 1, 63, 700, 4000})
        for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, size_t{200}, n}) {
          Random random(n + k, static_cast<uint64_t>(levels));
          Shop shop;
          for (size_t i = 0; i < n; ++i)
            shop.scores.push_back(static_cast<float>(random.below(static_cast<uint64_t>(levels))));
          const size_t middle = n / 3;
          for (size_t half = 0; half < 2; ++half) {
            halves[half].begin(k, shop.score_listed);
            const size_t first = half == 0 ? 0 : middle;
            const size_t last = half == 0 ? middle : n;
            for (size_t i = first; i < last; ++i) {
              // Of some the bounds are the score.
              const auto any = [&] {
                return i % 7 == 3 ? 0.0F : widest * static_cast<float>(random.uniform());
              };
              halves[half].add(static_cast<ItemIndex>(i), shop.scores[i] - any(),
                               shop.scores[i] + any());
            }
          }
          halves[0].add(halves[1]);
          std::vector<Scored> found;
          std::vector<Scored> wanted;
          halves[0].finish(found);
          top_k(shop.scores, nullptr, k, wanted);
          EXPECT_EQ(found, wanted) << levels << " " << widest << " " << n << " " << k;
          EXPECT_EQ(halves[0].scored(), shop.asked);
        }
}

TEST(BoundedTopK, AsksForFewScoresWhereBoundsTell) {
  Shop shop;
  Random random(1, 1);
  for (size_t i = 0; i < 100'000; ++i) shop.scores.push_back(static_cast<float>(random.uniform()));
  BoundedTopK best;
  best.begin(10, shop.score_listed);
  for (size_t i = 0; i < shop.scores.size(); ++i)
    best.add(static_cast<ItemIndex>(i), shop.scores[i] - 1e-4F, shop.scores[i] + 1e-4F);
  std::vector<Scored> found;
  best.finish(found);
  EXPECT_EQ(found.size(), 10U);
  EXPECT_LT(shop.asked, 60U);
}

TEST(BoundedTopK, NeverTakesAScoreThatIsNoNumberAndBelievesNoSuchBound) {
  const float nan = std::nanf("");
  Shop shop;
  shop.scores = {nan, 1, -HUGE_VALF, 2, nan, 0, HUGE_VALF};
  BoundedTopK best;
  best.begin(4, shop.score_listed);
  for (const ItemIndex item : {0, 1, 2, 3, 4, 5, 6}) best.add(item, nan, nan);
  std::vector<Scored> found;
  best.finish(found);
  EXPECT_EQ(found, (std::vector<Scored>{{6, HUGE_VALF}, {3, 2}, {1, 1}, {5, 0}}));
}

}  // namespace
}  // namespace personalize
