#include "engine/training/search_config.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/json_text.h"
#include "engine/training/metrics.h"

namespace personalize {
namespace {

using Json = nlohmann::json;

constexpr int kMostParallelJobs = 10;  // Amazon's limit
constexpr std::string_view kMetricNames =
    "coverage, mean_reciprocal_rank_at_25, normalized_discounted_cumulative_gain_at_K, "
    "precision_at_K, hit_rate_at_K, where K is 5, 10 or 25";

Status invalid(std::string message) {
  return {StatusCode::kInvalidInput, "hpo_config: " + std::move(message)};
}

std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 200 ? text : text.substr(0, 200) + "...";
}

// Keys are equal in camelCase and snake_case.
std::string plain(std::string_view key) {
  std::string result;
  for (const char c : key)
    if (c != '_') result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// The fields of a JSON object, each of which has one of the known keys.
class Fields {
 public:
  // `keys`: in camelCase, joined by ", ".
  static Result<Fields> of(const Json& json, std::string_view what, std::string_view keys) {
    if (!json.is_object())
      return invalid(fmt::format("{} is {}; it must be an object of: {}", what, shown(json), keys));
    Fields fields;
    for (const auto& [key, value] : json.items()) {
      const std::string name = plain(key);
      if (!known(keys, name))
        return invalid(fmt::format("{} has no '{}'; there are: {}", what, key, keys));
      fields.values_.emplace_back(name, &value);
    }
    return fields;
  }
  // Null if it is not there.
  const Json* find(std::string_view key) const {
    const std::string name = plain(key);
    for (const auto& [there, value] : values_)
      if (there == name) return value;
    return nullptr;
  }

 private:
  static bool known(std::string_view keys, const std::string& name) {
    return fmt::format(", {},", plain(keys)).find(fmt::format(", {},", name)) != std::string::npos;
  }
  std::vector<std::pair<std::string, const Json*>> values_;
};

std::optional<double> number(const Json* json) {
  if (json == nullptr) return std::nullopt;
  if (json->is_number() && std::isfinite(json->get<double>())) return json->get<double>();
  if (!json->is_string()) return std::nullopt;
  const auto& text = json->get_ref<const std::string&>();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// An integer from 1 to `most`, if it is there.
Result<std::optional<int>> jobs(const Fields& fields, std::string_view key, int most) {
  const Json* json = fields.find(key);
  if (json == nullptr) return std::optional<int>();
  const std::optional<double> value = number(json);
  if (!value || *value != std::floor(*value) || *value < 1 || *value > most)
    return invalid(fmt::format("hpoResourceConfig.{} is {}; it must be an integer from 1 to {}",
                               key, shown(*json), most));
  return std::optional<int>(static_cast<int>(*value));
}

Status read_metric(const Json* json, std::string_view where, SearchObjective& objective) {
  if (json == nullptr) return Status::ok();
  const std::string name = json->is_string() ? json->get<std::string>() : "";
  for (const std::string_view metric :
       {kNdcg, kPrecision, kHitRate, kMeanReciprocalRank, kCoverage})
    for (const int k : {0, 5, 10, 25}) {
      const bool exists = metric == kCoverage             ? k == 0
                          : metric == kMeanReciprocalRank ? k == kLastReciprocalRank
                                                          : k > 0;
      SearchObjective candidate = objective;
      candidate.metric = metric;
      candidate.k = k;
      if (!exists || candidate.name() != name) continue;
      objective = std::move(candidate);
      return Status::ok();
    }
  return invalid(
      fmt::format("{}.metricName is {}; there are: {}", where, shown(*json), kMetricNames));
}

Status read_objective(const Json& json, SearchObjective& objective) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Fields fields,
                               Fields::of(json, "hpoObjective", "metricName, metricRegex, type"));
  PERSONALIZE_RETURN_IF_ERROR(read_metric(fields.find("metricName"), "hpoObjective", objective));
  const Json* type = fields.find("type");
  if (type == nullptr) return Status::ok();
  const std::string text = type->is_string() ? plain(type->get_ref<const std::string&>()) : "";
  if (text != "maximize" && text != "minimize")
    return invalid(fmt::format("hpoObjective.type is {}; it must be \"Maximize\" or \"Minimize\"",
                               shown(*type)));
  objective.minimize = text == "minimize";
  return Status::ok();
}

// The texts of a list that is not empty.
Result<std::vector<std::string>> texts(const Json* json, std::string_view what) {
  const auto refuse = [&] {
    return invalid(fmt::format("{} is {}; it must be a list of at least one text", what,
                               json == nullptr ? "missing" : shown(*json)));
  };
  if (json == nullptr || !json->is_array() || json->empty()) return refuse();
  std::vector<std::string> result;
  for (const Json& value : *json) {
    if (!value.is_string() && !value.is_boolean() && !value.is_number()) return refuse();
    result.push_back(value.is_string() ? value.get<std::string>() : shown(value));
  }
  return result;
}

Result<SearchRange> read_range(const Json& json, std::string_view list, SearchRange::Kind kind) {
  const bool categorical = kind == SearchRange::Kind::kCategorical;
  PERSONALIZE_ASSIGN_OR_RETURN(
      const Fields fields,
      Fields::of(json, list, categorical ? "name, values" : "name, minValue, maxValue"));
  SearchRange range;
  range.kind = kind;
  const Json* name = fields.find("name");
  if (name == nullptr || !name->is_string())
    return invalid(fmt::format("{}: the name of {} is no text", list, shown(json)));
  range.name = name->get<std::string>();
  if (categorical) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        range.values, texts(fields.find("values"), fmt::format("'{}': values", range.name)));
    return range;
  }
  for (const auto& [key, value] :
       {std::pair{"minValue", &range.minimum}, {"maxValue", &range.maximum}}) {
    const std::optional<double> bound = number(fields.find(key));
    const bool whole = bound && *bound == std::floor(*bound);
    if (!bound || (kind == SearchRange::Kind::kInteger && !whole))
      return invalid(fmt::format("'{}': {} is {}; it must be {}", range.name, key,
                                 fields.find(key) == nullptr ? "missing" : shown(*fields.find(key)),
                                 kind == SearchRange::Kind::kInteger ? "an integer" : "a number"));
    *value = *bound;
  }
  if (range.minimum > range.maximum)
    return invalid(fmt::format("'{}': minValue is {}, above maxValue, which is {}", range.name,
                               range.minimum, range.maximum));
  return range;
}

