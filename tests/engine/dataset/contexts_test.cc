#include "engine/dataset/contexts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace personalize {
namespace {

const std::vector<MetadataField> kFields = {{"DEVICE", FieldKind::kCategorical},
                                            {"HOUR", FieldKind::kNumber},
                                            {"MEMBER", FieldKind::kBoolean}};

TEST(Contexts, StoreEachDistinctRowOnceAndCountItAsAMapWould) {
  std::mt19937 random(1);
  Contexts contexts(kFields);
  std::map<std::string, std::pair<uint32_t, uint64_t>> oracle;  // row: its number, how often
  const auto shown = [](std::span<const FieldValue> values) {
    std::string text;
    for (const FieldValue& value : values)
      text += std::to_string(static_cast<int>(value.type)) + ":" + std::string(value.text) + ":" +
              std::to_string(value.number) + ";";
    return text;
  };
  std::vector<std::string> by_number;
  for (int i = 0; i < 5000; i++) {
    const std::string device = "device " + std::to_string(random() % 40);
    const std::vector<FieldValue> row = {
        random() % 5 == 0 ? FieldValue::missing() : FieldValue::of(device),
        random() % 5 == 0 ? FieldValue::missing() : FieldValue::of(random() % 8 - 4.0),
        random() % 2 == 0 ? FieldValue::of(1.0) : FieldValue::of(0.0)};
    const auto [known, is_new] =
        oracle.emplace(shown(row), std::pair(static_cast<uint32_t>(oracle.size()), 0));
    if (is_new) by_number.push_back(shown(row));
    known->second.second++;
    ASSERT_EQ(contexts.add(row), known->second.first);
  }
  ASSERT_EQ(contexts.size(), oracle.size());
  std::vector<FieldValue> values;
  for (size_t row = 0; row < contexts.size(); row++) {
    contexts.row(row, values);
    ASSERT_EQ(shown(values), by_number[row]);
    ASSERT_EQ(contexts.times(row), oracle[by_number[row]].second);
  }
}

TEST(Contexts, TakeValuesOfTheWrongTypeAsMissingAndMinusZeroAsZero) {
  Contexts contexts(kFields);
  const uint32_t nothing = contexts.add(std::vector<FieldValue>(3));
  EXPECT_EQ(contexts.add(std::vector<FieldValue>{FieldValue::of(1.0), FieldValue::of("1"),
                                                 FieldValue::of("true")}),
            nothing);
  EXPECT_EQ(contexts.add({}), nothing);
  const uint32_t zero = contexts.add(std::vector<FieldValue>{{}, FieldValue::of(0.0), {}});
  EXPECT_NE(zero, nothing);
  EXPECT_EQ(contexts.add(std::vector<FieldValue>{{}, FieldValue::of(-0.0), {}}), zero);
}

}  // namespace
}  // namespace personalize
