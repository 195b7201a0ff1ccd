#include "engine/serving/unseen_items.h"

#include <gtest/gtest.h>

#include "engine/serving/exploration.h"
#include "tests/engine/serving/metadata_model.h"

namespace personalize {
namespace {

using fakes::item_fields;

TEST(UnseenItems, AreThoseOfTheDatasetThatTheVocabularyLacks) {
  const fakes::LoadedWithMetadata loaded(3);
  VectorMetadata source(item_fields());
  source.add("item1", {FieldValue::of("drama"), FieldValue::missing()});
  source.add("new a", {FieldValue::of("drama|comedy"), FieldValue::of(1'000.0)});
  source.add("item0", {FieldValue::missing(), FieldValue::missing()});
  source.add("new b", {FieldValue::of("opera"), FieldValue::missing()});
  source.add("new a", {FieldValue::of("comedy"), FieldValue::of(2.0)});
  source.add("new c", {FieldValue::of("drama"), FieldValue::of(-5.0)});
  UnseenTable table(loaded.model, source.fields());
  ASSERT_TRUE(source.scan(table).is_ok());

  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table.find("new a"), 3);
  EXPECT_EQ(table.find("new b"), 4);
  EXPECT_EQ(table.find("new c"), 5);
  EXPECT_EQ(table.find("item1"), kNoItem);
  EXPECT_EQ(table.find("elsewhere"), kNoItem);
  EXPECT_EQ(table.id(2), "new c");
  EXPECT_EQ(table.hash(2), exploration_hash("new c"));
  EXPECT_EQ(table.created(0), 1'000);  // the first row of an id counts
  EXPECT_EQ(table.created(1), UnseenTable::kNotCreated);
  EXPECT_EQ(table.created(2), -5);
  const auto columns = [&](size_t place) {
    const std::span<const ColumnIndex> view = table.columns(place);
    return std::vector<ColumnIndex>(view.begin(), view.end());
  };
  EXPECT_EQ(columns(0), (std::vector<ColumnIndex>{0, 1}));
  EXPECT_TRUE(columns(1).empty());  // the model knows no opera
  EXPECT_EQ(columns(2), (std::vector<ColumnIndex>{1}));
  EXPECT_EQ(table.items().size(), 3u);
}

TEST(UnseenItems, AColumnTheDatasetHasLostSaysNothing) {
  const fakes::LoadedWithMetadata loaded(1);
  VectorMetadata source({{"COLOUR", FieldKind::kCategorical}});
  source.add("new", {FieldValue::of("drama")});
  UnseenTable table(loaded.model, source.fields());
  ASSERT_TRUE(source.scan(table).is_ok());
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.columns(0).empty());
  EXPECT_EQ(table.created(0), UnseenTable::kNotCreated);
}

TEST(UnseenItems, OnlyAModelThatReadsItemsPlacesThem) {
  EXPECT_TRUE(places_unseen_items(fakes::MetadataModel(3)));
  EXPECT_FALSE(places_unseen_items(fakes::DecayModel(3)));
}

}  // namespace
}  // namespace personalize
