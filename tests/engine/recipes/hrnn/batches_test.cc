#include "engine/recipes/hrnn/batches.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/engine/testing/random_sequences.h"

namespace personalize::hrnn {
namespace {

TEST(Batches, GiveEveryInputEventOnceAnEpochInItsUsersOrder) {
  const Sequences all = random_sequences(50, 10, 15, 2);
  TrainingView view = TrainingView::everything(all);
  --view.end[3];
  const std::vector<Segment> segments = whole_histories(view);
  Batches batches(all, segments, 4, 8, 1);
  std::vector<std::vector<int64_t>> orders;
  for (size_t epoch = 0; epoch < 3; ++epoch) {
    batches.begin_epoch(epoch);
    std::vector<int64_t> order;
    std::vector<int64_t> last(4, -1);  // a lane's last event
    std::set<int64_t> seen;
    Window window;
    size_t total = 0;
    size_t windows = 0;
    while (batches.next(window, total)) {
      ++windows;
      size_t rows = 0;
      for (size_t lane = 0; lane < 4; ++lane) {
        ASSERT_LE(window.valid[lane], window.steps);
        rows += window.valid[lane];
        for (size_t t = 0; t < window.valid[lane]; ++t) {
          const size_t row = lane * window.steps + t;
          const int64_t event = window.event[row];
          const size_t user = window.user[row];
          EXPECT_TRUE(seen.insert(event).second);
          ASSERT_GE(event, view.begin(user));
          ASSERT_LT(event + 1, view.end[user]);  // its target may be learned from
          EXPECT_EQ(window.first[row] != 0, event == view.begin(user));
          EXPECT_EQ(window.resumed[row], -1);
          if (window.first[row] == 0) {
            EXPECT_EQ(event, last[lane] + 1);
          }
          last[lane] = event;
          order.push_back(event);
        }
      }
      EXPECT_EQ(rows, total);
      EXPECT_LE(window.steps, 8U);
    }
    EXPECT_EQ(windows, batches.windows_in_epoch());
    EXPECT_EQ(seen.size(), batches.events());
    size_t inputs = 0;
    for (size_t user = 0; user < 50; ++user)
      inputs += static_cast<size_t>(std::max<int64_t>(0, view.length(user) - 1));
    EXPECT_EQ(seen.size(), inputs);
    orders.push_back(order);
  }
  EXPECT_NE(orders[0], orders[1]);
  batches.begin_epoch(1);  // an epoch's order depends on its number alone
  std::vector<int64_t> again;
  Window window;
  size_t total = 0;
  while (batches.next(window, total))
    for (size_t lane = 0; lane < 4; ++lane)
      for (size_t t = 0; t < window.valid[lane]; ++t)
        again.push_back(window.event[lane * window.steps + t]);
  EXPECT_EQ(again, orders[1]);
}

TEST(Batches, OfPartsOfHistoriesSayWhereEachGoesOnFromOutside) {
  const Sequences all = random_sequences(50, 10, 15, 2);
  std::vector<Segment> segments;
  for (const Segment& whole : whole_histories(TrainingView::everything(all))) {
    const int64_t middle = (whole.first + whole.last) / 2;
    if (whole.user % 3 != 0 && middle > whole.first)
      segments.push_back({whole.user, whole.first, middle});
    segments.push_back({whole.user, middle, whole.last});
  }
  Batches batches(all, segments, 4, 8, 1);
  batches.begin_epoch(0);
  std::map<int64_t, size_t> seen;  // event: how often
  std::set<size_t> resumed;
  Window window;
  size_t total = 0;
  while (batches.next(window, total))
    for (size_t lane = 0; lane < 4; ++lane)
      for (size_t t = 0; t < window.valid[lane]; ++t) {
        const size_t row = lane * window.steps + t;
        ++seen[window.event[row]];
        EXPECT_EQ(window.first[row] != 0, window.event[row] == all.start[window.user[row]]);
        if (window.resumed[row] < 0) continue;
        const auto number = static_cast<size_t>(window.resumed[row]);
        EXPECT_TRUE(resumed.insert(number).second);
        EXPECT_EQ(segments[number].first, window.event[row]);
        EXPECT_EQ(segments[number].user, window.user[row]);
      }
  EXPECT_EQ(seen.size(), batches.events());
  for (size_t s = 0; s < segments.size(); ++s) {
    for (int64_t e = segments[s].first; e < segments[s].last; ++e) EXPECT_EQ(seen[e], 1U);
    EXPECT_EQ(resumed.contains(s), segments[s].first != all.start[segments[s].user]);
  }
}

TEST(Batches, OfNobodyWithTwoEventsAreEmpty) {
  const Sequences all = random_sequences(5, 10, 1, 2);
  const TrainingView view = TrainingView::everything(all);
  const std::vector<Segment> segments = whole_histories(view);
  Batches batches(all, segments, 4, 8, 1);
  batches.begin_epoch(0);
  Window window;
  size_t total = 0;
  EXPECT_FALSE(batches.next(window, total));
  EXPECT_EQ(batches.windows_in_epoch(), 0U);
}

}  // namespace
}  // namespace personalize::hrnn
