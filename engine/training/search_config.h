// What a solution's hpo_config says, as Amazon Personalize's API has it:
//
//   {"algorithmHyperParameterRanges": {
//      "integerHyperParameterRanges": [{"name": "hidden_dimension", "minValue": 64, "maxValue":
//      256}], "continuousHyperParameterRanges": [{"name": "dropout", "minValue": 0.1, "maxValue":
//      0.5}], "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["true",
//      "false"]}]},
//    "hpoResourceConfig": {"maxNumberOfTrainingJobs": "8", "maxParallelTrainingJobs": "1"},
//    "hpoObjective": {"metricName": "precision_at_25", "type": "Maximize"},
//    "autoMLConfig": {"metricName": "precision_at_25", "recipeList": ["aws-hrnn", "markov"]}}
//
// Everything may be left out. Keys are understood in snake_case too, numbers as texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "engine/store/records.h"

namespace personalize {

inline constexpr int kDefaultTrainingJobs = 8;
inline constexpr int kMostTrainingJobs = 40;  // Amazon's limit

// Values of one hyperparameter to draw from.
struct SearchRange {
  enum class Kind { kInteger, kContinuous, kCategorical };
  std::string name;
  Kind kind = Kind::kContinuous;
  double minimum = 0, maximum = 0;  // inclusive; not of a categorical range
  std::vector<std::string> values;  // of a categorical range, as texts
};

// What the search is for: a metric with items of the history left in the ranking, Amazon's way.
struct SearchObjective {
  std::string metric = "normalized_discounted_cumulative_gain";  // as in MetricRow
  int k = 25;
  bool minimize = false;

  // Amazon's key: "normalized_discounted_cumulative_gain_at_25".
  std::string name() const;
  // Its value among `metrics`; NaN if it is not there.
  double of(const std::vector<MetricRow>& metrics) const;
  // Whether `value` is better than `other`; anything is better than NaN.
  bool better(double value, double other) const;
};

struct SearchConfig {
  std::vector<SearchRange> ranges;  // none: whatever can be tuned, over its whole range
  int jobs = kDefaultTrainingJobs;
  SearchObjective objective;
  std::vector<std::string> recipes;  // of AutoML; none: the usual ones
};

// Errors: kInvalidInput beginning with "hpo_config", naming the key and its value, and what would
// be right. Whether a recipe has such hyperparameters is for search_plan() to say.
Result<SearchConfig> parse_search_config(std::string_view json);

}  // namespace personalize
