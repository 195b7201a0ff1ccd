#include "engine/dataset/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "engine/dataset/user_hash.h"
#include "tests/engine/testing/random_events.h"

namespace personalize {
namespace {

Sequences random_sequences(int users, int longest) {
  VectorSource source = random_events(1, users, 40, longest);
  return *read_sequences(source, {}, TieOrder::kArrival, 1);
}

// The distinct items of the user's events `from` .. end.
std::vector<ItemIndex> items_from(const Sequences& s, size_t user, int64_t from) {
  std::set<ItemIndex> items;
  for (int64_t i = from; i < s.start[user + 1]; i++) items.insert(s.item[static_cast<size_t>(i)]);
  return {items.begin(), items.end()};
}

TEST(UserHash, IsFnv1aAndSplitmix64WithTheSeedAdded) {
  // Computed by another program (Python's integers) from the published constants.
  EXPECT_EQ(user_hash("", 0), 0xC3817C016BA4FF30u);
  EXPECT_EQ(user_hash("259", 0), 0xC447F067A533BAAAu);
  EXPECT_EQ(user_hash("user 42", 7), 0xCC78A543F7593B72u);
}

TEST(AmazonSplit, WithholdsTheNewestTenthOfATenthOfTheUsers) {
  for (const int user_count : {1, 5, 10, 95, 400}) {
    const Sequences s = random_sequences(user_count, 60);
    for (const uint64_t seed : {0, 1, 2}) {
      const Split split = amazon_split(s, seed);
      std::vector<size_t> order(s.user_count());
      for (size_t u = 0; u < order.size(); u++) order[u] = u;
      std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return user_hash(s.users[a], seed) < user_hash(s.users[b], seed);
      });
      std::set<size_t> chosen(order.begin(), order.begin() + std::max(1, user_count / 10));
      size_t t = 0;
      for (size_t u = 0; u < s.user_count(); u++) {
        const int64_t n = s.start[u + 1] - s.start[u];
        if (chosen.count(u) == 0 || n == 1) {
          EXPECT_EQ(split.training.end[u], s.start[u + 1]) << "trains whole";
          continue;
        }
        const int64_t withheld = n < 20 ? 1 : n / 10;
        ASSERT_LT(t, split.test_users.size());
        EXPECT_EQ(split.test_users[t], u);
        EXPECT_EQ(split.training.end[u], s.start[u + 1] - withheld);
        EXPECT_EQ(split.history_end[t], split.training.end[u]);
        EXPECT_EQ(split.relevant[t], items_from(s, u, split.training.end[u]));
        t++;
      }
      EXPECT_EQ(t, split.test_users.size());
    }
  }
}

TEST(AmazonSplit, ChangesWithTheSeed) {
  const Sequences s = random_sequences(400, 20);
  EXPECT_EQ(amazon_split(s, 1).test_users, amazon_split(s, 1).test_users);
  EXPECT_NE(amazon_split(s, 1).test_users, amazon_split(s, 2).test_users);
}

TEST(LeaveOneOutSplit, WithholdsTheLastEventOfUsersWithThreeOrMore) {
  const Sequences s = random_sequences(200, 6);
  const Split split = leave_one_out_split(s);
  size_t t = 0;
  for (size_t u = 0; u < s.user_count(); u++) {
    if (s.start[u + 1] - s.start[u] < 3) {
      EXPECT_EQ(split.training.end[u], s.start[u + 1]);
      continue;
    }
    ASSERT_EQ(split.test_users[t], u);
    EXPECT_EQ(split.training.end[u], s.start[u + 1] - 1);
    EXPECT_EQ(split.history_end[t], s.start[u + 1] - 1);
    EXPECT_EQ(split.relevant[t], std::vector{s.item[static_cast<size_t>(s.start[u + 1]) - 1]});
    t++;
  }
  EXPECT_EQ(t, split.test_users.size());
  EXPECT_GT(t, 0u);
}

TEST(LeaveLastTwoOutSplit, AsksTheLastEventKnowingTheOneBeforeItThatNobodyLearnedFrom) {
  const Sequences s = random_sequences(200, 6);
  const Split split = leave_last_two_out_split(s);
  const Split one = leave_one_out_split(s);
  EXPECT_EQ(split.test_users, one.test_users);
  EXPECT_EQ(split.relevant, one.relevant);
  EXPECT_EQ(split.history_end, one.history_end);
  for (size_t u = 0; u < s.user_count(); u++) {
    const int64_t n = s.start[u + 1] - s.start[u];
    EXPECT_EQ(split.training.length(u), n < 3 ? n : n - 2);
  }
}

