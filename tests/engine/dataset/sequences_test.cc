#include "engine/dataset/sequences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "tests/engine/testing/shared_data.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

Sequences read(VectorSource& source, const EventFilter& filter = {},
               TieOrder tie_order = TieOrder::kAuto, uint64_t seed = 1) {
  auto sequences = read_sequences(source, filter, tie_order, seed);
  EXPECT_TRUE(sequences.is_ok()) << sequences.status().message();
  return *std::move(sequences);
}

// "user: item item ...; user: ..." of what was read.
std::string text(const Sequences& s) {
  std::string out;
  for (size_t u = 0; u < s.user_count(); u++) {
    out += s.users[u] + ":";
    for (int64_t i = s.start[u]; i < s.start[u + 1]; i++)
      out += " " + std::string(s.items.id(s.item[static_cast<size_t>(i)]));
    out += ";";
  }
  return out;
}

TEST(Sequences, KeepEachUsersEventsInOrderOfTimeThenArrival) {
  VectorSource source(
      {{"b", "x", 30}, {"a", "y", 10}, {"b", "z", 10}, {"b", "y", 30}, {"a", "x", 5, "", 2.5f}});
  const Sequences s = read(source);
  EXPECT_EQ(text(s), "b: z x y;a: x y;");
  EXPECT_EQ(s.start, (std::vector<int64_t>{0, 3, 5}));
  EXPECT_EQ(s.timestamp, (std::vector<int64_t>{10, 30, 30, 5, 10}));
  EXPECT_EQ(s.value[3], 2.5f);
  EXPECT_TRUE(std::isnan(s.value[0]));
  EXPECT_EQ(s.rows_read, 5u);
  EXPECT_DOUBLE_EQ(s.tied_share, 1.0 / 3);
  EXPECT_FALSE(s.ties_shuffled);
}

TEST(Sequences, HoldTheContextsIfTheyAreAskedFor) {
  VectorSource source({{"a", "x", 1, "", kNoValue, {"phone", "3"}},
                       {"b", "x", 1, "buy", kNoValue, {"desk", ""}},
                       {"b", "y", 2, "", kNoValue, {"phone", "3"}},
                       {"b", "z", 3, "", kNoValue, {"", ""}}},
                      {{"DEVICE", FieldKind::kCategorical}, {"HOUR", FieldKind::kNumber}});
  const auto with = read_sequences(source, {}, TieOrder::kArrival, 1, true);
  ASSERT_TRUE(with.is_ok());
  EXPECT_EQ(with->contexts.size(), 3u);
  EXPECT_EQ(with->context, (std::vector<uint32_t>{0, 1, 0, 2}));
  EXPECT_EQ(with->contexts.times(0), 2u);
  std::vector<FieldValue> values;
  with->contexts.row(0, values);
  EXPECT_EQ(values[0].text, "phone");
  EXPECT_EQ(values[1].number, 3);

  const Sequences without = read(source);
  EXPECT_TRUE(without.context.empty());
  EXPECT_TRUE(without.contexts.fields().empty());

  VectorSource plain({{"a", "x", 1}});
  EXPECT_TRUE(read_sequences(plain, {}, TieOrder::kArrival, 1, true)->context.empty());
}

TEST(Sequences, MoveContextsAlongWhenTiesAreShuffled) {
  std::vector<SourceRow> rows;
  for (int i = 0; i < 200; i++)
    rows.push_back({"u", std::to_string(i), 7, "", kNoValue, {std::to_string(i)}});
  VectorSource source(rows, {{"PLACE", FieldKind::kCategorical}});
  const auto shuffled = read_sequences(source, {}, TieOrder::kShuffled, 1, true);
  ASSERT_TRUE(shuffled.is_ok());
  std::vector<FieldValue> values;
  for (size_t i = 0; i < rows.size(); i++) {
    shuffled->contexts.row(shuffled->context[i], values);
    EXPECT_EQ(values[0].text, shuffled->items.id(shuffled->item[i]));
  }
  EXPECT_FALSE(std::is_sorted(shuffled->item.begin(), shuffled->item.end()));
}

TEST(Sequences, OfNoEventsAreEmpty) {
  VectorSource source;
  const Sequences s = read(source);
  EXPECT_EQ(s.user_count(), 0u);
  EXPECT_EQ(s.start, (std::vector<int64_t>{0}));
}

TEST(Sequences, HoldOnlyEventsOfTheTypeWhateverItsCaseAndUsersWhoHaveSome) {
  VectorSource source({{"a", "x", 1, "Click"},
                       {"a", "y", 2, "purchase"},
                       {"a", "z", 3, "CLICK"},
                       {"b", "w", 1, "clicks"},
                       {"c", "w", 1}});
  const Sequences s = read(source, {.event_type = "click"});
  EXPECT_EQ(text(s), "a: x z;");
  EXPECT_EQ(s.item_count(), 2u) << "items of other events are not known";
  EXPECT_EQ(s.rows_read, 5u);
}

