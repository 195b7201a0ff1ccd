#include "engine/dataset/metadata.h"

#include <gtest/gtest.h>

#include "tests/engine/testing/vector_metadata.h"

namespace personalize {
namespace {

const std::vector<MetadataField> kFields = {{"GENRES", FieldKind::kCategorical},
                                            {"YEAR", FieldKind::kNumber}};

TEST(MetadataTable, GivesBackTheRowsOfASourceById) {
  VectorMetadata source(kFields);
  source.add("b", {FieldValue::of("Comedy|Drama"), FieldValue::of(1999.0)});
  source.add("a", {FieldValue::missing(), FieldValue::of(-1.5)});
  source.add("", {FieldValue::of(""), FieldValue::missing()});
  const auto table = read_metadata(source);
  ASSERT_TRUE(table.is_ok());
  ASSERT_EQ(table->size(), 3u);
  EXPECT_EQ(table->id(0), "b");
  EXPECT_EQ(table->find("a"), 1);
  EXPECT_EQ(table->find(""), 2);
  EXPECT_EQ(table->find("c"), kNoItem);
  EXPECT_TRUE(std::equal(kFields.begin(), kFields.end(), table->fields().begin()));

  std::vector<FieldValue> values(7);
  table->row(0, values);
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].type, FieldValue::Type::kText);
  EXPECT_EQ(values[0].text, "Comedy|Drama");
  EXPECT_EQ(values[1].type, FieldValue::Type::kNumber);
  EXPECT_EQ(values[1].number, 1999);
  table->row(1, values);
  EXPECT_EQ(values[0].type, FieldValue::Type::kMissing);
  EXPECT_EQ(values[1].number, -1.5);
}

TEST(MetadataTable, KeepsTheFirstRowOfAnId) {
  MetadataTable table(kFields);
  table.add("a", std::vector<FieldValue>{FieldValue::of("x"), FieldValue::of(1.0)});
  table.add("a", std::vector<FieldValue>{FieldValue::of("y"), FieldValue::of(2.0)});
  ASSERT_EQ(table.size(), 1u);
  std::vector<FieldValue> values;
  table.row(0, values);
  EXPECT_EQ(values[0].text, "x");
}

TEST(MetadataTable, WithoutFieldsStillKnowsItsIds) {
  MetadataTable table((std::vector<MetadataField>()));
  table.add("a", {});
  std::vector<FieldValue> values(1);
  table.row(0, values);
  EXPECT_TRUE(values.empty());
  EXPECT_EQ(table.find("a"), 0);
}

TEST(MetadataTable, ReadingEndsWithTheErrorOfTheSource) {
  VectorMetadata source(kFields);
  source.fail_with = Status(StatusCode::kInterrupted, "stop");
  EXPECT_EQ(read_metadata(source).status().code(), StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
