#include "extension/event_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/extension/database_test.h"

namespace personalize {
namespace {

// An event with its texts, as a test compares them.
struct TextEvent {
  int64_t timestamp;
  std::string item;
  std::string type;
  float value;
  bool operator==(const TextEvent&) const = default;
};
std::ostream& operator<<(std::ostream& out, const TextEvent& event) {
  return out << fmt::format("({}, {}, {}, {})", event.timestamp, event.item, event.type,
                            event.value);
}
using History = std::vector<TextEvent>;
constexpr float kNone = -1;  // stands for "no value" here

History texts_of(EventSource& source, std::span<const Event> events) {
  History history;
  for (const Event& event : events) {
    history.push_back(
        {event.timestamp, std::string(source.item_id(event.item).value()),
         event.type == kNoEventType ? "" : std::string(source.event_type(event.type).value()),
         std::isnan(event.value) ? kNone : event.value});
  }
  return history;
}

// All histories of a scan; fails the test if a user comes twice.
class Collector : public EventSink {
 public:
  explicit Collector(EventSource& source) : source_(source) {}
  Status user(std::string_view id, std::span<const Event> events) override {
    EXPECT_FALSE(events.empty());
    EXPECT_TRUE(histories.emplace(id, texts_of(source_, events)).second) << id;
    order.emplace_back(id);
    return Status::ok();
  }
  std::map<std::string, History> histories;
  std::vector<std::string> order;

 private:
  EventSource& source_;
};

class EventReader : public DatabaseTest {
 protected:
  std::unique_ptr<EventSource> source(const char* group = "default") {
    Result<std::unique_ptr<EventSource>> opened = open_event_source(*connection_, "main", group);
    EXPECT_TRUE(opened.is_ok()) << opened.status().message();
    return opened.is_ok() ? std::move(*opened) : nullptr;
  }
  History of_user(EventSource& source, std::string_view user) {
    std::vector<Event> events;
    const Status status = source.of_user(user, events);
    EXPECT_TRUE(status.is_ok()) << status.message();
    return texts_of(source, events);
  }
  std::vector<std::string> all_users(const char* group, size_t page) {
    std::vector<std::string> all;
    std::vector<std::string> users;
    UserPlace place;
    do {
      EXPECT_TRUE(list_users(*connection_, "main", group, page, place, users).is_ok());
      all.insert(all.end(), users.begin(), users.end());
    } while (!users.empty());
    return all;
  }
  // Both ways to read must give the histories expected, and list_users the users in scan's order.
  void expect_histories(const char* group, const std::map<std::string, History>& expected) {
    const std::unique_ptr<EventSource> events = source(group);
    ASSERT_NE(events, nullptr);
    Collector collector(*events);
    const Status status = events->scan(collector);
    ASSERT_TRUE(status.is_ok()) << status.message();
    EXPECT_EQ(collector.histories, expected);
    for (const auto& [user, history] : expected) EXPECT_EQ(of_user(*events, user), history) << user;
    EXPECT_EQ(all_users(group, 3), collector.order);
  }
};

// Inserts random events of 12 users into `table`, and gives what must be read back: sorted by time,
// and by arrival where times are equal.
std::map<std::string, History> fill(const std::function<void(const std::string&)>& run,
                                    const std::string& table, uint32_t seed) {
  std::mt19937 random(seed);
  std::map<std::string, History> expected;
  run("BEGIN");
  for (int i = 0; i < 600; i++) {
    const std::string user = fmt::format("{}", random() % 12 * 7);
    TextEvent event{static_cast<int64_t>(random() % 50), fmt::format("item{}", random() % 30),
                    random() % 3 == 0 ? "" : fmt::format("type{}", random() % 3),
                    random() % 2 == 0 ? kNone : static_cast<float>(random() % 5)};
    const std::string type = event.type.empty() ? "NULL" : fmt::format("'{}'", event.type);
    const std::string value = event.value == kNone ? "NULL" : fmt::format("{}", event.value);
    run(
        fmt::format("INSERT INTO {}(user_id, item_id, event_type, event_value, timestamp) VALUES "
                    "('{}', '{}', {}, {}, {})",
                    table, user, event.item, type, value, event.timestamp));
    expected[user].push_back(std::move(event));
  }
  run("COMMIT");
  for (auto& [user, history] : expected)
    std::stable_sort(history.begin(), history.end(), [](const TextEvent& a, const TextEvent& b) {
      return a.timestamp < b.timestamp;
    });
  return expected;
}

TEST_F(EventReader, NativeEventsComeByUserAndTimeAndArrival) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  const auto expected = fill([&](const std::string& sql) { run(sql); }, "interactions", 1);
  expect_histories("default", expected);
}

TEST_F(EventReader, AListOfUsersGoesOnWhereTheLastOneOfAPageIsForgotten) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  fill([&](const std::string& sql) { run(sql); }, "interactions", 1);
  const std::vector<std::string> all = all_users("default", 100);
  UserPlace place;
  std::vector<std::string> users;
  ASSERT_TRUE(list_users(*connection_, "main", "default", 5, place, users).is_ok());
  EXPECT_EQ(users, std::vector(all.begin(), all.begin() + 5));
  ASSERT_TRUE(delete_user(*connection_, "main", "default", users.back()).is_ok());
  ASSERT_TRUE(list_users(*connection_, "main", "default", 100, place, users).is_ok());
  EXPECT_EQ(users, std::vector(all.begin() + 5, all.end()));
}

