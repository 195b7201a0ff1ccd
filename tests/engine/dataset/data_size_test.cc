#include "engine/dataset/data_size.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/dataset/sequences.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

const auto never = [] { return false; };

TEST(DataSize, CountsWhatPassesTheFilter) {
  VectorSource source({{"ann", "a", 1, "buy"},
                       {"ann", "b", 2, "view"},
                       {"ann", "a", 3, "Buy"},
                       {"bob", "c", 1, "view"},
                       {"cid", "a", 1, "BUY"}});
  const auto size = count_data(source, {.event_type = "buy"}, never);
  ASSERT_TRUE(size.is_ok());
  EXPECT_EQ(size->events, 3u);
  EXPECT_EQ(size->users, 2u);
  EXPECT_EQ(size->items, 1u);
  EXPECT_EQ(size->longest, 2u);
  EXPECT_EQ(size->pairs, 2);  // one item each
}

TEST(DataSize, IsThatOfTheSequencesThatWouldBeRead) {
  VectorSource source;
  uint64_t state = 7;
  const auto next = [&](uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  for (int i = 0; i < 2'000; ++i)
    source.add({std::to_string(next(40)), std::to_string(next(70)), static_cast<int64_t>(next(500)),
                "", static_cast<float>(next(5))});
  EventFilter filter;
  filter.has_threshold = true;
  filter.event_value_threshold = 3;
  const auto size = count_data(source, filter, never);
  const auto sequences = read_sequences(source, filter, TieOrder::kArrival, 1);
  ASSERT_TRUE(size.is_ok() && sequences.is_ok());
  EXPECT_EQ(size->events, sequences->event_count());
  EXPECT_EQ(size->users, sequences->user_count());
  EXPECT_EQ(size->items, sequences->item_count());
  double pairs = 0;
  for (size_t user = 0; user < sequences->user_count(); ++user) {
    const auto begin = sequences->item.begin() + sequences->start[user];
    const auto distinct = static_cast<double>(
        std::set<ItemIndex>(begin, sequences->item.begin() + sequences->start[user + 1]).size());
    pairs += distinct * distinct;
  }
  EXPECT_EQ(size->pairs, pairs);
}

TEST(DataSize, StopsWhenTold) {
  VectorSource source({{"ann", "a", 1}});
  const auto size = count_data(source, {}, [] { return true; });
  ASSERT_FALSE(size.is_ok());
  EXPECT_EQ(size.status().code(), StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
