#include "engine/recipes/trending.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_events.h"
#include "tests/engine/testing/silent_progress.h"

namespace personalize {
namespace {

constexpr int64_t kHour = 3'600;
constexpr int64_t kNow = 1'700'000'000;
const auto never = [] { return false; };

Sequences read(VectorSource& source) { return *read_sequences(source, {}, TieOrder::kArrival, 1); }

// A source of events at even distances in (kNow - windows * window, kNow].
class Shop {
 public:
  explicit Shop(int64_t window) : window_(window) {}
  // `count` events of the item in the window that lies `ago` before the last, each of another user.
  void add(const std::string& item, int ago, int count) {
    for (int i = 0; i < count; i++)
      source.add({"user " + std::to_string(next_user_++), item,
                  kNow - ago * window_ - window_ * i / count});
  }
  VectorSource source;

 private:
  int64_t window_;
  int next_user_ = 0;
};

// The items, best first.
std::vector<std::string> ranking(VectorSource& source, std::string_view json = "") {
  const Sequences sequences = read(source);
  const Recipe& recipe = trending_recipe();
  SilentProgress progress;
  const auto fitted =
      recipe.fit(TrainingView::everything(sequences),
                 *Hyperparameters::parse(json, recipe.hyperparameters()), {}, progress);
  EXPECT_TRUE(fitted.is_ok()) << fitted.status().message();
  const AlignedBlob blob(fitted->blob);
  const auto model = recipe.open(blob.view());
  EXPECT_TRUE(model.is_ok()) << model.status().message();
  std::vector<float> scores((*model)->item_count());
  (*model)->score({}, scores);
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); i++) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  std::vector<std::string> items;
  for (const size_t i : order) items.emplace_back(sequences.items.id(static_cast<ItemIndex>(i)));
  return items;
}

TEST(TrendScore, IsALowerBoundOfTheGrowth) {
  // (r + 5 - 1.64 sqrt(r + 5)) / (e + 5)
  EXPECT_NEAR(trend_score(20, 10), (25 - 1.64 * 5) / 15, 1e-12);
  EXPECT_NEAR(trend_score(0, 0), (5 - 1.64 * std::sqrt(5)) / 5, 1e-12);
  EXPECT_LT(trend_score(1, 0), trend_score(20, 10)) << "one event of a new item";
  EXPECT_GT(trend_score(10, 0), trend_score(20, 10)) << "ten of them";
  EXPECT_LT(trend_score(200, 100), 2);
  EXPECT_GT(trend_score(200, 100), trend_score(20, 10)) << "of many events it is surer";
  EXPECT_LT(trend_score(1'000, 1'000), 1) << "no growth";
}

