#include <fmt/format.h>

#include <array>

#include "engine/recipes/hrnn/hrnn.h"
#include "engine/recipes/markov.h"
#include "engine/recipes/popularity.h"
#include "engine/recipes/recipe.h"
#include "engine/recipes/similar_items.h"
#include "engine/recipes/sims.h"
#include "engine/recipes/trending.h"

namespace personalize {
namespace {

constexpr std::string_view kArnPrefix = "arn:aws:personalize:::recipe/";
constexpr std::string_view kAmazonPrefix = "aws-";

}  // namespace

std::span<const Recipe* const> all_recipes() {
  static const std::array recipes = {&popularity_recipe(),
                                     &sims_recipe(),
                                     &markov_recipe(),
                                     &hrnn_recipe(),
                                     &personalized_ranking_recipe(),
                                     &hrnn_metadata_recipe(),
                                     &hrnn_coldstart_recipe(),
                                     &user_personalization_recipe(),
                                     &item_affinity_recipe(),
                                     &trending_recipe(),
                                     &similar_items_recipe()};
  return recipes;
}

Result<const Recipe*> find_recipe(std::string_view name) {
  std::string_view plain = name;
  if (plain.starts_with(kArnPrefix)) plain.remove_prefix(kArnPrefix.size());
  if (plain.starts_with(kAmazonPrefix)) plain.remove_prefix(kAmazonPrefix.size());
  for (const Recipe* recipe : all_recipes())
    if (recipe->name() == plain) return recipe;
  std::string known;
  for (const Recipe* recipe : all_recipes())
    known += fmt::format("{}{}", known.empty() ? "" : ", ", recipe->name());
  return Status(StatusCode::kNotFound,
                fmt::format("recipe '{}' does not exist; there are: {}", name, known));
}

}  // namespace personalize
