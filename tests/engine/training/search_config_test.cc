#include "engine/training/search_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/training/metrics.h"

namespace personalize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SearchConfig parsed(std::string_view json) {
  const auto config = parse_search_config(json);
  EXPECT_TRUE(config.is_ok()) << config.status().message();
  return config.is_ok() ? *config : SearchConfig();
}

std::string refusal(std::string_view json) {
  const auto config = parse_search_config(json);
  EXPECT_FALSE(config.is_ok()) << json;
  if (config.is_ok()) return "";
  EXPECT_EQ(config.status().code(), StatusCode::kInvalidInput);
  return config.status().message();
}

std::string ranges(std::string_view kind, std::string_view entry) {
  return R"({"algorithmHyperParameterRanges": {")" + std::string(kind) +
         R"(HyperParameterRanges": [)" + std::string(entry) + "]}}";
}

TEST(SearchConfig, ReadsWhatAmazonsApiSends) {
  const SearchConfig config = parsed(R"({
    "algorithmHyperParameterRanges": {
      "integerHyperParameterRanges": [{"name": "hidden_dimension", "minValue": 64, "maxValue": 128}],
      "continuousHyperParameterRanges": [{"name": "dropout", "minValue": 0, "maxValue": 0.5}],
      "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["true", "false"]}]},
    "hpoResourceConfig": {"maxNumberOfTrainingJobs": "12", "maxParallelTrainingJobs": "10"},
    "hpoObjective": {"metricName": "precision_at_10", "metricRegex": "", "type": "Maximize"}})");
  ASSERT_EQ(config.ranges.size(), 3U);
  EXPECT_EQ(config.ranges[0].name, "hidden_dimension");
  EXPECT_EQ(config.ranges[0].kind, SearchRange::Kind::kInteger);
  EXPECT_EQ(config.ranges[0].minimum, 64);
  EXPECT_EQ(config.ranges[0].maximum, 128);
  EXPECT_EQ(config.ranges[1].kind, SearchRange::Kind::kContinuous);
  EXPECT_EQ(config.ranges[1].maximum, 0.5);
  EXPECT_THAT(config.ranges[2].values, ElementsAre("true", "false"));
  EXPECT_EQ(config.jobs, 12);
  EXPECT_EQ(config.objective.name(), "precision_at_10");
  EXPECT_FALSE(config.objective.minimize);
}

TEST(SearchConfig, UnderstandsSnakeCaseAndValuesThatAreNoTexts) {
  const SearchConfig config = parsed(R"({
    "algorithm_hyper_parameter_ranges": {
      "integer_hyper_parameter_ranges": [{"name": "bptt", "min_value": "8", "max_value": 16.0}],
      "categorical_hyper_parameter_ranges": [{"name": "recency_mask", "values": [true, 0.5]}]},
    "hpo_resource_config": {"max_number_of_training_jobs": 40},
    "hpo_objective": {"type": "minimize"},
    "auto_ml_config": {"metric_name": "coverage", "recipe_list": ["aws-hrnn"]}})");
  EXPECT_EQ(config.ranges[0].minimum, 8);
  EXPECT_EQ(config.ranges[0].maximum, 16);
  EXPECT_THAT(config.ranges[1].values, ElementsAre("true", "0.5"));
  EXPECT_EQ(config.jobs, 40);
  EXPECT_EQ(config.objective.name(), "coverage");
  EXPECT_TRUE(config.objective.minimize);
  EXPECT_THAT(config.recipes, ElementsAre("aws-hrnn"));
}

TEST(SearchConfig, NeedsNothing) {
  for (const std::string_view json : {"", "{}"}) {
    const SearchConfig config = parsed(json);
    EXPECT_TRUE(config.ranges.empty());
    EXPECT_EQ(config.jobs, kDefaultTrainingJobs);
    EXPECT_EQ(config.objective.name(), "normalized_discounted_cumulative_gain_at_25");
  }
}

TEST(SearchConfig, SaysWhatIsWrongWithTheWhole) {
  EXPECT_EQ(refusal("[]"),
            "hpo_config: it must be a JSON object of: algorithmHyperParameterRanges, "
            "hpoResourceConfig, hpoObjective, autoMLConfig; it is '[]'");
  EXPECT_THAT(refusal(R"({"ranges": {}})"), HasSubstr("it has no 'ranges'; there are: algo"));
  EXPECT_THAT(
      refusal(R"({"hpoResourceConfig": 8})"),
      HasSubstr("hpoResourceConfig is 8; it must be an object of: maxNumberOfTrainingJobs"));
}

TEST(SearchConfig, SaysHowManyJobsThereMayBe) {
  const auto jobs = [](const std::string& value) {
    return refusal(R"({"hpoResourceConfig": {"maxNumberOfTrainingJobs": )" + value + "}}");
  };
  EXPECT_EQ(jobs("10000"),
            "hpo_config: hpoResourceConfig.maxNumberOfTrainingJobs is 10000; it must be an integer "
            "from 1 to 40");
  for (const std::string value : {"0", "-1", "41", "2.5", "\"many\"", "null", "[]", "1e300"})
    EXPECT_THAT(jobs(value), HasSubstr("must be an integer from 1 to 40")) << value;
  EXPECT_THAT(refusal(R"({"hpoResourceConfig": {"maxParallelTrainingJobs": 11}})"),
              HasSubstr("maxParallelTrainingJobs is 11; it must be an integer from 1 to 10"));
}

