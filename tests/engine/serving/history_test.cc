#include "engine/serving/history.h"

#include <gtest/gtest.h>

#include "tests/engine/serving/metadata_model.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

std::vector<ItemIndex> items_of(const UserHistory& history) {
  std::vector<ItemIndex> items;
  for (const ModelEvent& event : history.events) items.push_back(event.item);
  return items;
}

class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    source_.items = {"item2", "unknown", "item0"};
    source_.types = {"watch", "CLICK", "click"};
    source_.users["ann"] = {{10, 0, 0, 3},
                            {11, 1, 1, 5},
                            {12, 2, 1, kNoValue},
                            {13, 0, 2, 4},
                            {14, 2, kNoEventType, 5}};
  }
  fakes::VectorSource source_;
  fakes::Loaded loaded_{3};
  UserHistory history_;
};

TEST_F(HistoryTest, LeavesOutItemsTheModelDoesNotKnow) {
  HistoryReader reader(source_, loaded_.model);
  ASSERT_TRUE(reader.read("ann", nullptr, {}, history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{2, 0, 2, 0}));
  EXPECT_EQ(history_.events[0].timestamp, 10);
  EXPECT_EQ(history_.events[0].value, 3);
}

TEST_F(HistoryTest, AUserTheSourceDoesNotKnowHasNone) {
  HistoryReader reader(source_, loaded_.model);
  history_.events.resize(3);
  ASSERT_TRUE(reader.read("nobody", nullptr, {}, history_).is_ok());
  EXPECT_TRUE(history_.events.empty());
}

TEST_F(HistoryTest, TakesTheSolutionsEventTypeWhateverItsCaseAndItsThreshold) {
  loaded_.model->filter = {"Click", 0, false};
  HistoryReader clicks(source_, loaded_.model);
  ASSERT_TRUE(clicks.read("ann", nullptr, {}, history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{0, 2}));
  loaded_.model->filter = {"", 4, true};
  HistoryReader liked(source_, loaded_.model);
  ASSERT_TRUE(liked.read("ann", nullptr, {}, history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{2, 0}));  // of 4 and 5, not of no value
}

TEST_F(HistoryTest, LooksACodeUpOnceAndAgainWhenTheDictionaryChanged) {
  HistoryReader reader(source_, loaded_.model);
  for (int i = 0; i < 3; i++) ASSERT_TRUE(reader.read("ann", nullptr, {}, history_).is_ok());
  EXPECT_EQ(source_.lookups, 3);
  source_.items[1] = "item1";
  source_.generation++;
  ASSERT_TRUE(reader.read("ann", nullptr, {}, history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{2, 1, 0, 2, 0}));
}

using Columns = std::vector<ColumnIndex>;
Columns copy(std::span<const ColumnIndex> columns) { return {columns.begin(), columns.end()}; }

// Columns: of the context 0 phone, 1 tv; of the user 2 Bern, 3 Oslo; of items 0 comedy, 1 drama.
class HistoryWithMetadataTest : public testing::Test {
 protected:
  HistoryWithMetadataTest() {
    users_.add("ann", {FieldValue::of("Oslo")});
    users_.add("eve", {FieldValue::of("Rome")});
    VectorMetadata items(fakes::item_fields());
    items.add("new drama", {FieldValue::of("drama"), FieldValue::missing()});
    items.add("new opera", {FieldValue::of("opera"), FieldValue::missing()});
    auto unseen = std::make_shared<UnseenTable>(loaded_.model, items.fields());
    EXPECT_TRUE(items.scan(*unseen).is_ok());
    unseen_ = unseen;
  }
  void read(std::string_view user, std::span<const FieldValue> context = {}) {
    ASSERT_TRUE(reader_.read(user, unseen_, context, history_).is_ok());
  }
  const std::vector<SourceRow> rows_ = {{"ann", "item1", 10, "", 1, {"tv", "20"}},
                                        {"ann", "new opera", 11, "", 1, {"tv", "21"}},
                                        {"ann", "item0", 12, "", 1, {"radio", "21"}},
                                        {"ann", "new drama", 13, "", 1, {"phone", ""}},
                                        {"ann", "elsewhere", 14, "", 1, {"phone", ""}},
                                        {"ann", "item2", 15, "", 1, {"", ""}},
                                        {"eve", "item2", 15, "", 1, {"phone", "1"}},
                                        {"joe", "item2", 15, "", 1, {"tv", "1"}}};
  VectorSource source_{rows_, fakes::context_fields()};
  fakes::LoadedWithMetadata loaded_{3};
  VectorMetadata users_{fakes::user_fields()};
  std::shared_ptr<const UnseenTable> unseen_;
  HistoryReader reader_{source_, loaded_.model, &users_};
  UserHistory history_;
};

