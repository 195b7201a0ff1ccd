#include "engine/recipes/own_history.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/math/random.h"

namespace personalize {
namespace {

TEST(OwnHistory, BucketsDoubleUpToTheEighth) {
  // Steps since the last event of the item: 0 is the event just now.
  const std::map<int32_t, size_t> expected = {{0, 0},   {1, 1},   {2, 1},    {3, 2},  {6, 2},
                                              {7, 3},   {14, 3},  {15, 4},   {63, 6}, {126, 6},
                                              {127, 7}, {128, 7}, {9'999, 7}};
  for (const auto& [steps, bucket] : expected) EXPECT_EQ(recency_bucket(steps), bucket) << steps;
}

TEST(OwnHistory, AgreesWithARescanOfTheHistory) {
  Random random(3, 3);
  constexpr int64_t kGap = 100;
  OwnHistory own;
  own.fit(12);
  std::vector<ModelEvent> history;
  int64_t time = 0;
  for (int32_t k = 0; k < 300; ++k) {
    const int64_t gap = random.below(4) == 0 ? 101 : 100;
    time += gap;
    history.push_back({time, static_cast<ItemIndex>(random.below(1 + random.below(12))), 0});
    own.add(history.back().item, k == 0 ? 0 : gap, kGap);

    std::map<ItemIndex, OwnItem> expected;
    for (int32_t i = 0; i <= k; ++i) {
      OwnItem& item = expected[history[static_cast<size_t>(i)].item];
      item.item = history[static_cast<size_t>(i)].item;
      item.last = i;
      ++item.count;
    }
    int32_t session = k;
    while (session > 0 && history[static_cast<size_t>(session)].timestamp -
                                  history[static_cast<size_t>(session) - 1].timestamp <=
                              kGap)
      --session;
    ASSERT_EQ(own.items().size(), expected.size());
    for (const OwnItem& item : own.items()) {
      EXPECT_EQ(item.last, expected[item.item].last);
      EXPECT_EQ(item.count, expected[item.item].count);
    }
    EXPECT_EQ(own.last_place(), k);
    EXPECT_EQ(own.session_start(), session);
  }
  // All at once gives the same, whatever was there before.
  OwnHistory again;
  again.fit(12);
  again.add(11, 0, kGap);
  again.add_all(history, kGap);
  EXPECT_EQ(again.items().size(), own.items().size());
  EXPECT_EQ(again.session_start(), own.session_start());
}

TEST(OwnHistory, AddsTheWeightsOfBucketCountAndSession) {
  OwnHistoryWeights weights;
  weights.recency = {1, 2, 3, 4, 5, 6, 7, 8};
  weights.count_weight = 10;
  weights.session_weight = 100;
  const OwnItem item{.item = 0, .last = 5, .count = 3};
  EXPECT_NEAR(own_history_term(weights, item, 7, 5), 2 + 10 * std::log(3.0) + 100, 1e-4);
  EXPECT_NEAR(own_history_term(weights, item, 7, 6), 2 + 10 * std::log(3.0), 1e-4);
}

TEST(OwnHistory, TakesHalfADayAsSessionGapWhereTimesAreWholeDays) {
  Sequences all;
  all.items.add("a");
  all.users = {"u"};
  all.start = {0, 4};
  all.item = {0, 0, 0, 0};
  all.value.assign(4, kNoValue);
  all.timestamp = {1'000, 1'000 + 86'400, 1'000 + 86'400, 1'000 + 5 * 86'400};
  EXPECT_EQ(automatic_session_gap(TrainingView::everything(all)), 43'200);
  all.timestamp[3] += 60;
  EXPECT_EQ(automatic_session_gap(TrainingView::everything(all)), 1'800);
}

}  // namespace
}  // namespace personalize
