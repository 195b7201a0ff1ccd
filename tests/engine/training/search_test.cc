#include "engine/training/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/training/metrics.h"

namespace personalize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

// A training whose models are as good, and take as long, as functions of their hyperparameters say.
class FakeHost : public TrialHost {
 public:
  struct Run {
    std::string recipe;
    Hyperparameters hyperparameters;
    double value = 0;
    double budget = 0;
  };

  Result<TrialOutcome> run(const Recipe& recipe, const Hyperparameters& hyperparameters,
                           double budget_seconds) override {
    Hyperparameters resolved = hyperparameters;
    if (resolved.values().contains("epochs") && resolved.is_auto("epochs"))
      resolved.resolve("epochs", 8);
    const Result<double> reached = value(recipe, resolved);
    if (!reached.is_ok()) return reached.status();
    runs.push_back({std::string(recipe.name()), resolved, *reached, budget_seconds});
    MetricRow row;
    row.metric = kNdcg;
    row.k = 25;
    row.value = *reached;
    row.seen = kSeenIncluded;
    return TrialOutcome{{row}, resolved, seconds(resolved)};
  }
  Status log(std::string_view stage, std::string message) override {
    rows.emplace_back(stage, std::move(message));
    return Status::ok();
  }
  std::vector<Json> trials() const {
    std::vector<Json> result;
    for (const auto& [stage, message] : rows)
      if (stage == "trial") result.push_back(Json::parse(message));
    return result;
  }
  std::string messages(std::string_view of_stage) const {
    std::string all;
    for (const auto& [stage, message] : rows)
      if (stage == of_stage) all += message + "\n";
    return all;
  }

  std::function<Result<double>(const Recipe&, const Hyperparameters&)> value =
      [](const Recipe&, const Hyperparameters&) { return 0.5; };
  std::function<double(const Hyperparameters&)> seconds = [](const Hyperparameters&) {
    return 0.0;
  };
  std::vector<Run> runs;
  std::vector<std::pair<std::string, std::string>> rows;
};

SearchPlan tuning(std::string recipe, std::string config = "", bool auto_ml = false) {
  Solution solution;
  solution.recipe = std::move(recipe);
  solution.perform_hpo = true;
  solution.perform_automl = auto_ml;
  solution.hpo_config = std::move(config);
  auto plan = search_plan(solution);
  EXPECT_TRUE(plan.is_ok()) << plan.status().message();
  return *std::move(plan);
}

std::string jobs(int number) {
  return R"({"hpoResourceConfig": {"maxNumberOfTrainingJobs": )" + std::to_string(number) + "}}";
}

SearchResult found(const SearchPlan& plan, FakeHost& host, SearchBudget budget = {},
                   uint64_t seed = 1) {
  auto result = search(plan, seed, budget, host);
  EXPECT_TRUE(result.is_ok()) << result.status().message();
  return *std::move(result);
}

// Better the smaller its dropout, and the longer it is trained.
Result<double> small_dropout(const Recipe&, const Hyperparameters& hyperparameters) {
  return 1 - hyperparameters.real("dropout") + 0.01 * hyperparameters.real("epochs");
}