TEST(TrendCounts, AreUsersOfAnItemAndWindow) {
  VectorSource source = random_events(3, 300, 30, 40);
  const Sequences sequences = read(source);
  TrainingView view = TrainingView::everything(sequences);
  for (size_t u = 0; u < view.end.size(); u += 3)  // withhold something
    view.end[u] -= view.length(u) / 3;
  int64_t newest = 0;
  for (size_t u = 0; u < view.end.size(); u++)
    newest = std::max(newest, sequences.timestamp[static_cast<size_t>(view.end[u]) - 1]);
  for (const int64_t window : {50'000, 86'400, 100'000}) {
    std::vector<std::set<std::pair<size_t, int64_t>>> users_of(sequences.item_count());
    for (size_t u = 0; u < view.end.size(); u++)
      for (auto i = static_cast<size_t>(view.begin(u)); i < static_cast<size_t>(view.end[u]); i++)
        users_of[static_cast<size_t>(sequences.item[i])].emplace(
            u, (newest - sequences.timestamp[i]) / window);
    const TrendCounts counts = *count_trends(view, window, never);
    ASSERT_EQ(counts.window, window) << "enough to tell";
    for (size_t item = 0; item < users_of.size(); item++) {
      int last = 0, earlier = 0;
      for (const auto& [user, ago] : users_of[item]) {
        last += ago == 0 ? 1 : 0;
        earlier += ago >= 1 && ago <= 7 ? 1 : 0;
      }
      EXPECT_EQ(counts.last[item], last);
      EXPECT_EQ(counts.earlier[item], earlier);
    }
  }
}

TEST(TrendCounts, DoubleAWindowThatTellsTooLittle) {
  Shop shop(kHour);
  for (int ago = 0; ago < 40; ago++) shop.add("a", ago, 15);
  const Sequences sequences = read(shop.source);
  const TrendCounts counts = *count_trends(TrainingView::everything(sequences), kHour, never);
  EXPECT_EQ(counts.window, 4 * kHour);
  EXPECT_EQ(counts.last[0], 60);
  EXPECT_EQ(counts.earlier[0], 7 * 60);
}

TEST(TrendCounts, EndWhateverTheTimestampsAre) {
  for (const auto& [oldest, newest] : {std::pair<int64_t, int64_t>{0, INT64_MAX},
                                       {INT64_MAX - 1, INT64_MAX},
                                       {0, 0},
                                       {0, 100'000'000'000}}) {
    VectorSource source({{"u", "a", oldest}, {"v", "b", newest}});
    const Sequences sequences = read(source);
    const auto counts = count_trends(TrainingView::everything(sequences), 1'800, never);
    ASSERT_TRUE(counts.is_ok());
    EXPECT_GE(counts->last[0] + counts->last[1], 1);
  }
}

TEST(Trending, NamesTheItemWhoseRateHasDoubled) {
  Shop shop(3 * kHour);
  for (int item = 0; item < 50; item++)
    for (int ago = 0; ago < 10; ago++) shop.add("steady " + std::to_string(item), ago, 5 + item);
  for (int ago = 0; ago < 10; ago++) shop.add("grower", ago, ago == 0 ? 60 : 30);
  shop.add("newcomer", 0, 1);
  shop.add("fading", 3, 500);
  const std::vector<std::string> items = ranking(shop.source);
  EXPECT_EQ(items.front(), "grower");
  EXPECT_EQ(items.back(), "fading");
}

TEST(Trending, IsNotMovedByAnEveningWhenAllIsHadMore) {
  Shop shop(3 * kHour);
  for (int ago = 0; ago < 8; ago++) {
    const int busy = ago == 0 ? 4 : 1;
    shop.add("steady", ago, 40 * busy);
    shop.add("small", ago, 10 * busy);
    shop.add("grower", ago, ago == 0 ? 30 * busy : 15);
  }
  EXPECT_EQ(ranking(shop.source).front(), "grower");
}

TEST(Trending, LooksAtTheFrequencyItIsToldTo) {
  Shop shop(1'800);
  for (int ago = 0; ago < 400; ago++) {
    shop.add("steady", ago, 60);
    shop.add("of the half hour", ago, ago == 0 ? 60 : 20);
    shop.add("of the day", ago, ago < 48 ? 40 : 20);
  }
  EXPECT_EQ(ranking(shop.source, R"({"trend_discovery_frequency": "30 minutes"})").front(),
            "of the half hour");
  EXPECT_EQ(ranking(shop.source, R"({"trend_discovery_frequency": "1 day"})").front(),
            "of the day");
}

TEST(Trending, IsNotMovedByOneUser) {
  Shop shop(3 * kHour);
  for (int ago = 0; ago < 8; ago++) {
    shop.add("steady", ago, 40);
    shop.add("grower", ago, ago == 0 ? 40 : 20);
    shop.add("his", ago, 20);
  }
  for (int i = 0; i < 2'000; i++) shop.source.add({"a fan", "his", kNow - i % 1'000});
  EXPECT_EQ(ranking(shop.source).front(), "grower");
}

TEST(Trending, OfNothingEarlierIsPopularity) {
  Shop shop(kHour);
  shop.add("a", 0, 3);
  shop.add("b", 0, 9);
  shop.add("c", 0, 6);
  EXPECT_THAT(ranking(shop.source), testing::ElementsAre("b", "c", "a"));
}

TEST(Trending, SaysWhatItNeeds) {
  VectorSource nothing;
  const Sequences sequences = read(nothing);
  SilentProgress progress;
  const Recipe& recipe = trending_recipe();
  const auto defaults = *Hyperparameters::parse("", recipe.hyperparameters());
  EXPECT_EQ(
      recipe.fit(TrainingView::everything(sequences), defaults, {}, progress).status().message(),
      "there are 0 interactions to learn from; trending-now needs at least 1");
  EXPECT_EQ(Hyperparameters::parse(R"({"trend_discovery_frequency": "2 hours"})",
                                   recipe.hyperparameters())
                .status()
                .message(),
            "hyperparameter 'trend_discovery_frequency' is \"2 hours\"; it must be one of 30 "
            "minutes, 1 hour, 3 hours, 1 day");
}

TEST(Trending, RefusesADamagedModel) {
  BlobWriter blob;
  blob.add("trending-now.growth", std::vector<float>{1, NAN});
  blob.add("trending-now.users", std::vector<float>{1, 2});
  const AlignedBlob damaged(blob);
  EXPECT_EQ(trending_recipe().open(damaged.view()).status().code(), StatusCode::kCorrupt);
  BlobWriter shorter;
  shorter.add("trending-now.growth", std::vector<float>{1, 2});
  shorter.add("trending-now.users", std::vector<float>{1});
  const AlignedBlob other(shorter);
  EXPECT_EQ(trending_recipe().open(other.view()).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace personalize
