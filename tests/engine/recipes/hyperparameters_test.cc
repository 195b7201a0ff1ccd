#include <gtest/gtest.h>

#include "engine/recipes/recipe.h"

namespace personalize {
namespace {

using Kind = HyperparameterSpec::Kind;
const HyperparameterSpec kSpecs[] = {
    {"hidden_dimension", Kind::kInteger, "128", 32, 256, {}, true, ""},
    {"dropout", Kind::kReal, "auto", 0, 0.9, {}, false, ""},
    {"recency_mask", Kind::kBoolean, "true", 0, 0, {}, true, ""},
    {"tie_order", Kind::kText, "auto", 0, 0, {"auto", "arrival"}, false, ""},
};

std::string error(std::string_view json) {
  const auto result = Hyperparameters::parse(json, kSpecs);
  EXPECT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidInput);
  return result.status().message();
}

TEST(Hyperparameters, AreCompleteWithTheirDefaults) {
  for (const std::string_view nothing : {"", "{}", " { } "}) {
    const auto h = Hyperparameters::parse(nothing, kSpecs);
    ASSERT_TRUE(h.is_ok()) << h.status().message();
    EXPECT_EQ(h->values().size(), 4u);
    EXPECT_EQ(h->integer("hidden_dimension"), 128);
    EXPECT_TRUE(h->is_auto("dropout"));
    EXPECT_TRUE(h->boolean("recency_mask"));
    EXPECT_EQ(h->text("tie_order"), "auto");
  }
}

TEST(Hyperparameters, MayComeAsJsonValuesOrAsTextsAsAmazonsApiSendsThem) {
  for (
      const std::string_view json :
      {R"({"hidden_dimension": 64, "dropout": 0.25, "recency_mask": false, "tie_order": "arrival"})",
       R"({"hidden_dimension": "64", "dropout": "0.25", "recency_mask": "false", "tie_order": "arrival"})",
       R"({"hidden_dimension": 64.0, "dropout": 0.25, "recency_mask": 0, "tie_order": "arrival"})"}) {
    const auto h = Hyperparameters::parse(json, kSpecs);
    ASSERT_TRUE(h.is_ok()) << h.status().message();
    EXPECT_EQ(h->integer("hidden_dimension"), 64);
    EXPECT_EQ(h->values().at("hidden_dimension"), "64");
    EXPECT_EQ(h->real("dropout"), 0.25);
    EXPECT_FALSE(h->boolean("recency_mask"));
    EXPECT_EQ(h->text("tie_order"), "arrival");
  }
}

TEST(Hyperparameters, RememberWhatAutoCameOutAs) {
  auto h = Hyperparameters::parse(R"({"dropout": "auto"})", kSpecs);
  ASSERT_TRUE(h.is_ok());
  EXPECT_TRUE(h->is_auto("dropout"));
  h->resolve("dropout", 0.2);
  EXPECT_FALSE(h->is_auto("dropout"));
  EXPECT_EQ(h->real("dropout"), 0.2);
  EXPECT_EQ(h->values().at("dropout"), "0.2");
}

TEST(Hyperparameters, SayWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_EQ(error("[1]"), "hyperparameters must be a JSON object such as {\"name\": 1}, not '[1]'");
  EXPECT_EQ(error("{\"hidden_dimension\": }"),
            "hyperparameters must be a JSON object such as {\"name\": 1}, not "
            "'{\"hidden_dimension\": }'");
  EXPECT_EQ(error(R"({"hiden_dimension": 64})"),
            "hyperparameter 'hiden_dimension' is unknown; there are: hidden_dimension, dropout, "
            "recency_mask, tie_order");
  EXPECT_EQ(error(R"({"hidden_dimension": 31})"),
            "hyperparameter 'hidden_dimension' is 31; it must be an integer from 32 to 256");
  EXPECT_EQ(error(R"({"hidden_dimension": 64.5})"),
            "hyperparameter 'hidden_dimension' is 64.5; it must be an integer from 32 to 256");
  EXPECT_EQ(error(R"({"hidden_dimension": "auto"})"),
            "hyperparameter 'hidden_dimension' is \"auto\"; it must be an integer from 32 to 256");
  EXPECT_EQ(error(R"({"dropout": "much"})"),
            "hyperparameter 'dropout' is \"much\"; it must be a number from 0 to 0.9, or \"auto\"");
  EXPECT_EQ(error(R"({"dropout": null})"),
            "hyperparameter 'dropout' is null; it must be a number from 0 to 0.9, or \"auto\"");
  EXPECT_EQ(error(R"({"recency_mask": "maybe"})"),
            "hyperparameter 'recency_mask' is \"maybe\"; it must be true or false");
  EXPECT_EQ(error(R"({"tie_order": "random"})"),
            "hyperparameter 'tie_order' is \"random\"; it must be one of auto, arrival");
  const auto none = Hyperparameters::parse(R"({"x": 1})", {});
  EXPECT_EQ(none.status().message(), "hyperparameter 'x' is unknown: the recipe has none");
}

}  // namespace
}  // namespace personalize