TEST(Rungs, AreAsManyAsTrialsAndEpochsCanBeHalved) {
  EXPECT_EQ(rung_count(7, 8), 4);  // 7 with 1 epoch, 4 with 2, 2 with 4, 1 with 8
  EXPECT_EQ(rung_count(7, 6), 3);  // 7 with 1, 4 with 3, 2 with 6
  EXPECT_EQ(rung_count(39, 5), 3);
  EXPECT_EQ(rung_count(39, 1), 1);
  EXPECT_EQ(rung_count(1, 1'000), 1);
  EXPECT_EQ(rung_count(0, 8), 1);
}

TEST(Search, TriesTheSolutionsOwnHyperparametersFirstWithAllEpochs) {
  FakeHost host;
  const SearchPlan plan = tuning("hrnn");
  found(plan, host);
  EXPECT_EQ(host.runs[0].hyperparameters.text("dropout"), "0.25");
  EXPECT_EQ(host.runs[0].hyperparameters.integer("epochs"), 8);
  const Json first = host.trials()[0];
  EXPECT_EQ(first["trial"], 0);
  EXPECT_EQ(first["recipe"], "hrnn");
  EXPECT_EQ(first["rung"], first["rungs"]);
  EXPECT_EQ(first["epochs"], 8);
  EXPECT_EQ(first["metric"], "normalized_discounted_cumulative_gain_at_25");
  EXPECT_EQ(first["value"], 0.5);
  EXPECT_EQ(first["hyperparameters"]["dropout"], 0.25);
  EXPECT_EQ(first["hyperparameters"]["recency_mask"], true);
  EXPECT_EQ(first["hyperparameters"].size(), plan.candidates[0].ranges.size());
}

TEST(Search, KeepsTheBetterHalfOfEachRungAndDoublesItsEpochs) {
  FakeHost host;
  host.value = small_dropout;
  found(tuning("hrnn"), host);
  std::map<int, std::vector<Json>> by_rung;
  for (const Json& trial : host.trials())
    if (trial["trial"] != 0) by_rung[trial["rung"]].push_back(trial);
  ASSERT_EQ(by_rung.size(), 4U);
  size_t expected = 7;
  int epochs = 1;
  std::set<int> kept;
  for (int rung = 1; rung <= 4; rung++, epochs *= 2, expected = (expected + 1) / 2) {
    auto& trials = by_rung[rung];
    ASSERT_EQ(trials.size(), expected);
    for (const Json& trial : trials) {
      EXPECT_EQ(trial["epochs"], epochs);
      EXPECT_TRUE(rung == 1 || kept.contains(trial["trial"]));
    }
    std::sort(trials.begin(), trials.end(),
              [](const Json& a, const Json& b) { return a["value"] > b["value"]; });
    kept.clear();
    for (size_t i = 0; i < (expected + 1) / 2; i++) kept.insert(trials[i]["trial"].get<int>());
  }
}

TEST(Search, TakesTheBestOfTheLastRung) {
  FakeHost host;
  host.value = small_dropout;
  const SearchResult result = found(tuning("hrnn"), host);
  double least = 1;
  for (const Json& trial : host.trials())
    least = std::min(least, trial["hyperparameters"]["dropout"].get<double>());
  EXPECT_LT(least, 0.25);
  EXPECT_EQ(result.hyperparameters.real("dropout"), least);
  EXPECT_EQ(result.tuned.at("dropout"), result.hyperparameters.text("dropout"));
  EXPECT_TRUE(result.hyperparameters.is_auto("epochs")) << "the rungs' epochs were for the search";
  EXPECT_THAT(host.messages("search"), HasSubstr("best of 8 trials: trial "));
}

TEST(Search, IsNeverWorseThanTheFirstTrialOnItsSplit) {
  for (uint64_t seed = 0; seed < 30; seed++) {
    FakeHost host;
    host.value = [&](const Recipe&, const Hyperparameters& hyperparameters) -> Result<double> {
      uint64_t hash = seed;  // anything may come out
      for (const auto& [name, text] : hyperparameters.values())
        for (const char c : text) hash = hash * 1'000'003 + static_cast<unsigned char>(c);
      return static_cast<double>(hash % 1'000) / 1'000;
    };
    const SearchPlan plan = tuning("hrnn");
    const SearchResult result = found(plan, host, {}, seed);
    const double first = host.runs[0].value;
    const auto again = host.run(*result.recipe, result.hyperparameters, 0);
    EXPECT_GE(again->metrics[0].value, first);
    EXPECT_EQ(result.tuned.empty(), again->metrics[0].value == first);
  }
}

TEST(Search, PrefersTheSolutionsOwnHyperparametersWhereNothingIsBetter) {
  FakeHost host;
  const SearchResult result = found(tuning("hrnn"), host);
  EXPECT_TRUE(result.tuned.empty());
  EXPECT_EQ(result.hyperparameters.text("dropout"), "0.25");
  EXPECT_THAT(host.messages("search"), HasSubstr("with the solution's own hyperparameters"));
}

TEST(Search, MinimizesWhereItIsAskedTo) {
  FakeHost host;
  host.value = [](const Recipe&, const Hyperparameters& h) -> Result<double> {
    return h.real("popularity_discount_factor");
  };
  const SearchResult result =
      found(tuning("sims", R"({"hpoObjective": {"type": "Minimize"}})"), host);
  EXPECT_LT(result.hyperparameters.real("popularity_discount_factor"), 0.5);
}

TEST(Search, OfARecipeWithoutEpochsHasOneRung) {
  FakeHost host;
  found(tuning("sims", jobs(12)), host);
  EXPECT_EQ(host.runs.size(), 12U);
  for (const Json& trial : host.trials()) {
    EXPECT_EQ(trial["rungs"], 1);
    EXPECT_FALSE(trial.contains("epochs"));
  }
}

TEST(Search, SaysSoWhereTheRangesHoldFewerSettingsThanJobs) {
  FakeHost host;
  found(tuning("sims", R"({"algorithmHyperParameterRanges": {"integerHyperParameterRanges":
          [{"name": "min_cointeraction_count", "minValue": 3, "maxValue": 5}]}})"),
        host);
  EXPECT_EQ(host.runs.size(), 3U);
  EXPECT_EQ(host.messages("note"), "the ranges hold 3 different settings, for 8 jobs\n");
}

TEST(Search, GivesTheSameForTheSameSeed) {
  const auto log = [](uint64_t seed) {
    FakeHost host;
    host.value = small_dropout;
    found(tuning("hrnn"), host, {}, seed);
    return host.rows;
  };
  EXPECT_EQ(log(3), log(3));
  EXPECT_NE(log(3), log(4));
}

TEST(Search, LeavesOutTrialsThatMakeNoModel) {
  FakeHost host;
  host.value = [](const Recipe& recipe, const Hyperparameters& hyperparameters) -> Result<double> {
    if (hyperparameters.real("dropout") < 0.25)
      return Status(StatusCode::kInvalidInput, "the loss is no number");
    return small_dropout(recipe, hyperparameters);
  };
  const SearchResult result = found(tuning("hrnn", jobs(16)), host);
  EXPECT_TRUE(result.tuned.empty()) << "what is better has failed";
  bool failed = false;
  for (const Json& trial : host.trials()) {
    EXPECT_NE(trial.contains("failed"), trial.contains("value"));
    failed |= trial.contains("failed");
  }
  EXPECT_TRUE(failed);
}

TEST(Search, EndsWithAnyOtherError) {
  for (const int after : {0, 3, 9}) {
    FakeHost host;
    host.value = [&](const Recipe&, const Hyperparameters&) -> Result<double> {
      if (host.runs.size() == static_cast<size_t>(after))
        return Status(StatusCode::kInterrupted, "training was interrupted");
      return 0.5;
    };
    EXPECT_EQ(search(tuning("hrnn"), 1, {}, host).status().code(), StatusCode::kInterrupted);
  }
}

TEST(Search, OfDataThatMakeNoModelLeavesItToTheFitToSaySo) {
  FakeHost host;
  host.value = [](const Recipe&, const Hyperparameters&) -> Result<double> {
    return Status(StatusCode::kInvalidInput, "no user has two interactions");
  };
  const SearchResult result = found(tuning("hrnn"), host);
  EXPECT_TRUE(result.tuned.empty());
  EXPECT_EQ(host.messages("note"), "there is no search: no user has two interactions\n");
}

TEST(Search, KeepsToItsShareOfABudget) {
  for (const double budget : {1.0, 10.0, 40.0, 100.0, 1'000.0}) {
    FakeHost host;
    host.value = small_dropout;
    // Whatever a fit may use, it takes half a second, and two more an epoch.
    host.seconds = [](const Hyperparameters& h) { return 0.5 + 2 * h.real("epochs"); };
    const SearchResult result = found(tuning("hrnn"), host, {budget, 2});
    double spent = 0;
    for (const auto& run : host.runs) spent += host.seconds(run.hyperparameters);
    EXPECT_LE(spent, std::max(16.5, budget * 8 / 10)) << "the first trial is always run";
    EXPECT_LE(spent + 2 * result.fit_seconds, std::max(16.5 + 2 * budget / 10, budget + 1e-9));
    EXPECT_GE(result.fit_seconds, budget / 10);
    for (const auto& run : host.runs) {
      EXPECT_NEAR(run.budget, budget / 10 * run.hyperparameters.real("epochs") / 8, 1e-9);
    }
    EXPECT_EQ(host.messages("note").empty(), budget == 1'000);
    // What was taken had as many epochs as the first trial.
    if (!result.tuned.empty()) {
      EXPECT_EQ(host.runs.back().hyperparameters.integer("epochs"), 8);
    }
  }
}

TEST(Search, TakesTheFirstOfEquallyGoodRecipes) {
  FakeHost host;
  Solution solution;
  solution.perform_automl = true;
  const SearchPlan plan = *search_plan(solution);
  const SearchResult result = found(plan, host);
  EXPECT_EQ(host.runs.size(), plan.candidates.size());
  EXPECT_EQ(result.recipe->name(), "markov");
}

TEST(Search, TakesTheBestRecipeAndTunesThatAlone) {
  FakeHost host;
  host.value = [](const Recipe& recipe, const Hyperparameters&) -> Result<double> {
    return recipe.name() == "hrnn" ? 0.6 : 0.5;
  };
  const SearchResult result = found(tuning("", "", true), host);
  EXPECT_EQ(result.recipe->name(), "hrnn");
  for (const Json& trial : host.trials()) {
    EXPECT_TRUE(trial["rungs"] == 1 || trial["recipe"] == "hrnn");
  }
  EXPECT_GT(host.trials().size(), 8U);
}

TEST(Search, LeavesOutRecipesThatTheDataCannotServe) {
  FakeHost host;
  host.value = [](const Recipe& recipe, const Hyperparameters&) -> Result<double> {
    if (recipe.name() == "markov") return Status(StatusCode::kInvalidInput, "too few events");
    return 0.5;
  };
  Solution solution;
  solution.perform_automl = true;
  const SearchResult result = found(*search_plan(solution), host);
  EXPECT_EQ(result.recipe->name(), "hrnn");
  EXPECT_EQ(host.messages("note"), "markov is left out: too few events\n");
}

}  // namespace
}  // namespace personalize