TEST_F(EventReader, BusinessTablesGiveTheSameWhateverTheTypeOfTheUserColumn) {
  const std::vector<std::pair<std::string, std::string>> variants = {
      {"INTEGER", "(user_id)"},
      {"TEXT", "(user_id)"},
      {"", "(user_id)"},
      {"REAL", "(user_id)"},
      {"TEXT", "(user_id, item_id)"},
      {"INT", "(user_id, timestamp)"},
      {"TEXT COLLATE NOCASE", "(user_id)"}};
  for (size_t i = 0; i < variants.size(); i++) {
    SCOPED_TRACE(variants[i].first + variants[i].second);
    const std::string table = fmt::format("orders{}", i);
    const std::string group = fmt::format("group{}", i);
    run(
        fmt::format("CREATE TABLE {0}(user_id {1}, item_id, event_type, event_value, timestamp);"
                    "CREATE INDEX {0}_user ON {0}{2};"
                    "CREATE VIRTUAL TABLE events{3} USING personalize_interactions(content='{0}', "
                    "group='{4}', event_type='event_type', event_value='event_value')",
                    table, variants[i].first, variants[i].second, i, group));
    const auto expected = fill([&](const std::string& sql) { run(sql); }, table, 2);
    expect_histories(group.c_str(), expected);
  }
}

TEST_F(EventReader, RowsOfABusinessTableThatAreNoEventsAreLeftOut) {
  run("CREATE TABLE orders(user_id, item_id, timestamp);"
      "CREATE INDEX orders_user ON orders(user_id);"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders');"
      "INSERT INTO orders VALUES (NULL, 'a', 1), ('', 'b', 2), (x'41', 'c', 3), ('u', NULL, 4), "
      "('u', '', 5), ('u', 'd', NULL), ('u', 'e', 6), (42, 'f', 7), ('42', 'g', 8), (42.0, 'h', 9),"
      "('042', 'i', 10), ('U', 'j', 11)");
  expect_histories("default",
                   {{"u", {{6, "e", "", kNone}}},
                    {"42", {{7, "f", "", kNone}, {8, "g", "", kNone}, {9, "h", "", kNone}}},
                    {"042", {{10, "i", "", kNone}}},
                    {"U", {{11, "j", "", kNone}}}});
}

// "item device/hour/member, ..." of events that came with their contexts.
std::string contexts_of(EventSource& source, std::span<const Event> events) {
  std::string text;
  for (const Event& event : events) {
    text += (text.empty() ? "" : ", ") + std::string(source.item_id(event.item).value());
    for (size_t f = 0; f < source.context_fields().size(); f++) {
      if (event.context == nullptr) return "no context";
      const double number = event.context[f];
      text += f == 0 ? " " : "/";
      if (std::isnan(number)) {
        text += "-";
      } else if (source.context_fields()[f].kind == FieldKind::kCategorical) {
        text += source.context_text(f, number).value();
      } else {
        text += fmt::format("{}", number);
      }
    }
  }
  return text;
}

class ContextCollector : public EventSink {
 public:
  explicit ContextCollector(EventSource& source) : source_(source) {}
  Status user(std::string_view id, std::span<const Event> events) override {
    contexts.emplace(id, contexts_of(source_, events));
    return Status::ok();
  }
  std::map<std::string, std::string> contexts;

 private:
  EventSource& source_;
};

