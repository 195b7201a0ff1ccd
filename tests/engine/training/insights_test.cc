#include "engine/training/insights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "tests/engine/testing/random_events.h"

namespace personalize {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int64_t kNow = 1'700'000'000;

std::vector<Insight> insights(VectorSource source, TieOrder tie_order = TieOrder::kArrival) {
  return data_insights(*read_sequences(source, {}, tie_order, 1), nullptr, nullptr, kNow);
}

std::vector<std::string> names(const std::vector<Insight>& found) {
  std::vector<std::string> names;
  for (const Insight& insight : found) names.push_back(insight.insight);
  return names;
}

// The insight of that name; fails where there is none.
Insight one(const std::vector<Insight>& found, std::string_view name) {
  for (const Insight& insight : found)
    if (insight.insight == name) return insight;
  ADD_FAILURE() << name << " was not found";
  return {};
}

VectorSource good() { return random_events(1, 100, 50, 60); }

TEST(Insights, AreSilentAboutGoodData) { EXPECT_THAT(names(insights(good())), IsEmpty()); }

TEST(Insights, SayThatThereIsNothing) {
  const auto found = insights(VectorSource());
  EXPECT_THAT(names(found), testing::ElementsAre("no_interactions"));
  EXPECT_EQ(found[0].severity, Severity::kError);
}

TEST(Insights, CountFewInteractionsAndUsersWithOne) {
  const auto found =
      insights(VectorSource({{"a", "x", 1}, {"a", "y", 2}, {"b", "x", 3}, {"c", "x", 3}}));
  EXPECT_EQ(one(found, "few_interactions").figure, 4);
  EXPECT_NEAR(one(found, "users_with_one_interaction").figure, 2.0 / 3, 1e-12);
}

TEST(Insights, RecogniseMillisecondsAndTheFuture) {
  VectorSource milliseconds = good();
  milliseconds.add({"user 1", "item 1", 1'600'000'000'123});
  EXPECT_EQ(one(insights(milliseconds), "timestamps_in_milliseconds").severity, Severity::kError);
  EXPECT_THAT(names(insights(milliseconds)), Not(Contains("timestamps_in_the_future")));
  VectorSource future = good();
  future.add({"user 1", "item 1", 1'900'000'000});
  EXPECT_EQ(one(insights(future), "timestamps_in_the_future").figure, 1);
}

TEST(Insights, FindDuplicatesWhereverTheyStand) {
  VectorSource twice = good();
  for (int i = 0; i < 100; i++) {
    twice.add({"double", "item " + std::to_string(i % 7), 1'500'000'000 + i});
    twice.add({"double", "item " + std::to_string(i % 7), 1'500'000'000 + i});
  }
  const auto s = read_sequences(twice, {}, TieOrder::kArrival, 1);
  std::set<std::tuple<size_t, int64_t, ItemIndex>> different;
  for (size_t u = 0; u < s->user_count(); u++)
    for (auto i = static_cast<size_t>(s->start[u]); i < static_cast<size_t>(s->start[u + 1]); i++)
      different.emplace(u, s->timestamp[i], s->item[i]);
  const auto events = static_cast<double>(s->event_count());
  ASSERT_GE(events - static_cast<double>(different.size()), 100);
  EXPECT_NEAR(one(insights(twice), "duplicate_interactions").figure,
              (events - static_cast<double>(different.size())) / events, 1e-12);
}

TEST(Insights, PutTheWorstFirst) {
  VectorSource source = good();
  source.add({"user 1", "item 1", 1'600'000'000'123});
  for (int i = 0; i < 3'000; i++)
    source.add({"alone " + std::to_string(i), "item 1", 1'600'000'000});
  const auto found = insights(source);
  ASSERT_GE(found.size(), 3U);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end(), [](const Insight& a, const Insight& b) {
    return a.severity < b.severity;
  }));
  EXPECT_EQ(found.front().insight, "timestamps_in_milliseconds");
  EXPECT_GT(one(found, "one_item_rules").figure, 0.4);
}

TEST(Insights, FindValuesFarOut) {
  std::vector<SourceRow> rows;
  for (int i = 0; i < 2'000; i++)
    rows.push_back({"user " + std::to_string(i % 50), "item " + std::to_string(i % 37),
                    1'600'000'000 + i, "", static_cast<float>(1 + i % 5)});
  EXPECT_THAT(names(insights(VectorSource(rows))), Not(Contains("event_values_far_out")));
  rows[7].value = 1'000'000;
  const Insight found = one(insights(VectorSource(rows)), "event_values_far_out");
  EXPECT_EQ(found.figure, 1);
  EXPECT_THAT(found.advice, HasSubstr("such as 1000000"));
}

TEST(Insights, TellHowMuchOfTheItemsIsNotDescribed) {
  VectorSource source = good();
  const auto sequences = read_sequences(source, {}, TieOrder::kArrival, 1);
  const std::vector<MetadataField> fields = {{"GENRE", FieldKind::kCategorical},
                                             {"PRICE", FieldKind::kNumber}};
  MetadataTable table(fields);
  double rows = 0, priced = 0;
  for (size_t i = 0; i < sequences->item_count(); i += 2) {
    const bool has_price = i % 8 == 0;
    table.add(sequences->items.id(static_cast<ItemIndex>(i)),
              std::vector<FieldValue>{FieldValue::of("a"),
                                      has_price ? FieldValue::of(1.0) : FieldValue::missing()});
    rows += 1;
    priced += has_price;
  }
  const auto found = data_insights(*sequences, &table, nullptr, kNow);
  EXPECT_DOUBLE_EQ(one(found, "no_metadata").figure,
                   1 - rows / static_cast<double>(sequences->item_count()));
  EXPECT_EQ(one(found, "missing_values").subject, "PRICE");
  EXPECT_DOUBLE_EQ(one(found, "missing_values").figure, 1 - priced / rows);
}

}  // namespace
}  // namespace personalize
