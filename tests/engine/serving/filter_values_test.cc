#include "engine/serving/filter_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace personalize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> texts(std::string_view json, std::string_view name = "P") {
  const auto values = FilterValues::parse(json);
  if (!values.is_ok()) return {values.status().message()};
  std::vector<std::string> found;
  if (const auto* scalars = values->find(name))
    for (const FilterScalar& scalar : *scalars)
      found.push_back((scalar.is_number ? "#" : "") + scalar.text);
  return found;
}

TEST(FilterValues, ReadsAmazonsQuotedLists) {
  EXPECT_THAT(texts(R"({"P": "\"comedy\",\"drama, or so\""})"),
              ElementsAre("comedy", "drama, or so"));
  EXPECT_THAT(texts(R"({"P": "\"drama\""})"), ElementsAre("drama"));
  EXPECT_THAT(texts(R"({"P": "10"})"), ElementsAre("#10"));
  EXPECT_THAT(texts(R"({"P": "1, 2.50,-3"})"), ElementsAre("#1", "#2.50", "#-3"));
}

TEST(FilterValues, TakesPlainTextsNumbersAndArraysToo) {
  EXPECT_THAT(texts(R"({"P": "comedy"})"), ElementsAre("comedy"));
  EXPECT_THAT(texts(R"({"P": "science fiction, or \"such\""})"),
              ElementsAre("science fiction, or \"such\""));
  EXPECT_THAT(texts(R"({"P": 7.5})"), ElementsAre("#7.5"));
  EXPECT_THAT(texts(R"({"P": ["a", "b,c", 3]})"), ElementsAre("a", "b,c", "#3"));
  EXPECT_THAT(texts(R"({"P": true})"), ElementsAre("#True"));
  EXPECT_THAT(texts(R"({"P": []})"), IsEmpty());
  EXPECT_THAT(texts(""), IsEmpty());
}

TEST(FilterValues, TellsAParameterThatWasLeftOutFromOneWithoutValues) {
  const auto values = FilterValues::parse(R"({"P": []})");
  ASSERT_TRUE(values.is_ok());
  EXPECT_NE(values->find("P"), nullptr);
  EXPECT_EQ(values->find("p"), nullptr);
}

TEST(FilterValues, RefusesWhatIsNoValue) {
  EXPECT_THAT(texts("[1]"), ElementsAre(HasSubstr("must be a JSON object")));
  EXPECT_THAT(texts("{"), ElementsAre(HasSubstr("must be a JSON object")));
  EXPECT_THAT(texts(R"({"P": null})"), ElementsAre(HasSubstr("'P' is null")));
  EXPECT_THAT(texts(R"({"P": [[1]]})"), ElementsAre(HasSubstr("'P' is [1]")));
  EXPECT_THAT(texts(R"({"P": {"a": 1}})"), ElementsAre(HasSubstr("a number, a text, or an array")));
}

std::string checked(std::string_view expression, std::string_view json) {
  const auto parsed = parse_filter(expression);
  const auto values = FilterValues::parse(json);
  return values->check(*parsed).message();
}

TEST(FilterValues, AreNeededByIncludesAndMayLackInExcludes) {
  EXPECT_EQ(checked("EXCLUDE ItemID WHERE Items.A IN ($A)", ""), "");
  EXPECT_THAT(checked("INCLUDE ItemID WHERE Items.A IN ($A)", ""),
              HasSubstr("needs a value for $A"));
  EXPECT_THAT(checked("INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.B = $B", ""),
              HasSubstr("$B"));
  EXPECT_EQ(checked("INCLUDE ItemID WHERE Items.A IN ($A)", R"({"A": 1})"), "");
}

TEST(FilterValues, MustBeOfTheFiltersParameters) {
  EXPECT_THAT(checked("EXCLUDE ItemID WHERE Items.A IN ($A) OR Items.B = $B", R"({"a": 1})"),
              HasSubstr("'a' is unknown; the filter's parameters are: A, B"));
  EXPECT_THAT(checked("EXCLUDE ItemID WHERE Items.A = 1", R"({"a": 1})"),
              HasSubstr("has no parameters"));
}

}  // namespace
}  // namespace personalize