Status read_ranges(const Json& json, std::vector<SearchRange>& ranges) {
  constexpr std::string_view kWhat = "algorithmHyperParameterRanges";
  using Kind = SearchRange::Kind;
  constexpr std::pair<std::string_view, Kind> kLists[] = {
      {"integerHyperParameterRanges", Kind::kInteger},
      {"continuousHyperParameterRanges", Kind::kContinuous},
      {"categoricalHyperParameterRanges", Kind::kCategorical}};
  PERSONALIZE_ASSIGN_OR_RETURN(
      const Fields fields,
      Fields::of(json, kWhat,
                 "integerHyperParameterRanges, continuousHyperParameterRanges, "
                 "categoricalHyperParameterRanges"));
  for (const auto& [key, kind] : kLists) {
    const Json* list = fields.find(key);
    if (list == nullptr) continue;
    if (!list->is_array())
      return invalid(fmt::format("{} is {}; it must be a list", key, shown(*list)));
    for (const Json& entry : *list) {
      PERSONALIZE_ASSIGN_OR_RETURN(SearchRange range, read_range(entry, key, kind));
      for (const SearchRange& other : ranges)
        if (other.name == range.name)
          return invalid(fmt::format("'{}' has two ranges", range.name));
      ranges.push_back(std::move(range));
    }
  }
  if (!ranges.empty()) return Status::ok();
  return invalid(
      fmt::format("{} names no hyperparameter; leave it out to tune whatever can be "
                  "tuned",
                  kWhat));
}

}  // namespace

std::string SearchObjective::name() const {
  return k == 0 ? metric : fmt::format("{}_at_{}", metric, k);
}

double SearchObjective::of(const std::vector<MetricRow>& metrics) const {
  for (const MetricRow& row : metrics)
    if (row.metric == metric && row.k == k && row.seen == kSeenIncluded) return row.value;
  return std::numeric_limits<double>::quiet_NaN();
}

bool SearchObjective::better(double value, double other) const {
  if (std::isnan(value) || std::isnan(other)) return !std::isnan(value);
  return minimize ? value < other : value > other;
}

Result<SearchConfig> parse_search_config(std::string_view json) {
  SearchConfig config;
  if (json.empty()) return config;
  const Json object = parse_json(json);
  constexpr std::string_view kKeys =
      "algorithmHyperParameterRanges, hpoResourceConfig, hpoObjective, autoMLConfig";
  if (!object.is_object())
    return invalid(
        fmt::format("it must be a JSON object of: {}; it is '{}'", kKeys, json.substr(0, 200)));
  PERSONALIZE_ASSIGN_OR_RETURN(const Fields fields, Fields::of(object, "it", kKeys));
  if (const Json* auto_ml = fields.find("autoMLConfig")) {
    PERSONALIZE_ASSIGN_OR_RETURN(const Fields inner,
                                 Fields::of(*auto_ml, "autoMLConfig", "metricName, recipeList"));
    PERSONALIZE_RETURN_IF_ERROR(
        read_metric(inner.find("metricName"), "autoMLConfig", config.objective));
    if (const Json* list = inner.find("recipeList")) {
      PERSONALIZE_ASSIGN_OR_RETURN(config.recipes, texts(list, "autoMLConfig.recipeList"));
    }
  }
  if (const Json* objective = fields.find("hpoObjective"))
    PERSONALIZE_RETURN_IF_ERROR(read_objective(*objective, config.objective));
  if (const Json* resources = fields.find("hpoResourceConfig")) {
    PERSONALIZE_ASSIGN_OR_RETURN(const Fields inner,
                                 Fields::of(*resources, "hpoResourceConfig",
                                            "maxNumberOfTrainingJobs, maxParallelTrainingJobs"));
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<int> number,
                                 jobs(inner, "maxNumberOfTrainingJobs", kMostTrainingJobs));
    config.jobs = number.value_or(kDefaultTrainingJobs);
    // Checked, and otherwise without effect: one job has all cores.
    PERSONALIZE_RETURN_IF_ERROR(jobs(inner, "maxParallelTrainingJobs", kMostParallelJobs).status());
  }
  if (const Json* ranges = fields.find("algorithmHyperParameterRanges"))
    PERSONALIZE_RETURN_IF_ERROR(read_ranges(*ranges, config.ranges));
  return config;
}

}  // namespace personalize
