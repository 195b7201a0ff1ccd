#include "extension/dataset_config.h"

#include <gtest/gtest.h>

namespace personalize {
namespace {

Result<DatasetConfig> parse(DatasetKind kind, std::vector<const char*> arguments) {
  return DatasetConfig::parse(kind, arguments);
}

TEST(DatasetConfig, InteractionsHaveTheColumnsOfAmazonsExampleInItsOrder) {
  const Result<DatasetConfig> config = parse(DatasetKind::kInteractions, {});
  ASSERT_TRUE(config.is_ok()) << config.status().message();
  EXPECT_EQ(config->declaration(),
            R"(CREATE TABLE x("USER_ID" TEXT, "ITEM_ID" TEXT, "EVENT_TYPE" TEXT, )"
            R"("EVENT_VALUE" REAL, "TIMESTAMP" INTEGER, "SESSION_ID" TEXT HIDDEN, )"
            R"("IMPRESSION" TEXT HIDDEN, "RECOMMENDATION_ID" TEXT HIDDEN, )"
            R"("EVENT_ATTRIBUTION_SOURCE" TEXT HIDDEN))");
  EXPECT_EQ(config->group, "default");
  EXPECT_TRUE(config->content.empty());
}

TEST(DatasetConfig, ColumnsAreFoundWhateverTheirCase) {
  const Result<DatasetConfig> config = parse(DatasetKind::kUsers, {"Age int"});
  ASSERT_TRUE(config.is_ok()) << config.status().message();
  EXPECT_EQ(config->find("aGE"), 1);
  EXPECT_EQ(config->find("user_id"), 0);
  EXPECT_EQ(config->find("item_id"), -1);
}

TEST(DatasetConfig, WhatIsWrittenAsJsonIsReadBack) {
  const std::vector<std::pair<DatasetKind, std::vector<const char*>>> all = {
      {DatasetKind::kInteractions, {}},
      {DatasetKind::kInteractions, {"group = 'a-b'", "DEVICE string categorical"}},
      {DatasetKind::kInteractions,
       {"content='or\"ders'", "user_id='it''s'", "item_id=\"p\"", "TIMESTAMP=t"}},
      {DatasetKind::kUsers,
       {"AGE int", "SCORE double", "BORN long", "MEMBER boolean", "RATE float"}},
      {DatasetKind::kItems, {"\n TITLE  string\ttextual ", "GENRES string categorical textual"}},
      {DatasetKind::kItems,
       {R"(schema='{"type":"record","name":"Items","fields":[{"name":"ITEM_ID","type":"string"},
           {"name":"price","type":["float","null"]},{"name":"KIND","type":"string","categorical":true}]}')"}},
  };
  for (const auto& [kind, arguments] : all) {
    const Result<DatasetConfig> config = parse(kind, arguments);
    ASSERT_TRUE(config.is_ok()) << config.status().message();
    const Result<DatasetConfig> back = DatasetConfig::from_json(config->to_json());
    ASSERT_TRUE(back.is_ok()) << back.status().message();
    EXPECT_EQ(back->to_json(), config->to_json());
    EXPECT_EQ(back->declaration(), config->declaration());
    EXPECT_EQ(back->kind, kind);
    EXPECT_EQ(back->group, config->group);
    EXPECT_EQ(back->content, config->content);
    for (size_t i = 0; i < config->columns.size(); i++)
      EXPECT_EQ(back->columns[i].content_column, config->columns[i].content_column);
  }
}

TEST(DatasetConfig, MappingsNameTheBusinessTablesColumns) {
  const Result<DatasetConfig> config =
      parse(DatasetKind::kInteractions, {"content='or\"ders'", "user_id='it''s'", "item_id=\"p\""});
  ASSERT_TRUE(config.is_ok()) << config.status().message();
  EXPECT_EQ(config->content, "or\"ders");
  EXPECT_EQ(config->columns[config->find("USER_ID")].content_column, "it's");
  EXPECT_EQ(config->columns[config->find("ITEM_ID")].content_column, "p");
  EXPECT_EQ(config->columns[config->find("TIMESTAMP")].content_column, "TIMESTAMP");
  EXPECT_EQ(config->columns[config->find("EVENT_TYPE")].content_column, "");
}

TEST(DatasetConfig, DamagedJsonIsAnError) {
  for (const char* json :
       {"", "x", "[]", "{}", R"({"columns":[]})", R"({"kind":"users","columns":5})",
        R"({"kind":"nothing","group":"g","columns":[]})",
        R"({"kind":"users","group":"g","columns":[]})",
        R"({"kind":"users","group":"g","columns":[5]})",
        R"({"kind":"users","group":"g","columns":[{"name":"USER_ID"}]})"})
    EXPECT_FALSE(DatasetConfig::from_json(json).is_ok()) << json;
}

}  // namespace
}  // namespace personalize
