#include "engine/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace personalize {
namespace {

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonText, TakesWhatIsNotTooDeep) {
  EXPECT_TRUE(parse_json(nested(kDeepestJson)).is_array());
  EXPECT_FALSE(nests_too_deep(nested(kDeepestJson)));
  EXPECT_EQ(parse_json(R"({"a": [1, {"b": null}]})")["a"][1].size(), 1u);
  EXPECT_EQ(parse_json("5"), 5);
}

TEST(JsonText, DiscardsWhatIsTooDeepOrNoJson) {
  for (const std::string& text :
       {nested(kDeepestJson + 1), nested(1'000'000), std::string(1'000'000, '['),
        std::string("{\"a\":") + nested(kDeepestJson) + "}", std::string(), std::string("{"),
        std::string("x"), std::string("\"\xe9\"")})
    EXPECT_TRUE(parse_json(text).is_discarded()) << text.substr(0, 40);
}

TEST(JsonText, CountsNoBracketsInsideStringsAndThoseSideBySideOnce) {
  const std::string brackets(200, '[');
  EXPECT_EQ(parse_json("\"" + brackets + "\""), brackets);
  EXPECT_EQ(parse_json(R"({"a\"[\\": ")" + brackets + "\"}").size(), 1u);
  std::string pairs = "[[]";
  for (int i = 0; i < 200; i++) pairs += ",[{}]";
  EXPECT_EQ(parse_json(pairs + "]").size(), 201u);
}

}  // namespace
}  // namespace personalize
