#include "engine/training/search_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace personalize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Solution searching(std::string recipe, std::string hpo_config = "", std::string own = "") {
  Solution solution;
  solution.name = "shop";
  solution.recipe = std::move(recipe);
  solution.perform_hpo = true;
  solution.hpo_config = std::move(hpo_config);
  solution.hyperparameters = std::move(own);
  return solution;
}

Solution choosing(std::string config = "", std::string own = "") {
  Solution solution = searching("", std::move(config), std::move(own));
  solution.perform_hpo = false;
  solution.perform_automl = true;
  return solution;
}

SearchPlan planned(const Solution& solution) {
  auto plan = search_plan(solution);
  EXPECT_TRUE(plan.is_ok()) << plan.status().message();
  return plan.is_ok() ? *std::move(plan) : SearchPlan{{SearchCandidate{}}, 1, {}};
}

std::string refusal(const Solution& solution) {
  const auto plan = search_plan(solution);
  EXPECT_FALSE(plan.is_ok());
  return plan.is_ok() ? "" : plan.status().message();
}

std::vector<std::string> names(const std::vector<SearchRange>& ranges) {
  std::vector<std::string> result;
  for (const SearchRange& range : ranges) result.push_back(range.name);
  return result;
}

std::vector<std::string_view> recipes(const SearchPlan& plan) {
  std::vector<std::string_view> result;
  for (const SearchCandidate& candidate : plan.candidates)
    result.push_back(candidate.recipe->name());
  return result;
}

std::string range(std::string_view kind, std::string_view entry) {
  return R"({"algorithmHyperParameterRanges": {")" + std::string(kind) +
         R"(HyperParameterRanges": [)" + std::string(entry) + "]}}";
}

TEST(SearchPlan, OfASolutionThatAsksForNoneHoldsWhatItSays) {
  Solution solution =
      searching("aws-sims", "whatever it says", R"({"min_cointeraction_count": 2})");
  solution.perform_hpo = false;
  const SearchPlan plan = planned(solution);
  EXPECT_FALSE(plan.searches());
  EXPECT_THAT(recipes(plan), ElementsAre("sims"));
  EXPECT_EQ(plan.candidates[0].hyperparameters.integer("min_cointeraction_count"), 2);
}

TEST(SearchPlan, TunesWhateverCanBeTunedAndTheSolutionLeavesOpen) {
  const SearchPlan all = planned(searching("sims"));
  EXPECT_TRUE(all.searches());
  EXPECT_EQ(all.jobs, kDefaultTrainingJobs);
  EXPECT_THAT(names(all.candidates[0].ranges),
              ElementsAre("popularity_discount_factor", "min_cointeraction_count"));
  EXPECT_EQ(all.candidates[0].ranges[1].maximum, 10);
  const SearchPlan rest = planned(searching("sims", "", R"({"min_cointeraction_count": 2})"));
  EXPECT_THAT(names(rest.candidates[0].ranges), ElementsAre("popularity_discount_factor"));
  const SearchPlan hrnn = planned(searching("hrnn"));
  EXPECT_THAT(names(hrnn.candidates[0].ranges), testing::Contains("recency_mask"));
}

TEST(SearchPlan, TunesWhatTheConfigNames) {
  const SearchPlan plan = planned(searching(
      "sims",
      range("integer", R"({"name": "min_cointeraction_count", "minValue": 1, "maxValue": 4})"),
      R"({"min_cointeraction_count": 2})"));
  ASSERT_THAT(names(plan.candidates[0].ranges), ElementsAre("min_cointeraction_count"));
  EXPECT_EQ(plan.candidates[0].ranges[0].minimum, 1);
  EXPECT_EQ(plan.candidates[0].hyperparameters.integer("min_cointeraction_count"), 2);
}