TEST_F(HistoryWithMetadataTest, EventsHaveTheColumnsOfTheirContextAndOfTheUser) {
  read("ann");
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{1, 0, 3, 2}));
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{1, 3}));
  EXPECT_EQ(copy(history_.events[1].columns), (Columns{3}));  // the model knows no radio
  EXPECT_EQ(copy(history_.events[2].columns), (Columns{0, 3}));
  EXPECT_EQ(copy(history_.events[3].columns), (Columns{3}));
  EXPECT_EQ(copy(history_.asked), (Columns{3}));
}

TEST_F(HistoryWithMetadataTest, AnUnseenItemIsReadByItsMetadataAndLeftOutWithout) {
  read("ann");
  EXPECT_EQ(history_.events[2].item, unseen_->find("new drama"));
  EXPECT_EQ(copy(history_.events[2].item_columns), (Columns{1}));
  EXPECT_TRUE(history_.events[0].item_columns.empty());
  unseen_ = nullptr;
  read("ann");
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{1, 0, 2}));
}

TEST_F(HistoryWithMetadataTest, ItemsAreLookedUpAgainWhenTheUnseenOnesChange) {
  read("ann");
  auto more = std::make_shared<UnseenTable>(*unseen_);
  const FieldValue values[] = {FieldValue::of("comedy"), FieldValue::missing()};
  ASSERT_TRUE(more->row("elsewhere", values).is_ok());
  unseen_ = more;
  read("ann");
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{1, 0, 3, 5, 2}));
}

TEST_F(HistoryWithMetadataTest, TheQuestionHasItsOwnContext) {
  const FieldValue context[] = {FieldValue::of("phone"), FieldValue::of(9.0)};
  read("ann", context);
  EXPECT_EQ(copy(history_.asked), (Columns{0, 3}));
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{1, 3}));
  read("nobody", context);
  EXPECT_TRUE(history_.events.empty());
  EXPECT_EQ(copy(history_.asked), (Columns{0}));
}

TEST_F(HistoryWithMetadataTest, UsersOfUnknownValuesOrWithoutARowHaveTheContextAlone) {
  read("eve");
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{0}));
  EXPECT_TRUE(history_.asked.empty());
  read("joe");
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{1}));
}

TEST_F(HistoryWithMetadataTest, AUsersNewCityCountsAtTheNextQuestion) {
  read("joe");
  users_.add("joe", {FieldValue::of("Bern")});
  read("joe");
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{1, 2}));
}

TEST_F(HistoryWithMetadataTest, HistoriesReadOneAfterTheOtherStandOnTheirOwn) {
  read("ann");
  UserHistory eve;
  ASSERT_TRUE(reader_.read("eve", unseen_, {}, eve).is_ok());
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{1, 3}));
  EXPECT_EQ(copy(eve.events[0].columns), (Columns{0}));
}

TEST_F(HistoryWithMetadataTest, ContextCodesAreLookedUpAgainWhenTheDictionaryChanged) {
  read("joe");
  std::vector<SourceRow> other = rows_;
  for (SourceRow& row : other)
    if (!row.context[0].empty()) row.context[0] = row.context[0] == "tv" ? "phone" : "tv";
  source_ = VectorSource(other, fakes::context_fields());
  source_.generation = 5;
  read("joe");
  EXPECT_EQ(copy(history_.events[0].columns), (Columns{0}));
}

TEST_F(HistoryWithMetadataTest, AModelWithoutMetadataReadsNone) {
  fakes::Loaded plain(3);
  HistoryReader reader(source_, plain.model, &users_);
  ASSERT_TRUE(reader.read("ann", nullptr, {}, history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{1, 0, 2}));
  for (const ModelEvent& event : history_.events) EXPECT_TRUE(event.columns.empty());
  EXPECT_TRUE(history_.asked.empty());
}

}  // namespace
}  // namespace personalize
