#include "engine/training/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/store/temporary_directory.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

using testing::HasSubstr;

const auto never = [] { return false; };

// Counts its scans, and may tell bounds.
class BoundedSource : public VectorSource {
 public:
  Status scan(EventSink& sink) override {
    ++scans;
    return VectorSource::scan(sink);
  }
  Result<std::optional<SourceBounds>> bounds() override { return told; }

  std::optional<SourceBounds> told;
  int scans = 0;
};

Solution solution(std::string recipe, std::string hyperparameters = "") {
  Solution result;
  result.name = "shop";
  result.recipe = std::move(recipe);
  result.hyperparameters = std::move(hyperparameters);
  return result;
}

class Estimate : public testing::Test {
 protected:
  Estimate() {
    for (int i = 0; i < 3'000; ++i)
      source_.add({std::to_string(i % 50), std::to_string(i * 7 % 101), i});
  }
  TrainingEstimate of(const Solution& solution, std::string_view json = "") {
    const auto options = TrainingOptions::parse(json);
    const auto estimate = estimate_training(solution, *options, source_, never);
    EXPECT_TRUE(estimate.is_ok()) << estimate.status().message();
    return estimate.is_ok() ? *estimate : TrainingEstimate();
  }
  Status check(uint64_t most) {
    TrainingOptions options;
    options.max_memory = most;
    return check_training_memory(solution("hrnn"), options, source_, never);
  }
  BoundedSource source_;
};

TEST_F(Estimate, CountsTheEventsInOneScan) {
  const TrainingEstimate estimate = of(solution("markov"));
  EXPECT_EQ(source_.scans, 1);
  EXPECT_EQ(estimate.size.events, 3'000u);
  EXPECT_EQ(estimate.size.users, 50u);
  EXPECT_EQ(estimate.size.items, 101u);
}

TEST_F(Estimate, GrowsWithTheNetwork) {
  const TrainingEstimate small = of(solution("hrnn", R"({"hidden_dimension": 32})"));
  const TrainingEstimate large = of(solution("hrnn", R"({"hidden_dimension": 256})"));
  EXPECT_LT(small.bytes, large.bytes);
  EXPECT_LT(small.seconds, large.seconds);
}

TEST_F(Estimate, CountsEveryFit) {
  const double none = of(solution("hrnn"), R"({"evaluation": "none"})").seconds;
  const double once = of(solution("hrnn"), R"({"final_fit": false})").seconds;
  const double both = of(solution("hrnn")).seconds;
  const double seeds = of(solution("hrnn"), R"({"seeds": 4})").seconds;
  EXPECT_LT(none, both);
  EXPECT_LT(once, both);
  EXPECT_LT(both, seeds);
  EXPECT_GT(seeds, 4 * none);
}

TEST_F(Estimate, KeepsToABudget) {
  const Solution many = solution("hrnn", R"({"epochs": 1000})");
  EXPECT_GT(of(many, R"({"evaluation": "none"})").seconds, 5);
  EXPECT_LT(of(many, R"({"evaluation": "none", "budget_seconds": 3})").seconds, 5);
}

TEST_F(Estimate, OfASearchCountsItsTrialsAndTheLargestModel) {
  Solution searching = solution("hrnn", R"({"epochs": 4})");
  searching.perform_hpo = true;
  const TrainingEstimate plain = of(solution("hrnn", R"({"epochs": 4})"));
  const TrainingEstimate search = of(searching);
  EXPECT_EQ(plain.fits, 2);
  // The first trial, 7 with one epoch, 4 with two, 2 with all four.
  EXPECT_EQ(search.fits, 2 + 1 + 7 + 4 + 2);
  EXPECT_GT(search.seconds, 3 * plain.seconds);
  const TrainingEstimate largest =
      of(solution("hrnn", R"({"epochs": 4, "hidden_dimension": 256, "embedding_dimension": 256})"));
  EXPECT_GE(search.bytes, largest.bytes);
  searching.hpo_config = R"({"hpoResourceConfig": {"maxNumberOfTrainingJobs": 2}})";
  EXPECT_LT(of(searching).seconds, search.seconds);
  EXPECT_EQ(of(searching, R"({"training_mode": "UPDATE"})").fits, 2);
}

TEST_F(Estimate, OfSeveralRecipesIsThatOfTheMostExpensive) {
  Solution choosing = solution("");
  choosing.perform_automl = true;
  const TrainingEstimate any = of(choosing);
  EXPECT_GE(any.bytes, of(solution("hrnn")).bytes);
  EXPECT_GT(any.seconds, of(solution("hrnn")).seconds + of(solution("markov")).seconds);
}

TEST_F(Estimate, NamesWhatIsWrongWithTheSolution) {
  const auto estimate = estimate_training(solution("hrn"), {}, source_, never);
  ASSERT_FALSE(estimate.is_ok());
  EXPECT_EQ(estimate.status().code(), StatusCode::kNotFound);
}

TEST_F(Estimate, RefusesNothingWithoutALimit) {
  EXPECT_TRUE(check(0).is_ok());
  EXPECT_EQ(source_.scans, 0);
}

TEST_F(Estimate, RefusesWhatWouldTakeMoreThanTheLimit) {
  const auto needed = static_cast<uint64_t>(of(solution("hrnn")).bytes);
  EXPECT_TRUE(check(needed + 1).is_ok());
  const Status refused = check(needed - 1);
  EXPECT_EQ(refused.code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(refused.message(), HasSubstr("3000 interactions of 50 users and 101 items"));
  EXPECT_THAT(refused.message(), HasSubstr("max_training_memory is"));
  EXPECT_THAT(refused.message(), HasSubstr("a smaller hidden_dimension or embedding_dimension"));
}

TEST_F(Estimate, ReadsNothingWhereTheBoundsSettleIt) {
  source_.told = SourceBounds{3'000, 50, 101};
  EXPECT_TRUE(check(uint64_t{1} << 30).is_ok());
  EXPECT_EQ(source_.scans, 0);
}

TEST_F(Estimate, CountsWhereTheBoundsAreTooWide) {
  source_.told = SourceBounds{3'000'000'000, 3'000'000'000, 3'000'000'000};
  EXPECT_TRUE(check(uint64_t{1} << 30).is_ok());
  EXPECT_EQ(source_.scans, 1);
}

TEST_F(Estimate, TrainingRefusesBeforeThereIsAVersion) {
  class Host : public TrainingHost {
   public:
    bool stop() override { return false; }
    void row(std::string_view, const LogRow&) override {}
  } host;
  const TemporaryDirectory directory(TemporaryDirectory::Place::kMemory);
  const auto store = ModelStore::open(directory / "store", "0f6e8a12-0000-4000-8000-000000000001",
                                      OpenMode::kCreate, "");
  ASSERT_TRUE(store.is_ok());
  TrainingOptions options;
  options.max_memory = 1'000'000;
  const auto version = train(solution("markov"), options, source_, **store, host);
  ASSERT_FALSE(version.is_ok());
  EXPECT_EQ(version.status().code(), StatusCode::kLimitExceeded);
  const auto versions = (*store)->list(StoreKind::kVersion, "");
  ASSERT_TRUE(versions.is_ok());
  EXPECT_TRUE(versions->empty());
  options.max_memory = 1'000'000'000;
  const auto first = train(solution("markov"), options, source_, **store, host);
  ASSERT_TRUE(first.is_ok()) << first.status().message();
  EXPECT_EQ(first->number, 1);
}

}  // namespace
}  // namespace personalize
