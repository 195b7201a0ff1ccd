#include "engine/serving/history.h"

#include <gtest/gtest.h>

#include "tests/engine/serving/fakes.h"

namespace personalize {
namespace {

std::vector<ItemIndex> items_of(const std::vector<ModelEvent>& history) {
  std::vector<ItemIndex> items;
  for (const ModelEvent& event : history) items.push_back(event.item);
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
  std::vector<ModelEvent> history_;
};

TEST_F(HistoryTest, LeavesOutItemsTheModelDoesNotKnow) {
  HistoryReader reader(source_, loaded_.model);
  ASSERT_TRUE(reader.read("ann", history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{2, 0, 2, 0}));
  EXPECT_EQ(history_[0].timestamp, 10);
  EXPECT_EQ(history_[0].value, 3);
}

TEST_F(HistoryTest, AUserTheSourceDoesNotKnowHasNone) {
  HistoryReader reader(source_, loaded_.model);
  history_.resize(3);
  ASSERT_TRUE(reader.read("nobody", history_).is_ok());
  EXPECT_TRUE(history_.empty());
}

TEST_F(HistoryTest, TakesTheSolutionsEventTypeWhateverItsCaseAndItsThreshold) {
  loaded_.model->filter = {"Click", 0, false};
  HistoryReader clicks(source_, loaded_.model);
  ASSERT_TRUE(clicks.read("ann", history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{0, 2}));
  loaded_.model->filter = {"", 4, true};
  HistoryReader liked(source_, loaded_.model);
  ASSERT_TRUE(liked.read("ann", history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{2, 0}));  // of 4 and 5, not of no value
}

TEST_F(HistoryTest, LooksACodeUpOnceAndAgainWhenTheDictionaryChanged) {
  HistoryReader reader(source_, loaded_.model);
  for (int i = 0; i < 3; i++) ASSERT_TRUE(reader.read("ann", history_).is_ok());
  EXPECT_EQ(source_.lookups, 3);
  source_.items[1] = "item1";
  source_.generation++;
  ASSERT_TRUE(reader.read("ann", history_).is_ok());
  EXPECT_EQ(items_of(history_), (std::vector<ItemIndex>{2, 1, 0, 2, 0}));
}

}  // namespace
}  // namespace personalize
