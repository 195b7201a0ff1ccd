#include "engine/serving/exploration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>

namespace personalize {
namespace {

// Old items 0 .. old - 1 with scores from 0 downwards, then new ones with `fresh_scores`.
struct Shop {
  size_t old;
  std::vector<float> scores;
  std::vector<NewItem> fresh;

  Shop(size_t old_items, const std::vector<float>& fresh_scores) : old(old_items) {
    for (size_t i = 0; i < old; i++) scores.push_back(-0.1F * static_cast<float>(i));
    for (const float score : fresh_scores) {
      fresh.push_back({static_cast<ItemIndex>(scores.size()),
                       exploration_hash("new" + std::to_string(scores.size())), 0});
      scores.push_back(score);
    }
  }
  std::vector<ListedItem> best(size_t k) const {
    std::vector<ItemIndex> order(scores.size());
    for (size_t i = 0; i < order.size(); i++) order[i] = static_cast<ItemIndex>(i);
    std::stable_sort(order.begin(), order.end(), [&](ItemIndex a, ItemIndex b) {
      return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)];
    });
    order.resize(std::min(k, order.size()));
    std::vector<ListedItem> list;
    for (const ItemIndex item : order) list.push_back({item, false});
    return list;
  }
  bool is_new(ItemIndex item) const { return static_cast<size_t>(item) >= old; }
};

std::vector<ListedItem> explored(const Shop& shop, const ExplorationDraw& draw, size_t k) {
  std::vector<ListedItem> list = shop.best(k);
  Explorer().explore(draw, shop.fresh, std::span(shop.scores).subspan(shop.old), list);
  return list;
}

ExplorationDraw draw_of(double weight, uint64_t user, double noise = 1) {
  return {weight, noise, 7, exploration_hash("user" + std::to_string(user)), 3};
}

size_t count_new(const Shop& shop, const std::vector<ListedItem>& list) {
  return static_cast<size_t>(std::count_if(
      list.begin(), list.end(), [&](const ListedItem& each) { return shop.is_new(each.item); }));
}

TEST(Exploration, GivesNewItemsTheirShareOfPlacesOnAverageWhateverTheirScores) {
  // The longest list has room for it: 0.3 weight N places a list.
  for (const float score : {-100.0F, -12.0F}) {
    const Shop shop(100, std::vector<float>(50, score));
    for (const double weight : {0.1, 0.3, 1.0}) {
      for (const size_t k : {size_t{1}, size_t{2}, size_t{5}, size_t{10}, size_t{25}}) {
        constexpr int kUsers = 4'000;
        double found = 0;
        for (int user = 0; user < kUsers; user++)
          found += static_cast<double>(
              count_new(shop, explored(shop, draw_of(weight, static_cast<uint64_t>(user)), k)));
        const double wanted = 0.3 * weight * static_cast<double>(k);
        // m differs from its mean by less than one; 5 standard errors of a coin's.
        EXPECT_NEAR(found / kUsers, wanted, 5 * 0.5 / std::sqrt(kUsers)) << weight << " " << k;
      }
    }
  }
}

TEST(Exploration, PutsTheBestNewItemsInOrderIntoTheLowerHalf) {
  // Weight 1 of ten places is three of them; without noise they are the best three new ones.
  const Shop shop(20, {-50, -40, -60, -30, -70});
  std::set<size_t> places;
  for (uint64_t user = 0; user < 200; user++) {
    const std::vector<ListedItem> list = explored(shop, draw_of(1, user, 0), 10);
    std::vector<ItemIndex> fresh, old;
    for (size_t place = 0; place < list.size(); place++) {
      EXPECT_EQ(list[place].explored, shop.is_new(list[place].item));
      (shop.is_new(list[place].item) ? fresh : old).push_back(list[place].item);
      if (shop.is_new(list[place].item)) places.insert(place + 1);
    }
    EXPECT_EQ(fresh, (std::vector<ItemIndex>{23, 21, 20}));
    EXPECT_EQ(old, (std::vector<ItemIndex>{0, 1, 2, 3, 4, 5, 6}));
  }
  EXPECT_EQ(places, (std::set<size_t>{6, 7, 8, 9, 10}));
}