TEST(SearchConfig, SaysWhichMetricsThereAre) {
  const auto metric = [](const std::string& value) {
    return refusal(R"({"hpoObjective": {"metricName": )" + value + "}}");
  };
  for (const std::string value :
       {"\"accuracy\"", "\"precision\"", "\"precision_at_7\"", "\"coverage_at_5\"",
        "\"mean_reciprocal_rank_at_5\"", "5", "null"})
    EXPECT_THAT(metric(value), HasSubstr("hpoObjective.metricName is " + value +
                                         "; there are: coverage, mean_reciprocal_rank_at_25, "))
        << value;
  EXPECT_THAT(refusal(R"({"autoMLConfig": {"metricName": "x"}})"),
              HasSubstr("autoMLConfig.metricName is \"x\""));
  EXPECT_THAT(refusal(R"({"hpoObjective": {"type": "Best"}})"),
              HasSubstr("type is \"Best\"; it must be \"Maximize\" or \"Minimize\""));
}

TEST(SearchConfig, SaysWhatIsWrongWithARange) {
  EXPECT_EQ(refusal(ranges("integer", R"({"name": "bptt", "minValue": 9, "maxValue": 8})")),
            "hpo_config: 'bptt': minValue is 9, above maxValue, which is 8");
  EXPECT_EQ(refusal(ranges("integer", R"({"name": "bptt", "minValue": 2.5, "maxValue": 8})")),
            "hpo_config: 'bptt': minValue is 2.5; it must be an integer");
  EXPECT_EQ(refusal(ranges("continuous", R"({"name": "dropout", "minValue": 0})")),
            "hpo_config: 'dropout': maxValue is missing; it must be a number");
  EXPECT_EQ(
      refusal(ranges("continuous", R"({"name": "dropout", "minValue": "low", "maxValue": 1})")),
      "hpo_config: 'dropout': minValue is \"low\"; it must be a number");
  EXPECT_EQ(refusal(ranges("categorical", R"({"name": "recency_mask", "values": []})")),
            "hpo_config: 'recency_mask': values is []; it must be a list of at least one text");
  EXPECT_THAT(refusal(ranges("categorical", R"({"name": "recency_mask"})")),
              HasSubstr("'recency_mask': values is missing"));
  EXPECT_THAT(refusal(ranges("integer", R"({"minValue": 1, "maxValue": 8})")),
              HasSubstr("integerHyperParameterRanges: the name of "));
  EXPECT_THAT(refusal(ranges("integer", R"({"name": "bptt", "values": [1]})")),
              HasSubstr("has no 'values'; there are: name, minValue, maxValue"));
  EXPECT_THAT(refusal(ranges("integer", "7")), HasSubstr("integerHyperParameterRanges is 7"));
  EXPECT_THAT(refusal(ranges("integer", R"({"name": "a", "minValue": 1, "maxValue": 2},
                                           {"name": "a", "minValue": 1, "maxValue": 2})")),
              HasSubstr("'a' has two ranges"));
  EXPECT_THAT(refusal(ranges("integer", "")), HasSubstr("names no hyperparameter"));
  EXPECT_THAT(refusal(R"({"algorithmHyperParameterRanges": {"integerHyperParameterRanges": {}}})"),
              HasSubstr("integerHyperParameterRanges is {}; it must be a list"));
}

TEST(SearchObjective, FindsItsMetricWhereTheHistoryStays) {
  const auto row = [](std::string_view metric, int k, double value, std::string_view seen) {
    MetricRow result;
    result.metric = metric;
    result.k = k;
    result.value = value;
    result.seen = seen;
    return result;
  };
  const std::vector<MetricRow> metrics = {
      row(kCoverage, 0, 0.9, kSeenIncluded), row(kPrecision, 5, 0.1, kSeenIncluded),
      row(kPrecision, 10, 0.2, kSeenExcluded), row(kPrecision, 10, 0.3, kSeenIncluded)};
  EXPECT_EQ((SearchObjective{"precision", 10}.of(metrics)), 0.3);
  EXPECT_EQ((SearchObjective{"coverage", 0}.of(metrics)), 0.9);
  EXPECT_TRUE(std::isnan(SearchObjective{"precision", 25}.of(metrics)));
}

TEST(SearchObjective, PrefersAnythingToNoValue) {
  const SearchObjective most{"precision", 5, false}, least{"precision", 5, true};
  EXPECT_TRUE(most.better(0.2, 0.1));
  EXPECT_FALSE(most.better(0.1, 0.1));
  EXPECT_TRUE(least.better(0.1, 0.2));
  EXPECT_FALSE(least.better(0.2, 0.1));
  const double none = std::nan("");
  for (const auto& objective : {most, least}) {
    EXPECT_TRUE(objective.better(0, none));
    EXPECT_FALSE(objective.better(none, 0));
    EXPECT_FALSE(objective.better(none, none));
  }
}

}  // namespace
}  // namespace personalize
