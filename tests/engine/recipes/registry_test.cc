#include <gtest/gtest.h>

#include "engine/recipes/recipe.h"

namespace personalize {
namespace {

TEST(Registry, FindsEveryRecipeByItsNameAndByAmazonsNames) {
  for (const Recipe* recipe : all_recipes()) {
    const std::string name(recipe->name());
    for (const std::string& alias :
         {name, "aws-" + name, "arn:aws:personalize:::recipe/aws-" + name}) {
      const auto found = find_recipe(alias);
      ASSERT_TRUE(found.is_ok()) << found.status().message();
      EXPECT_EQ(*found, recipe);
    }
  }
}

TEST(Registry, ListsWhatThereIsWhereANameIsUnknown) {
  const auto found = find_recipe("aws-hrm");
  ASSERT_FALSE(found.is_ok());
  EXPECT_EQ(found.status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(found.status().message().starts_with(
      "recipe 'aws-hrm' does not exist; there are: popularity-count, sims"))
      << found.status().message();
}

TEST(Registry, HasDefaultsInsideTheirOwnRanges) {
  for (const Recipe* recipe : all_recipes()) {
    std::string json;
    for (const HyperparameterSpec& spec : recipe->hyperparameters())
      json += (json.empty() ? "{\"" : ",\"") + spec.name + "\":\"" + spec.default_text + "\"";
    const auto parsed =
        Hyperparameters::parse(json.empty() ? "" : json + "}", recipe->hyperparameters());
    EXPECT_TRUE(parsed.is_ok()) << recipe->name() << ": " << parsed.status().message();
  }
}

}  // namespace
}  // namespace personalize
