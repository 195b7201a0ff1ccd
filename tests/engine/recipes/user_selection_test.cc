#include "engine/recipes/user_selection.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/testing/random_sequences.h"

namespace personalize {
namespace {

TEST(UserSelection, LeavesOutUsersOutsideOfThePercentiles) {
  const Sequences all = random_sequences(100, 10, 20, 1);
  const TrainingView view = TrainingView::everything(all);
  std::vector<int64_t> lengths;
  for (size_t user = 0; user < 100; ++user) lengths.push_back(view.length(user));
  std::sort(lengths.begin(), lengths.end());
  const TrainingView selected = select_users(view, 0.1, 0.9);
  for (size_t user = 0; user < 100; ++user) {
    const bool inside = view.length(user) >= lengths[10] && view.length(user) <= lengths[89];
    EXPECT_EQ(selected.length(user), inside ? view.length(user) : 0) << user;
  }
  EXPECT_EQ(select_users(view, 0, 1).end, view.end);
}

TEST(UserSelection, WithholdsLastEventsOfSomeUsersWithThreeOrMore) {
  const Sequences all = random_sequences(200, 10, 4, 2);
  const TrainingView view = TrainingView::everything(all);
  size_t eligible = 0;
  for (size_t user = 0; user < 200; ++user) eligible += view.length(user) >= 3 ? 1 : 0;
  const CalibrationSplit split = withhold_last_events(view, 30, 4, 9);
  EXPECT_EQ(split.users.size(), std::min<size_t>(30, eligible / 4));
  EXPECT_TRUE(std::is_sorted(split.users.begin(), split.users.end()));
  for (size_t user = 0; user < 200; ++user) {
    const bool withheld = std::binary_search(split.users.begin(), split.users.end(), user);
    EXPECT_EQ(split.rest.end[user], view.end[user] - (withheld ? 1 : 0));
    if (withheld) {
      EXPECT_GE(view.length(user), 3);
    }
  }
  EXPECT_EQ(withhold_last_events(view, 30, 4, 9).users, split.users);
  EXPECT_NE(withhold_last_events(view, 30, 4, 10).users, split.users);
  EXPECT_EQ(withhold_last_events(view, 1'000, 1, 9).users.size(), eligible);
  EXPECT_EQ(withhold_last_events(view, 1'000, 4, 9).users.size(), eligible / 4);
}

}  // namespace
}  // namespace personalize
