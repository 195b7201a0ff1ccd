#include "engine/training/options.h"

#include <gtest/gtest.h>

namespace personalize {
namespace {

std::string error(std::string_view json) {
  const auto options = TrainingOptions::parse(json);
  EXPECT_FALSE(options.is_ok()) << json;
  EXPECT_EQ(options.status().code(), StatusCode::kInvalidInput);
  return options.status().message();
}

TEST(TrainingOptions, HaveDefaults) {
  for (const std::string_view nothing : {"", "{}"}) {
    const auto options = TrainingOptions::parse(nothing);
    ASSERT_TRUE(options.is_ok());
    EXPECT_EQ(options->seed, 1u);
    EXPECT_EQ(options->seeds, 1);
    EXPECT_EQ(options->mode, TrainingMode::kFull);
    EXPECT_EQ(options->evaluation, Evaluation::kAmazon);
    EXPECT_TRUE(options->final_fit);
    EXPECT_EQ(options->budget_seconds, 0);
    EXPECT_EQ(options->threads, 0);
    EXPECT_EQ(options->tie_order, TieOrder::kAuto);
  }
}

TEST(TrainingOptions, AreReadFromJson) {
  const auto options = TrainingOptions::parse(
      R"({"seed": 9223372036854775807, "seeds": 20, "training_mode": "UPDATE", "evaluation": "leave-one-out",
          "final_fit": false, "budget_seconds": 2.5, "threads": 3, "tie_order": "shuffled"})");
  ASSERT_TRUE(options.is_ok()) << options.status().message();
  EXPECT_EQ(options->seed, 9223372036854775807u);
  EXPECT_EQ(options->seeds, 20);
  EXPECT_EQ(options->mode, TrainingMode::kUpdate);
  EXPECT_EQ(options->evaluation, Evaluation::kLeaveOneOut);
  EXPECT_FALSE(options->final_fit);
  EXPECT_EQ(options->budget_seconds, 2.5);
  EXPECT_EQ(options->threads, 3);
  EXPECT_EQ(options->tie_order, TieOrder::kShuffled);
  EXPECT_FALSE(TrainingOptions::parse(R"({"final_fit": 0})")->final_fit);
  EXPECT_EQ(TrainingOptions::parse(R"({"evaluation": "temporal-holdout"})")->evaluation,
            Evaluation::kTemporalHoldout);
  EXPECT_EQ(TrainingOptions::parse(R"({"evaluation": "leave-last-two-out"})")->evaluation,
            Evaluation::kLeaveLastTwoOut);
  EXPECT_EQ(TrainingOptions::parse(R"({"evaluation": "none"})")->evaluation, Evaluation::kNone);
}

TEST(TrainingOptions, SayWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_EQ(error("7"),
            "options must be a JSON object such as {\"seed\": 1}, not '7'; there are: seed, "
            "seeds, training_mode, evaluation, final_fit, budget_seconds, threads, tie_order");
  EXPECT_EQ(error(R"({"sed": 1})"),
            "option 'sed' is unknown; there are: seed, seeds, training_mode, evaluation, "
            "final_fit, budget_seconds, threads, tie_order");
  EXPECT_EQ(error(R"({"seed": -1})"),
            "option 'seed' is -1; it must be an integer from 0 to 9223372036854775807");
  EXPECT_EQ(error(R"({"seed": 1.5})"),
            "option 'seed' is 1.5; it must be an integer from 0 to 9223372036854775807");
  for (const std::string wrong : {"0", "21", "-1", "2.5", "\"3\"", "null", "true"}) {
    EXPECT_EQ(error("{\"seeds\": " + wrong + "}"),
              "option 'seeds' is " + wrong + "; it must be an integer from 1 to 20");
  }
  EXPECT_EQ(error(R"({"training_mode": "PARTIAL"})"),
            "option 'training_mode' is \"PARTIAL\"; it must be \"FULL\" or \"UPDATE\"");
  EXPECT_EQ(error(R"({"evaluation": "loo"})"),
            "option 'evaluation' is \"loo\"; it must be \"amazon\", \"leave-one-out\", "
            "\"leave-last-two-out\", \"temporal-holdout\" or \"none\"");
  EXPECT_EQ(error(R"({"final_fit": "no"})"),
            "option 'final_fit' is \"no\"; it must be true or false");
  EXPECT_EQ(
      error(R"({"budget_seconds": -3})"),
      "option 'budget_seconds' is -3; it must be a number of seconds, 0 or more (0: no limit)");
  EXPECT_EQ(error(R"({"threads": 17})"),
            "option 'threads' is 17; it must be an integer from 0 (one a core) to 16");
  EXPECT_EQ(error(R"({"tie_order": null})"),
            "option 'tie_order' is null; it must be \"auto\", \"arrival\" or \"shuffled\"");
}

Solution sims(std::string hyperparameters, std::string feature_transformation) {
  Solution solution;
  solution.name = "related";
  solution.recipe = "aws-sims";
  solution.hyperparameters = std::move(hyperparameters);
  solution.feature_transformation = std::move(feature_transformation);
  return solution;
}

TEST(SolutionHyperparameters, HoldThoseOfTheFeatureTransformationToo) {
  const auto h = solution_hyperparameters(
      sims(R"({"min_cointeraction_count": 5, "max_user_history_length_percentile": 0.5})",
           R"({"max_user_history_length_percentile": "0.9"})"),
      **find_recipe("sims"));
  ASSERT_TRUE(h.is_ok()) << h.status().message();
  EXPECT_EQ(h->integer("min_cointeraction_count"), 5);
  EXPECT_EQ(h->real("max_user_history_length_percentile"), 0.9);
}

TEST(CheckSolution, RefusesWhatCouldNeverBeTrained) {
  EXPECT_TRUE(check_solution(sims("", "")).is_ok());
  EXPECT_TRUE(check_solution(sims("{}", "{}")).is_ok());
  EXPECT_EQ(check_solution(sims(R"({"min_cointeraction_count": 11})", "")).message(),
            "hyperparameter 'min_cointeraction_count' is 11; it must be an integer from 0 to 10");
  EXPECT_EQ(check_solution(sims("", "[]")).message(),
            "feature_transformation must be a JSON object such as "
            "{\"max_user_history_length_percentile\": 0.99}, not '[]'");
  EXPECT_EQ(check_solution(sims("[]", "{}")).message(),
            "hyperparameters must be a JSON object such as {\"name\": 1}, not '[]'");
  EXPECT_TRUE(check_solution(sims("", R"({"bptt": 3})"))
                  .message()
                  .starts_with("hyperparameter 'bptt' is "));
  Solution unknown = sims("", "");
  unknown.recipe = "hrrn";
  EXPECT_EQ(check_solution(unknown).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace personalize