TEST(Exploration, AListOfOnePlaceHasItForNewItemsAsOftenAsItsShareSays) {
  const Shop shop(5, {-50});
  int found = 0;
  for (uint64_t user = 0; user < 4'000; user++)
    found += explored(shop, draw_of(1, user), 1).front().item == 5 ? 1 : 0;
  EXPECT_NEAR(found / 4'000.0, 0.3, 0.04);
}

TEST(Exploration, ItemsInTheListByTheirOwnScoreCount) {
  // Two of the best ten are new: one place more is given, and not to them.
  const Shop shop(20, {-0.05F, -0.35F, -9, -8});
  for (uint64_t user = 0; user < 50; user++) {
    const std::vector<ListedItem> list = explored(shop, draw_of(1, user, 0), 10);
    EXPECT_EQ(count_new(shop, list), 3u);
    EXPECT_EQ(list[1].item, 20);
    EXPECT_FALSE(list[1].explored);
    std::vector<ItemIndex> placed;
    for (const ListedItem& each : list)
      if (each.explored) placed.push_back(each.item);
    EXPECT_EQ(placed, (std::vector<ItemIndex>{23}));
  }
}

TEST(Exploration, OwnScoresBeyondTheShareLeaveTheListAlone) {
  const Shop shop(20, {1, 2, 3, 4, -9});
  const std::vector<ListedItem> before = shop.best(10);
  const std::vector<ListedItem> list = explored(shop, draw_of(1, 1), 10);
  for (size_t i = 0; i < before.size(); i++) EXPECT_EQ(list[i].item, before[i].item);
}

TEST(Exploration, WithoutWeightOrNewItemsTheListStays) {
  for (const Shop& shop : {Shop(30, {-50, -60}), Shop(30, {})}) {
    const std::vector<ListedItem> before = shop.best(10);
    for (uint64_t user = 0; user < 100; user++) {
      const std::vector<ListedItem> list =
          explored(shop, draw_of(shop.fresh.empty() ? 1 : 0, user), 10);
      for (size_t i = 0; i < before.size(); i++) EXPECT_EQ(list[i].item, before[i].item);
    }
  }
}

TEST(Exploration, FewNewItemsTakeFewPlaces) {
  const Shop shop(30, {-50, -60});
  for (uint64_t user = 0; user < 50; user++)
    EXPECT_EQ(count_new(shop, explored(shop, draw_of(1, user), 20)), 2u);  // six places are theirs
}

TEST(Exploration, KeepsEveryItemOnceAndOldOnesInOrder) {
  std::mt19937 random(5);
  for (int round = 0; round < 2'000; round++) {
    std::vector<float> scores(random() % 30);
    for (float& score : scores) score = -static_cast<float>(random() % 100) / 20;
    Shop shop(1 + random() % 40, scores);
    for (NewItem& item : shop.fresh) item.impressions = random() % 3 == 0 ? 500 : random() % 50;
    const size_t k = random() % 30;
    const double weight = static_cast<double>(random() % 11) / 10;
    const std::vector<ListedItem> before = shop.best(k);
    const std::vector<ListedItem> list = explored(shop, draw_of(weight, random()), k);
    ASSERT_EQ(list.size(), before.size());
    std::set<ItemIndex> items;
    ItemIndex last = -1;
    for (const ListedItem& each : list) {
      EXPECT_TRUE(items.insert(each.item).second);
      if (each.explored) {
        EXPECT_LT(shop.fresh[static_cast<size_t>(each.item) - shop.old].impressions, 200);
      }
      if (shop.is_new(each.item)) continue;
      EXPECT_GT(each.item, last);
      last = each.item;
    }
  }
}

TEST(Exploration, TheSameQuestionHasTheSameListAndAnotherUserRequestOrSeedAnother) {
  const Shop shop(40, std::vector<float>(100, -50));
  const auto items = [&](const ExplorationDraw& draw) {
    std::vector<std::pair<size_t, ItemIndex>> found;
    const std::vector<ListedItem> list = explored(shop, draw, 25);
    for (size_t place = 0; place < list.size(); place++)
      if (list[place].explored) found.emplace_back(place, list[place].item);
    return found;
  };
  const ExplorationDraw draw = draw_of(1, 1);
  EXPECT_EQ(items(draw), items(draw));
  ExplorationDraw other = draw;
  other.user = exploration_hash("somebody else");
  EXPECT_NE(items(draw), items(other));
  other = draw;
  other.request++;
  EXPECT_NE(items(draw), items(other));
  other = draw;
  other.seed++;
  EXPECT_NE(items(draw), items(other));
}

TEST(Exploration, AnItemKeepsItsDrawWhenItsNumberChanges) {
  Shop shop(40, std::vector<float>(30, -50));
  const std::vector<ListedItem> list = explored(shop, draw_of(1, 1), 20);
  // The same items under other numbers, in reverse.
  Shop reversed = shop;
  for (size_t i = 0; i < shop.fresh.size(); i++)
    reversed.fresh[i].hash = shop.fresh[shop.fresh.size() - 1 - i].hash;
  const std::vector<ListedItem> again = explored(reversed, draw_of(1, 1), 20);
  for (size_t place = 0; place < list.size(); place++) {
    ASSERT_EQ(list[place].explored, again[place].explored);
    if (list[place].explored) {
      EXPECT_EQ(again[place].item, 40 + 69 - list[place].item);
    }
  }
}

TEST(Exploration, NoiseShowsMoreItemsAndImpressionsTakeItAway) {
  // Scores a standard deviation of the noise apart: each user's place goes to the best draw.
  const auto shown = [](double noise, double impressions) {
    Shop shop(20, {-50, -51, -52, -53});
    for (NewItem& item : shop.fresh) item.impressions = impressions;
    std::map<ItemIndex, int> counts;
    for (uint64_t user = 0; user < 3'000; user++)
      for (const ListedItem& each : explored(shop, draw_of(1, user, noise), 4))
        if (each.explored) counts[each.item]++;
    return counts;
  };
  EXPECT_EQ(shown(0, 0).size(), 2u);  // one place always, a second one at times
  const std::map<ItemIndex, int> noisy = shown(1, 0);
  EXPECT_EQ(noisy.size(), 4u);
  EXPECT_GT(noisy.at(20), noisy.at(21));
  EXPECT_GT(noisy.at(21), noisy.at(22));
  std::map<ItemIndex, int> worn = shown(1, 199);  // s / sqrt(20.9)
  EXPECT_LT(worn[22] + worn[23], noisy.at(22) + noisy.at(23));
  EXPECT_TRUE(shown(1, kMostImpressions).empty());
}

TEST(Exploration, AnItemWithoutAScoreIsNotShown) {
  const Shop shop(20, {-INFINITY, std::nanf(""), -50});
  for (uint64_t user = 0; user < 50; user++)
    for (const ListedItem& each : explored(shop, draw_of(1, user), 10))
      if (each.explored) {
        EXPECT_EQ(each.item, 22);
      }
}

}  // namespace
}  // namespace personalize