TEST(TemporalHoldoutSplit, WithholdsEventsPastNineTenthsOfEveryUser) {
  const Sequences s = random_sequences(200, 45);
  const Split split = temporal_holdout_split(s);
  size_t t = 0;
  for (size_t u = 0; u < s.user_count(); u++) {
    const int64_t n = s.start[u + 1] - s.start[u];
    int64_t kept = 0;  // places 1, 2, ... that are not past 0.9 n
    while (10 * (kept + 1) <= 9 * n) kept++;
    EXPECT_EQ(split.training.length(u), kept);
    if (kept == 0) continue;
    ASSERT_EQ(split.test_users[t], u);
    EXPECT_EQ(split.history_end[t], s.start[u] + kept);
    EXPECT_EQ(split.relevant[t], items_from(s, u, s.start[u] + kept));
    t++;
  }
  EXPECT_EQ(t, split.test_users.size());
}

TEST(Splits, OfNothingHaveNoTestUsers) {
  VectorSource source;
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  EXPECT_TRUE(amazon_split(s, 1).test_users.empty());
  EXPECT_TRUE(leave_one_out_split(s).test_users.empty());
  EXPECT_TRUE(leave_last_two_out_split(s).test_users.empty());
  EXPECT_TRUE(temporal_holdout_split(s).test_users.empty());
}

TEST(ValidationSplit, AsksForTheLastEventsOfTheViewAndNeverForWhatItWithholds) {
  const Sequences s = random_sequences(200, 60);
  for (const Split& outer : {amazon_split(s, 1), leave_last_two_out_split(s)}) {
    for (const bool last_only : {false, true}) {
      const Split split = validation_split(outer.training, last_only, 1'000, 5);
      size_t t = 0;
      for (size_t u = 0; u < s.user_count(); u++) {
        const int64_t n = outer.training.length(u);
        if (n < (last_only ? 3 : 2)) {
          EXPECT_EQ(split.training.end[u], outer.training.end[u]) << "trains whole";
          continue;
        }
        ASSERT_LT(t, split.test_users.size());
        EXPECT_EQ(split.test_users[t], u);
        const int64_t end = outer.training.end[u] - (last_only || n < 20 ? 1 : n / 10);
        EXPECT_EQ(split.training.end[u], end);
        EXPECT_EQ(split.history_end[t], end);
        std::set<ItemIndex> items(s.item.begin() + end, s.item.begin() + outer.training.end[u]);
        EXPECT_EQ(split.relevant[t], std::vector<ItemIndex>(items.begin(), items.end()));
        t++;
      }
      EXPECT_EQ(t, split.test_users.size());
    }
  }
}

TEST(ValidationSplit, DrawsAsManyUsersAsItMay) {
  const Sequences s = random_sequences(200, 60);
  const TrainingView all = TrainingView::everything(s);
  const Split ten = validation_split(all, false, 10, 5);
  EXPECT_GT(ten.test_users.size(), 5U);  // some drawn users may have a single event
  EXPECT_LE(ten.test_users.size(), 10U);
  EXPECT_EQ(validation_split(all, false, 10, 5).test_users, ten.test_users);
  EXPECT_NE(validation_split(all, false, 10, 6).test_users, ten.test_users);
}

TEST(OnlyEventsAfter, WithholdsWhatIsLaterAndGivesTheRestBack) {
  const Sequences s = random_sequences(200, 60);
  std::vector<int64_t> times = s.timestamp;
  std::sort(times.begin(), times.end());
  const int64_t time = times[times.size() / 2];
  for (const Split& split : {amazon_split(s, 1), leave_one_out_split(s),
                             leave_last_two_out_split(s), temporal_holdout_split(s)}) {
    const Split fresh = only_events_after(split, time);
    std::vector<size_t> asked;
    for (size_t u = 0; u < s.user_count(); u++) {
      int64_t kept = split.training.end[u];
      while (kept < s.start[u + 1] && s.timestamp[static_cast<size_t>(kept)] <= time) kept++;
      EXPECT_EQ(fresh.training.end[u], kept);
      const auto t = std::find(split.test_users.begin(), split.test_users.end(), u);
      if (t != split.test_users.end() && kept < s.start[u + 1]) asked.push_back(u);
    }
    EXPECT_EQ(fresh.test_users, asked);
    EXPECT_GT(asked.size(), 0U);
    EXPECT_LT(asked.size(), split.test_users.size());
    for (size_t t = 0; t < asked.size(); t++) {
      const auto before = static_cast<size_t>(
          std::find(split.test_users.begin(), split.test_users.end(), asked[t]) -
          split.test_users.begin());
      EXPECT_EQ(fresh.history_end[t],
                std::max(split.history_end[before], fresh.training.end[asked[t]]));
      EXPECT_EQ(fresh.relevant[t], items_from(s, asked[t], fresh.history_end[t]));
    }
  }
}

}  // namespace
}  // namespace personalize