TEST_F(EventReader, MoreContextualColumnsThanAFunctionMayHaveArgumentsComeLikeFew) {
  const int columns = sqlite3_limit(connection_->db(), SQLITE_LIMIT_FUNCTION_ARG, -1) + 20;
  std::string declared, named, numbers;
  for (int i = 0; i < columns; i++) {
    declared += fmt::format("{}C{} int", i == 0 ? "" : ", ", i);
    named += fmt::format(", C{}", i);
    numbers += fmt::format(", {}", i + 1);
  }
  run(
      fmt::format("CREATE VIRTUAL TABLE interactions USING personalize_interactions({0});"
                  "INSERT INTO interactions(user_id, item_id, timestamp{1}) VALUES "
                  "('u', 'b', 2{2}), ('u', 'a', 1{2})",
                  declared, named, numbers));
  const auto reader = source();
  reader->read_context(true);
  std::vector<Event> events;
  ASSERT_TRUE(reader->of_user("u", events).is_ok());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(reader->item_id(events[0].item).value(), "a");
  for (int i = 0; i < columns; i++) EXPECT_EQ(events[0].context[i], i + 1);
  ContextCollector scanned(*reader);
  ASSERT_TRUE(reader->scan(scanned).is_ok());
  EXPECT_EQ(scanned.contexts.at("u"), contexts_of(*reader, events));
}

TEST_F(EventReader, ContextsComeWithTheEventsIfTheyAreAskedFor) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions(DEVICE string categorical, "
      "NOTE string, HOUR int, CODE boolean);"
      "INSERT INTO interactions(user_id, item_id, timestamp, device, note, hour, code) VALUES "
      "('u', 'c', 9, 'phone', 'x', 3, true), ('v', 'a', 1, NULL, NULL, NULL, NULL), "
      "('u', 'a', 5, 'desk', NULL, 4, 0), ('u', 'b', 5, '', NULL, NULL, 1);"
      "CREATE TABLE visits(u, i, t, d, h, c); CREATE INDEX visits_u ON visits(u);"
      "INSERT INTO visits VALUES ('u', 'c', 9, 'phone', 3, 1), (NULL, 'c', 9, 'lost', 7, 1), "
      "('v', 'a', 1, NULL, 'noon', 'perhaps'), ('u', 'a', 5, 'desk', 4.0, 'false'), "
      "('u', NULL, 5, 'lost', 8, 0), ('u', 'b', 5, '', NULL, 'TRUE');"
      "CREATE VIRTUAL TABLE events USING personalize_interactions(group='visits', "
      "content='visits', USER_ID='u', ITEM_ID='i', TIMESTAMP='t', DEVICE string categorical, "
      "DEVICE='d', NOTE string, NOTE='d', HOUR int, HOUR='h', CODE boolean, CODE='c')");
  for (const char* group : {"default", "visits"}) {
    SCOPED_TRACE(group);
    const auto events = source(group);
    const auto fields = events->context_fields();
    EXPECT_EQ(std::vector(fields.begin(), fields.end()),
              (std::vector<MetadataField>{{"DEVICE", FieldKind::kCategorical},
                                          {"HOUR", FieldKind::kNumber},
                                          {"CODE", FieldKind::kBoolean}}));
    const std::map<std::string, std::string> expected = {{"u", "a desk/4/0, b -/-/1, c phone/3/1"},
                                                         {"v", "a -/-/-"}};
    events->read_context(true);
    ContextCollector collector(*events);
    ASSERT_TRUE(events->scan(collector).is_ok());
    EXPECT_EQ(collector.contexts, expected);
    std::vector<Event> history;
    for (const auto& [user, contexts] : expected) {
      ASSERT_TRUE(events->of_user(user, history).is_ok());
      EXPECT_EQ(contexts_of(*events, history), contexts);
    }
    events->read_context(false);
    ASSERT_TRUE(events->of_user("u", history).is_ok());
    EXPECT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0].context, nullptr);
  }
}

TEST_F(EventReader, ADatasetWithoutContextualColumnsGivesNoContext) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
      "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'a', 1)");
  const auto events = source();
  EXPECT_TRUE(events->context_fields().empty());
  events->read_context(true);
  std::vector<Event> history;
  ASSERT_TRUE(events->of_user("u", history).is_ok());
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].context, nullptr);
}