TEST(Sequences, HoldOnlyEventsWithAValueAtOrAboveTheThreshold) {
  VectorSource source({{"a", "x", 1, "", 3}, {"a", "y", 2, "", 4}, {"a", "z", 3}});
  EXPECT_EQ(text(read(source, {"", 4, true})), "a: y;");
  EXPECT_EQ(text(read(source, {"", -1e9, true})), "a: x y;") << "no value passes no threshold";
}

TEST(Sequences, PassOnWhatTheSourceSays) {
  class Broken : public VectorSource {
    Status scan(EventSink&) override { return {StatusCode::kIo, "disk I/O error"}; }
  } source;
  const auto sequences = read_sequences(source, {}, TieOrder::kAuto, 1);
  ASSERT_FALSE(sequences.is_ok());
  EXPECT_EQ(sequences.status().message(), "disk I/O error");
}

// 100 users with ten events, in two ties of five; the ids inside a tie are in the order that `sort`
// leaves.
template <typename Sort>
VectorSource tied_source(const Sort& sort) {
  std::mt19937 random(3);
  VectorSource source;
  for (int user = 0; user < 100; user++) {
    for (int tie = 0; tie < 2; tie++) {
      std::vector<std::string> ids;
      while (ids.size() < 5) {
        const std::string id = std::to_string(1 + random() % 1500);
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
      }
      sort(ids);
      for (const std::string& id : ids) source.add({"u" + std::to_string(user), id, tie});
    }
  }
  return source;
}

bool number_less(const std::string& a, const std::string& b) { return std::stoi(a) < std::stoi(b); }

TEST(Sequences, AreShuffledInsideTiesThatStandInIdOrder) {
  VectorSource as_numbers =
      tied_source([](auto& ids) { std::sort(ids.begin(), ids.end(), number_less); });
  EXPECT_TRUE(read(as_numbers).ties_shuffled);
  VectorSource as_texts = tied_source([](auto& ids) { std::sort(ids.begin(), ids.end()); });
  EXPECT_TRUE(read(as_texts).ties_shuffled);
  VectorSource falling =
      tied_source([](auto& ids) { std::sort(ids.rbegin(), ids.rend(), number_less); });
  EXPECT_TRUE(read(falling).ties_shuffled);
  VectorSource honest = tied_source([](auto&) {});
  EXPECT_FALSE(read(honest).ties_shuffled);
}

TEST(Sequences, ShuffleOnlyInsideTiesAndLoseNothing) {
  VectorSource source =
      tied_source([](auto& ids) { std::sort(ids.begin(), ids.end(), number_less); });
  const Sequences before = read(source, {}, TieOrder::kArrival);
  const Sequences after = read(source);
  ASSERT_TRUE(after.ties_shuffled);
  EXPECT_FALSE(before.ties_shuffled);
  EXPECT_EQ(before.timestamp, after.timestamp);
  size_t rises = 0;
  for (size_t at = 0; at < after.item.size(); at += 5) {
    auto a = std::vector(before.item.begin() + at, before.item.begin() + at + 5);
    auto b = std::vector(after.item.begin() + at, after.item.begin() + at + 5);
    for (size_t i = 1; i < 5; i++)
      rises +=
          number_less(std::string(after.items.id(b[i - 1])), std::string(after.items.id(b[i])));
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    EXPECT_EQ(a, b);
  }
  // 800 fair coins: within five standard deviations of the middle.
  EXPECT_NEAR(static_cast<double>(rises), 400, 5 * 14.2);
}

TEST(Sequences, AreShuffledAlikeForOneSeedAndWhateverOtherUsersThereAre) {
  const auto sorted = [](auto& ids) { std::sort(ids.begin(), ids.end(), number_less); };
  VectorSource source = tied_source(sorted), same = tied_source(sorted), more = tied_source(sorted);
  more.add({"someone else", "1", 1});
  const Sequences s = read(source, {}, TieOrder::kShuffled, 7);
  EXPECT_EQ(text(s), text(read(same, {}, TieOrder::kShuffled, 7)));
  EXPECT_NE(text(s), text(read(same, {}, TieOrder::kShuffled, 8)));
  EXPECT_EQ(text(s) + "someone else: 1;", text(read(more, {}, TieOrder::kShuffled, 7)));
}

TEST(Sequences, OfRealDataAreLeftInTheirOrder) {
  for (const std::string name : {"ml-100k", "online-retail"}) {
    const auto rows = read_shared_data(name);
    if (!rows) GTEST_SKIP() << "the shared data sets are not beside the source tree";
    VectorSource source(*rows);
    const Sequences s = read(source);
    EXPECT_EQ(s.event_count(), rows->size());
    EXPECT_GT(s.tied_share, 0.5) << name << " is full of ties";
    EXPECT_FALSE(s.ties_shuffled) << name;
  }
}

}  // namespace
}  // namespace personalize
