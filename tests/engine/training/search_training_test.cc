// Trainings of solutions with perform_hpo and perform_automl.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/dataset/split.h"
#include "engine/store/versions.h"
#include "engine/training/job.h"
#include "engine/training/metrics.h"
#include "engine/training/search.h"
#include "tests/engine/store/temporary_directory.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_events.h"
#include "tests/engine/testing/silent_progress.h"

namespace personalize {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

class StoppingHost : public TrainingHost {
 public:
  bool stop() override { return ++asked > stop_after; }
  void row(std::string_view, const LogRow& row) override { rows.push_back(row); }
  long asked = 0;
  long stop_after = 1L << 60;
  std::vector<LogRow> rows;
};

class SearchTraining : public testing::Test {
 protected:
  static Solution tuning(std::string recipe) {
    Solution solution;
    solution.name = "shop";
    solution.recipe = std::move(recipe);
    solution.perform_hpo = true;
    return solution;
  }
  Result<VersionRecord> run(const Solution& solution, std::string_view json = "") {
    host_ = {};
    auto options = TrainingOptions::parse(json);
    EXPECT_TRUE(options.is_ok()) << options.status().message();
    return train(solution, *options, source_, *store_, host_);
  }
  std::vector<Json> trials() const {
    std::vector<Json> result;
    for (const LogRow& row : host_.rows)
      if (row.stage == "trial") result.push_back(Json::parse(row.message));
    return result;
  }
  std::string notes() const {
    std::string all;
    for (const LogRow& row : host_.rows)
      if (row.stage == "note") all += row.message + "\n";
    return all;
  }
  std::string model_bytes(int number) {
    return store_->get(StoreKind::kModel, version_key("shop", number))->value_or("");
  }
  // What a recipe reaches on a split, measured here.
  static double reached(const Recipe& recipe, const Hyperparameters& hyperparameters,
                        const Split& split) {
    SilentProgress progress;
    const auto fitted = recipe.fit(split.training, hyperparameters, {.seed = 1}, progress);
    EXPECT_TRUE(fitted.is_ok()) << fitted.status().message();
    const AlignedBlob blob(fitted->blob);
    const auto model = recipe.open(blob.view());
    return SearchObjective().of(*measure(**model, split, 1, [] { return false; }));
  }

  TemporaryDirectory scratch_;
  std::shared_ptr<ModelStore> store_ = *ModelStore::open(
      scratch_ / "db.personalize", "0f6e8a12-0000-4000-8000-000000000001", OpenMode::kCreate, "");
  VectorSource source_ = random_events(1, 120, 60, 30);
  Sequences sequences_ = *read_sequences(source_, {}, TieOrder::kArrival, 1);
  StoppingHost host_;
};

TEST_F(SearchTraining, ValidatesOnWhatNoSeedsEvaluationAsksFor) {
  TrainingView view = TrainingView::everything(sequences_);
  for (const uint64_t seed : {1, 2, 3}) {
    const Split split = amazon_split(sequences_, seed);
    for (size_t u = 0; u < view.end.size(); u++)
      view.end[u] = std::min(view.end[u], split.training.end[u]);
  }
  const std::pair<std::string, Split> cases[] = {
      {R"({"seeds": 3})", validation_split(view, false, kMostValidationUsers, 1)},
      {R"({"evaluation": "none"})",
       validation_split(TrainingView::everything(sequences_), false, kMostValidationUsers, 1)},
      {R"({"evaluation": "leave-last-two-out"})",
       validation_split(leave_last_two_out_split(sequences_).training, true, kMostValidationUsers,
                        1)}};
  for (const auto& [json, split] : cases) {
    const auto record = run(tuning("sims"), json);
    ASSERT_TRUE(record.is_ok()) << record.status().message();
    const Recipe& recipe = **find_recipe("sims");
    ASSERT_EQ(trials().size(), 8U);
    for (const Json& trial : trials()) {
      const auto hyperparameters =
          *Hyperparameters::parse(trial["hyperparameters"].dump(), recipe.hyperparameters());
      EXPECT_EQ(trial["value"].get<double>(), reached(recipe, hyperparameters, split)) << json;
    }
  }
}

TEST_F(SearchTraining, KeepsTheBestTrialWhichIsNeverWorseThanTheFirst) {
  bool found = false;
  for (const std::string recipe : {"sims", "markov"}) {
    const auto record = run(tuning(recipe));
    ASSERT_TRUE(record.is_ok()) << record.status().message();
    const std::vector<Json> all = trials();
    const auto best = std::max_element(all.begin(), all.end(), [](const Json& a, const Json& b) {
      return a["value"] < b["value"];
    });
    EXPECT_GE((*best)["value"], all[0]["value"]);
    for (const auto& [name, value] : (*best)["hyperparameters"].items())
      EXPECT_EQ(record->hyperparameters.at(name), value.dump()) << recipe;
    EXPECT_EQ(record->tuned.empty(), (*best)["trial"] == 0);
    for (const auto& [name, text] : record->tuned)
      EXPECT_EQ(text, record->hyperparameters.at(name));
    found |= !record->tuned.empty();
  }
  EXPECT_TRUE(found);
}

TEST_F(SearchTraining, MeasuresAndStoresTheBestTrialAsIfTheSolutionHadNamedIt) {
  ASSERT_TRUE(run(tuning("markov")).is_ok());
  const auto record = *find_version(*store_, "shop", 1);
  Solution named = tuning("markov");
  named.perform_hpo = false;
  named.hyperparameters = Json(record->tuned).dump();
  ASSERT_TRUE(run(named).is_ok());
  EXPECT_EQ(model_bytes(1), model_bytes(2));
  EXPECT_EQ(store_->get(StoreKind::kMetrics, version_key("shop", 1)).value(),
            store_->get(StoreKind::kMetrics, version_key("shop", 2)).value());
}

TEST_F(SearchTraining, GivesTheSameBytesForAnyNumberOfThreads) {
  ASSERT_TRUE(run(tuning("markov"), R"({"threads": 1, "seed": 3})").is_ok());
  ASSERT_TRUE(run(tuning("markov"), R"({"threads": 3, "seed": 3})").is_ok());
  EXPECT_EQ(model_bytes(1), model_bytes(2));
}

TEST_F(SearchTraining, ClimbsWithTheEpochsOfANetwork) {
  Solution small = tuning("hrnn");
  small.hyperparameters = R"({"hidden_dimension": 32, "embedding_dimension": 16, "bptt": 8,
                              "recency_mask": false, "epochs": 2})";
  small.hpo_config = R"({"hpoResourceConfig": {"maxNumberOfTrainingJobs": 4}})";
  const auto record = run(small, R"({"evaluation": "none"})");
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  std::vector<int> epochs;
  for (const Json& trial : trials()) epochs.push_back(trial["epochs"]);
  EXPECT_EQ(epochs, (std::vector<int>{2, 1, 1, 1, 2, 2}));
  EXPECT_EQ(record->hyperparameters.at("epochs"), "2");
  EXPECT_EQ(notes().find("calibrated"), notes().rfind("calibrated")) << "of the final fit alone";
}