TEST_F(EventReader, ATimestampThatIsNoneNamesTheRow) {
  run("CREATE TABLE orders(user_id, item_id, timestamp);"
      "CREATE INDEX orders_user ON orders(user_id);"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders');"
      "INSERT INTO orders VALUES ('u', 'a', 1), ('u', 'b', 'noon')");
  const std::unique_ptr<EventSource> events = source();
  Collector collector(*events);
  const Status status = events->scan(collector);
  EXPECT_NE(status.message().find("is 'noon'"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("(user 'u', rowid 2)"), std::string::npos) << status.message();
}

TEST_F(EventReader, ASourceSeesWhatItsTransactionWroteAndForgetsCodesAfterARollback) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
      "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'kept', 1)");
  const std::unique_ptr<EventSource> events = source();
  EXPECT_EQ(of_user(*events, "u").size(), 1u);
  const uint64_t before = events->dictionary_generation();
  run("BEGIN; INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'gone', 2)");
  EXPECT_EQ(of_user(*events, "u").back().item, "gone");
  EXPECT_EQ(events->dictionary_generation(), before);
  run("ROLLBACK; INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'new', 3)");
  EXPECT_EQ(of_user(*events, "u").back().item, "new");
  EXPECT_NE(events->dictionary_generation(), before);
}

TEST_F(EventReader, ADatasetMadeAnewIsTheNewOne) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
      "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'old', 1)");
  const std::unique_ptr<EventSource> events = source();
  EXPECT_EQ(of_user(*events, "u").back().item, "old");
  const uint64_t before = events->dictionary_generation();
  run("DROP TABLE interactions;"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
      "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'new', 1)");
  EXPECT_EQ(of_user(*events, "u").back().item, "new");
  EXPECT_NE(events->dictionary_generation(), before);
}

TEST_F(EventReader, CodesThatNobodyGaveOutAreDamage) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
      "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'a', 1);"
      "UPDATE interactions_event SET item_id = -5");
  std::vector<Event> events;
  EXPECT_EQ(source()->of_user("u", events).code(), StatusCode::kCorrupt);
  run("UPDATE interactions_event SET item_id = 99");
  const std::unique_ptr<EventSource> reader = source();
  ASSERT_TRUE(reader->of_user("u", events).is_ok());
  EXPECT_EQ(reader->item_id(events[0].item).status().code(), StatusCode::kCorrupt);
  run("UPDATE interactions_event SET item_id = 1; DELETE FROM interactions_user");
  Collector collector(*reader);
  EXPECT_EQ(reader->scan(collector).code(), StatusCode::kCorrupt);
}

TEST_F(EventReader, DeleteUserLeavesNothingOfHimAndHisNumberToNobody) {
  run("CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
      "CREATE VIRTUAL TABLE users USING personalize_users(AGE int);"
      "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('a', 'x', 1), ('b', 'x', 2), "
      "('b', 'y', 3);"
      "INSERT INTO users VALUES ('a', 1), ('b', 2)");
  const Result<int64_t> deleted = delete_user(*connection_, "main", "default", "b");
  ASSERT_TRUE(deleted.is_ok()) << deleted.status().message();
  EXPECT_EQ(*deleted, 3);
  EXPECT_EQ(delete_user(*connection_, "main", "default", "nobody").value(), 0);
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('c', 'z', 4), ('b', 'z', 5)");
  expect_histories(
      "default",
      {{"a", {{1, "x", "", kNone}}}, {"b", {{5, "z", "", kNone}}}, {"c", {{4, "z", "", kNone}}}});
}

TEST_F(EventReader, DeleteUserLeavesBusinessTablesAlone) {
  run("CREATE TABLE orders(user_id, item_id, timestamp);"
      "CREATE INDEX orders_user ON orders(user_id);"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders')");
  const Status status = delete_user(*connection_, "main", "default", "b").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_NE(status.message().find("DELETE FROM orders WHERE USER_ID = 'b'"), std::string::npos)
      << status.message();
}

TEST_F(EventReader, AGroupWithoutInteractionsSaysHowToMakeThem) {
  for (const char* group : {"default", "shop"}) {
    const Status status = open_event_source(*connection_, "main", group).status();
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_NE(status.message().find("USING personalize_interactions"), std::string::npos);
  }
}

// What a caller that remembers events has of them after each change, beside what there is.
class EventReaderGoesOn : public EventReader {
 protected:
  void SetUp() override {
    EventReader::SetUp();
    run("CREATE VIRTUAL TABLE interactions USING personalize_interactions");
    run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'a', 10), "
        "('v', 'a', 15), ('u', 'b', 20)");
    reader_ = source();
    remember();
  }
  void remember() {
    std::vector<Event> events;
    ASSERT_TRUE(reader_->of_user("u", events).is_ok());
    known_ = texts_of(*reader_, events);
    ASSERT_TRUE(reader_->position().has_value());
    position_ = *reader_->position();
  }
  Continuation go_on() {
    std::vector<Event> events;
    const Result<Continuation> result = reader_->go_on(position_, events);
    EXPECT_TRUE(result.is_ok());
    const History more = texts_of(*reader_, events);
    known_.insert(known_.end(), more.begin(), more.end());
    if (result.value() == Continuation::kAppended)
      EXPECT_EQ(known_, of_user(*source(), "u"));
    else
      EXPECT_TRUE(events.empty());
    return result.value();
  }

  std::unique_ptr<EventSource> reader_;
  History known_;
  UserPosition position_;
};