TEST(SearchPlan, TakesListsOfAnyKindInTheFormOfHyperparameters) {
  const SearchPlan plan = planned(searching(
      "hrnn", range("categorical", R"({"name": "hidden_dimension", "values": ["64", "1e2"]},
                                      {"name": "recency_mask", "values": [1, "false"]})")));
  EXPECT_THAT(plan.candidates[0].ranges[0].values, ElementsAre("64", "100"));
  EXPECT_THAT(plan.candidates[0].ranges[1].values, ElementsAre("true", "false"));
}

TEST(SearchPlan, SaysWhatCanBeTuned) {
  const std::string one = R"(, "minValue": 1, "maxValue": 2})";
  EXPECT_EQ(refusal(searching("sims", range("integer", R"({"name": "window")" + one))),
            "hpo_config: 'window' is no hyperparameter that can be tuned; sims tunes: "
            "popularity_discount_factor (0 to 1), min_cointeraction_count (0 to 10)");
  EXPECT_THAT(refusal(searching("hrnn", range("integer", R"({"name": "epochs")" + one))),
              HasSubstr("'epochs' is no hyperparameter that can be tuned; hrnn tunes: "));
  EXPECT_EQ(refusal(searching("popularity-count")),
            "perform_hpo = 1: popularity-count has no hyperparameters to tune; set it to 0");
  EXPECT_THAT(refusal(searching("sims", "", R"({"min_cointeraction_count": 2,
                                                "popularity_discount_factor": 1})")),
              StartsWith("perform_hpo = 1: the solution gives all that could be tuned a value"));
}

TEST(SearchPlan, SaysWhichRangeAHyperparameterHas) {
  EXPECT_EQ(refusal(searching("hrnn", range("integer", R"({"name": "hidden_dimension",
                                                          "minValue": 16, "maxValue": 512})"))),
            "hpo_config: 'hidden_dimension' from 16 to 512 leaves its range, which is 32 to 256");
  EXPECT_EQ(refusal(searching("hrnn", range("continuous", R"({"name": "hidden_dimension",
                                                             "minValue": 32, "maxValue": 64})"))),
            "hpo_config: 'hidden_dimension' is an integer; it belongs into "
            "integerHyperParameterRanges");
  EXPECT_EQ(refusal(searching("hrnn", range("integer", R"({"name": "dropout", "minValue": 0,
                                                          "maxValue": 0})"))),
            "hpo_config: 'dropout' is no integer; it belongs into continuousHyperParameterRanges");
  EXPECT_THAT(refusal(searching("hrnn", range("integer", R"({"name": "recency_mask", "minValue": 0,
                                                            "maxValue": 1})"))),
              HasSubstr("it belongs into categoricalHyperParameterRanges"));
  EXPECT_EQ(refusal(searching("hrnn", range("categorical", R"({"name": "recency_mask",
                                                              "values": ["maybe"]})"))),
            "hpo_config: hyperparameter 'recency_mask' is \"maybe\"; it must be true or false");
}

TEST(SearchPlan, RefusesWhatTheConfigRefuses) {
  EXPECT_THAT(
      refusal(searching("sims", R"({"hpoResourceConfig": {"maxNumberOfTrainingJobs": 10000}})")),
      HasSubstr("is 10000; it must be an integer from 1 to 40"));
  EXPECT_THAT(refusal(choosing("[]")), StartsWith("hpo_config: it must be a JSON object"));
}

TEST(SearchPlan, OfAutoMlStartsWithTheCheapestRecipe) {
  const SearchPlan plan = planned(choosing());
  EXPECT_TRUE(plan.searches());
  EXPECT_EQ(plan.jobs, 1);
  ASSERT_GE(plan.candidates.size(), 2U);
  EXPECT_EQ(recipes(plan)[0], "markov");
  EXPECT_EQ(recipes(plan)[1], "hrnn");
  EXPECT_TRUE(plan.candidates[0].ranges.empty());
}

TEST(SearchPlan, OfAutoMlGivesEachRecipeTheHyperparametersItKnows) {
  const SearchPlan plan = planned(choosing("", R"({"epochs": 3, "session_gap": 60})"));
  EXPECT_EQ(plan.candidates[0].hyperparameters.real("session_gap"), 60);
  EXPECT_EQ(plan.candidates[1].hyperparameters.real("session_gap"), 60);
  EXPECT_EQ(plan.candidates[1].hyperparameters.integer("epochs"), 3);
  EXPECT_EQ(refusal(choosing("", R"({"layers": 3})")),
            "hyperparameter 'layers' is unknown to the recipes that perform_automl tries");
}

TEST(SearchPlan, OfAutoMlTakesAListOfRecipes) {
  const auto list = [](std::string_view names) {
    return choosing(R"({"autoMLConfig": {"recipeList": [)" + std::string(names) + "]}}");
  };
  EXPECT_THAT(recipes(planned(list(R"("aws-popularity-count", "markov", "markov")"))),
              ElementsAre("popularity-count", "markov"));
  EXPECT_THAT(refusal(list(R"("hmm")")), HasSubstr("recipeList: recipe 'hmm' does not exist"));
  EXPECT_THAT(refusal(list(R"("sims")")), HasSubstr("sims is no recipe of type USER_PERSONAL"));
  EXPECT_THAT(refusal(list("")), HasSubstr("recipeList is []; it must be a list of at least one"));
}

TEST(SearchPlan, OfAutoMlAndHpoTunesWhicheverWins) {
  Solution both = choosing(range("integer", R"({"name": "window", "minValue": 2, "maxValue": 9})"));
  both.perform_hpo = true;
  const SearchPlan plan = planned(both);
  EXPECT_THAT(names(plan.candidates[0].ranges), ElementsAre("window"));
  EXPECT_TRUE(plan.candidates[1].ranges.empty()) << "hrnn has no window";
  EXPECT_EQ(plan.jobs, kDefaultTrainingJobs);
}

TEST(SearchPlan, WantsEitherARecipeOrAutoMl) {
  Solution both = choosing();
  both.recipe = "hrnn";
  EXPECT_EQ(refusal(both),
            "perform_automl = 1 chooses the recipe itself: leave recipe out (it is 'hrnn')");
  Solution neither;
  EXPECT_THAT(refusal(neither), testing::EndsWith("; or perform_automl = 1 chooses one"));
  EXPECT_THAT(refusal(searching("sims", R"({"autoMLConfig": {"recipeList": ["hrnn"]}})")),
              HasSubstr("autoMLConfig is for perform_automl = 1"));
}

}  // namespace
}  // namespace personalize
