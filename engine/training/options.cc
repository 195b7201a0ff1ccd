// What a training is told: its options, and the solution it trains.
#include "engine/training/options.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/json_text.h"
#include "engine/training/search_plan.h"

namespace personalize {
namespace {

using Json = nlohmann::json;

constexpr int kMostThreads = 16;
constexpr int kMostSeeds = 20;
constexpr std::string_view kOptionNames =
    "seed, seeds, training_mode, evaluation, final_fit, budget_seconds, threads, tie_order";

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

std::string shown(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status wrong(std::string_view name, const Json& value, std::string_view right) {
  return invalid(fmt::format("option '{}' is {}; it must be {}", name, shown(value), right));
}

// An integer in 0 .. maximum, or nothing.
std::optional<uint64_t> integer(const Json& value, uint64_t maximum) {
  if (value.is_number_unsigned() && value.get<uint64_t>() <= maximum) return value.get<uint64_t>();
  return std::nullopt;
}

// The enum value whose text `value` is, or nothing.
template <typename Enum>
std::optional<Enum> choice(const Json& value,
                           std::initializer_list<std::pair<std::string_view, Enum>> choices) {
  if (value.is_string())
    for (const auto& [text, result] : choices)
      if (value.get_ref<const std::string&>() == text) return result;
  return std::nullopt;
}

Status set_option(TrainingOptions& options, const std::string& name, const Json& value) {
  if (name == "seed") {
    const auto seed = integer(value, std::numeric_limits<int64_t>::max());
    if (!seed) return wrong(name, value, "an integer from 0 to 9223372036854775807");
    options.seed = *seed;
  } else if (name == "seeds") {
    const auto seeds = integer(value, kMostSeeds);
    if (!seeds || *seeds == 0)
      return wrong(name, value, fmt::format("an integer from 1 to {}", kMostSeeds));
    options.seeds = static_cast<int>(*seeds);
  } else if (name == "training_mode") {
    const auto mode = choice<TrainingMode>(
        value, {{"FULL", TrainingMode::kFull}, {"UPDATE", TrainingMode::kUpdate}});
    if (!mode) return wrong(name, value, "\"FULL\" or \"UPDATE\"");
    options.mode = *mode;
  } else if (name == "evaluation") {
    const auto evaluation =
        choice<Evaluation>(value, {{"amazon", Evaluation::kAmazon},
                                   {"leave-one-out", Evaluation::kLeaveOneOut},
                                   {"leave-last-two-out", Evaluation::kLeaveLastTwoOut},
                                   {"temporal-holdout", Evaluation::kTemporalHoldout},
                                   {"none", Evaluation::kNone}});
    if (!evaluation) {
      return wrong(name, value,
                   "\"amazon\", \"leave-one-out\", \"leave-last-two-out\", "
                   "\"temporal-holdout\" or \"none\"");
    }
    options.evaluation = *evaluation;
  } else if (name == "final_fit") {
    const bool one_or_zero = value == 1 || value == 0;  // SQL has no other booleans
    if (!value.is_boolean() && !one_or_zero) return wrong(name, value, "true or false");
    options.final_fit = value.is_boolean() ? value.get<bool>() : value == 1;
  } else if (name == "budget_seconds") {
    if (!value.is_number() || !(value.get<double>() >= 0))
      return wrong(name, value, "a number of seconds, 0 or more (0: no limit)");
    options.budget_seconds = value.get<double>();
  } else if (name == "threads") {
    const auto threads = integer(value, kMostThreads);
    if (!threads)
      return wrong(name, value, fmt::format("an integer from 0 (one a core) to {}", kMostThreads));
    options.threads = static_cast<int>(*threads);
  } else if (name == "tie_order") {
    const auto order = choice<TieOrder>(value, {{"auto", TieOrder::kAuto},
                                                {"arrival", TieOrder::kArrival},
                                                {"shuffled", TieOrder::kShuffled}});
    if (!order) return wrong(name, value, "\"auto\", \"arrival\" or \"shuffled\"");
    options.tie_order = *order;
  } else {
    return invalid(fmt::format("option '{}' is unknown; there are: {}", name, kOptionNames));
  }
  return Status::ok();
}

}  // namespace

Result<TrainingOptions> TrainingOptions::parse(std::string_view json) {
  TrainingOptions options;
  if (json.empty()) return options;
  const Json object = parse_json(json);
  if (!object.is_object()) {
    return invalid(fmt::format(
        "options must be a JSON object such as {{\"seed\": 1}}, not '{}'; there are: {}",
        json.substr(0, 200), kOptionNames));
  }
  for (const auto& [name, value] : object.items())
    PERSONALIZE_RETURN_IF_ERROR(set_option(options, name, value));
  return options;
}

Result<Hyperparameters> solution_hyperparameters(const Solution& solution, const Recipe& recipe) {
  if (solution.feature_transformation.empty())
    return Hyperparameters::parse(solution.hyperparameters, recipe.hyperparameters());
  const Json transformation = parse_json(solution.feature_transformation);
  if (!transformation.is_object()) {
    return invalid(
        fmt::format("feature_transformation must be a JSON object such as "
                    "{{\"max_user_history_length_percentile\": 0.99}}, not '{}'",
                    std::string_view(solution.feature_transformation).substr(0, 200)));
  }
  Json all =
      solution.hyperparameters.empty() ? Json::object() : parse_json(solution.hyperparameters);
  if (!all.is_object())
    return Hyperparameters::parse(solution.hyperparameters, recipe.hyperparameters());
  all.update(transformation);
  return Hyperparameters::parse(shown(all), recipe.hyperparameters());
}

Status check_solution(const Solution& solution) { return search_plan(solution).status(); }

std::string_view evaluation_name(Evaluation evaluation) {
  switch (evaluation) {
    case Evaluation::kAmazon:
      return "amazon";
    case Evaluation::kLeaveOneOut:
      return "leave-one-out";
    case Evaluation::kLeaveLastTwoOut:
      return "leave-last-two-out";
    case Evaluation::kTemporalHoldout:
      return "temporal-holdout";
    case Evaluation::kNone:
      break;
  }
  return "none";
}

}  // namespace personalize