TEST_F(EventReaderGoesOn, WithNothingAsLongAsNothingHappensToTheUser) {
  EXPECT_EQ(go_on(), Continuation::kAppended);
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('v', 'c', 30), ('w', 'a', 1)");
  EXPECT_EQ(go_on(), Continuation::kAppended);
  EXPECT_EQ(known_.size(), 2U);
}

TEST_F(EventReaderGoesOn, WithNewEventsAlone) {
  run("INSERT INTO interactions(user_id, item_id, timestamp, event_type, event_value) VALUES "
      "('u', 'c', 20, 'click', 2.5)");
  EXPECT_EQ(go_on(), Continuation::kAppended);
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'd', 40), ('u', 'a', "
      "40)");
  EXPECT_EQ(go_on(), Continuation::kAppended);
  EXPECT_EQ(known_.size(), 5U);
  EXPECT_EQ(known_.back(), (TextEvent{40, "a", "", kNone}));
}

TEST_F(EventReaderGoesOn, NotWhereANewEventBelongsBetweenOldOnes) {
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'c', 19)");
  EXPECT_EQ(go_on(), Continuation::kInserted);
  remember();
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'c', 50), ('u', 'd', "
      "49)");
  EXPECT_EQ(go_on(), Continuation::kInserted);
}

TEST_F(EventReaderGoesOn, NotOnceAnyEventWasChangedOrDeleted) {
  for (const char* change :
       {"UPDATE interactions SET item_id = 'x' WHERE user_id = 'u' AND timestamp = 10",
        "UPDATE interactions SET timestamp = 16 WHERE user_id = 'v'",
        "DELETE FROM interactions WHERE user_id = 'v'"}) {
    run(change);
    EXPECT_EQ(go_on(), Continuation::kUnknown) << change;
    remember();
    EXPECT_EQ(go_on(), Continuation::kAppended) << change;
  }
  // The row's number is given again, to an event like the one that was there.
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'c', 30)");
  remember();
  run("DELETE FROM interactions WHERE user_id = 'u' AND timestamp >= 20");
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'z', 20), ('u', 'c', "
      "30)");
  EXPECT_EQ(go_on(), Continuation::kUnknown);
}

TEST_F(EventReaderGoesOn, NotFromAnotherReaderNorAfterTheSchemaHasChanged) {
  std::vector<Event> events;
  UserPosition position = position_;
  EXPECT_EQ(source()->go_on(position, events).value(), Continuation::kUnknown);
  run("CREATE TABLE other(x)");
  EXPECT_EQ(go_on(), Continuation::kUnknown);
}

TEST_F(EventReaderGoesOn, AtEachChangeOfEventsTheMarkBecomesAnother) {
  const auto mark = [&] {
    return connection_->number("SELECT mark FROM interactions_change").value();
  };
  int64_t before = mark();
  run("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u', 'c', 30)");
  EXPECT_EQ(mark(), before);
  run("BEGIN; DELETE FROM interactions WHERE timestamp = 30; ROLLBACK");
  EXPECT_EQ(mark(), before);
  // What is taken back takes the mark back too, and what comes after sets it again.
  run("BEGIN; SAVEPOINT s; DELETE FROM interactions WHERE timestamp = 30; ROLLBACK TO s; "
      "UPDATE interactions SET item_id = 'y' WHERE timestamp = 30; COMMIT");
  EXPECT_NE(mark(), before);
  before = mark();
  run("DELETE FROM interactions WHERE timestamp = 30");
  EXPECT_NE(mark(), before);
  // Each of several in a transaction: somebody may ask between them.
  run("BEGIN");
  before = mark();
  run("UPDATE interactions SET item_id = 'z' WHERE timestamp = 10");
  const int64_t between = mark();
  run("DELETE FROM interactions WHERE timestamp = 10");
  EXPECT_NE(between, before);
  EXPECT_NE(mark(), between);
  run("COMMIT");
}

}  // namespace
}  // namespace personalize
