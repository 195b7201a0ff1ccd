#include "engine/serving/new_items.h"

#include <gtest/gtest.h>

#include "tests/engine/serving/metadata_model.h"

namespace personalize {
namespace {

constexpr int64_t kDay = 86'400;
constexpr int64_t kNewest = 1'000 * kDay;

class NewItemsTest : public testing::Test {
 protected:
  NewItemsTest() {
    loaded_.reader().ages = {events_, created_, kNewest, 15, 0, false};
    VectorMetadata source(fakes::item_fields());
    const auto add = [&](const char* id, FieldValue created) {
      source.add(id, {FieldValue::of("drama"), created});
    };
    add("young", FieldValue::of(static_cast<double>(kNewest - 29 * kDay)));
    add("old", FieldValue::of(static_cast<double>(kNewest - 31 * kDay)));
    add("of unknown age", FieldValue::missing());
    add("to come", FieldValue::of(static_cast<double>(kNewest + 500 * kDay)));
    EXPECT_TRUE(source.scan(unseen_).is_ok());
  }
  std::vector<std::string> found(const UnseenTable* unseen, const NewItemRule& rule) {
    std::vector<NewItem> fresh;
    find_new_items(*loaded_.model, unseen, rule, fresh);
    std::vector<std::string> ids;
    ItemIndex last = -1;
    for (const NewItem& item : fresh) {
      EXPECT_GT(item.item, last);
      last = item.item;
      ids.emplace_back(item.item < 4 ? loaded_.model->vocabulary.id(item.item)
                                     : unseen->id(static_cast<size_t>(item.item) - 4));
      EXPECT_EQ(item.hash, exploration_hash(ids.back()));
      EXPECT_EQ(item.impressions, 0);
    }
    return ids;
  }
  // Item 1 has many events, item 2 is old.
  std::vector<float> events_ = {15, 16, 3, 0};
  std::vector<int64_t> created_ = {kNewest, kNewest, kNewest - 40 * kDay, kNewest - 30 * kDay};
  fakes::LoadedWithMetadata loaded_{4};
  UnseenTable unseen_{loaded_.model, fakes::item_fields()};
};

using Ids = std::vector<std::string>;

TEST_F(NewItemsTest, HaveFewEventsOrNoneAndAreYoungAsOfTheNewestEvent) {
  EXPECT_EQ(found(&unseen_, {30, 0}),
            (Ids{"item0", "item3", "young", "of unknown age", "to come"}));
  EXPECT_EQ(found(&unseen_, {29, 0}), (Ids{"item0", "young", "of unknown age", "to come"}));
  EXPECT_EQ(found(nullptr, {1'000, 0}), (Ids{"item0", "item2", "item3"}));
}

TEST_F(NewItemsTest, TheModelsOwnDaysComeBeforeTheCampaigns) {
  loaded_.reader().ages.most_days = 5;
  EXPECT_EQ(found(&unseen_, {30, 0}), (Ids{"item0", "of unknown age", "to come"}));
}

TEST_F(NewItemsTest, AgesMayBeAsOfTheQuestion) {
  loaded_.reader().ages.as_of_question = true;
  EXPECT_EQ(found(&unseen_, {30, kNewest + 25 * kDay}),
            (Ids{"item0", "of unknown age", "to come"}));
}

TEST_F(NewItemsTest, AModelWithoutAgesHasNone) {
  fakes::Loaded plain(3);
  std::vector<NewItem> fresh = {{1, 2, 3}};
  find_new_items(*plain.model, nullptr, {30, 0}, fresh);
  EXPECT_TRUE(fresh.empty());
}

}  // namespace
}  // namespace personalize