TEST_F(SearchTraining, LeavesAFailedVersionWhereverItIsStopped) {
  int stopped = 0;
  for (long after = 0;; after = after < 20 ? after + 1 : after * 2) {
    StoppingHost host;
    host.stop_after = after;
    const auto record =
        train(tuning("sims"), *TrainingOptions::parse(R"({"threads": 2})"), source_, *store_, host);
    if (record.is_ok()) break;
    EXPECT_EQ(record.status().code(), StatusCode::kInterrupted);
    stopped++;
    EXPECT_EQ((*find_version(*store_, "shop", stopped))->status, kVersionFailed);
    EXPECT_EQ(model_bytes(stopped), "");
  }
  EXPECT_GT(stopped, 20);
}

TEST_F(SearchTraining, ChoosesTheRecipeThatIsBestOnValidation) {
  Solution choosing = tuning("");
  choosing.perform_hpo = false;
  choosing.perform_automl = true;
  choosing.hpo_config = R"({"autoMLConfig": {"recipeList": ["popularity-count", "markov"]}})";
  const auto record = run(choosing);
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_EQ(record->recipe, "markov") << "half of the events follow from the one before";
  EXPECT_EQ((*find_version(*store_, "shop", 1))->recipe, "markov");
  EXPECT_TRUE(record->tuned.empty());
  ASSERT_EQ(trials().size(), 2U);
  EXPECT_EQ(trials()[0]["recipe"], "popularity-count");
  EXPECT_LT(trials()[0]["value"], trials()[1]["value"]);
}

TEST_F(SearchTraining, OfAnUpdateKeepsToWhatWasFound) {
  ASSERT_TRUE(run(tuning("markov")).is_ok());
  const auto first = *find_version(*store_, "shop", 1);
  const auto second = run(tuning("markov"), R"({"training_mode": "UPDATE"})");
  ASSERT_TRUE(second.is_ok()) << second.status().message();
  EXPECT_TRUE(trials().empty());
  EXPECT_THAT(notes(), HasSubstr("training_mode UPDATE does not search"));
  EXPECT_FALSE(first->tuned.empty());
  EXPECT_EQ(second->tuned, first->tuned);
  EXPECT_EQ(second->hyperparameters, first->hyperparameters);
  const auto other = run(tuning("sims"), R"({"training_mode": "UPDATE"})");
  EXPECT_THAT(other.status().message(),
              HasSubstr("which is of the recipe markov, which the solution does not try"));
}

TEST_F(SearchTraining, OfAnUpdateWithoutAVersionSaysSo) {
  const auto record = run(tuning("markov"), R"({"training_mode": "UPDATE"})");
  EXPECT_EQ(record.status().code(), StatusCode::kNotFound);
}

TEST_F(SearchTraining, TrainsWithoutASearchWhereNothingCanBeWithheld) {
  source_ = VectorSource({{"u", "i", 1}, {"v", "j", 2}});
  const auto record = run(tuning("sims"));
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_TRUE(trials().empty());
  EXPECT_THAT(notes(), HasSubstr("there is no search: nobody has enough interactions"));
}

TEST_F(SearchTraining, IsRefusedWithoutAVersionWhereItsConfigIsWrong) {
  Solution wrong = tuning("sims");
  wrong.hpo_config = R"({"hpoResourceConfig": {"maxNumberOfTrainingJobs": 10000}})";
  EXPECT_EQ(run(wrong).status().code(), StatusCode::kInvalidInput);
  EXPECT_TRUE(store_->list(StoreKind::kVersion, "")->empty());
}

}  // namespace
}  // namespace personalize
