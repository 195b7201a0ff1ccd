#include "engine/training/search_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/json_text.h"
#include "engine/training/options.h"

namespace personalize {
namespace {

using Json = nlohmann::json;
using Kind = HyperparameterSpec::Kind;

// The cheapest first: it is taken where others are no better.
constexpr std::string_view kAutoMlRecipes[] = {"markov", "hrnn", "hrnn-metadata", "hrnn-coldstart"};

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

const HyperparameterSpec* find_spec(const Recipe& recipe, std::string_view name) {
  for (const HyperparameterSpec& spec : recipe.hyperparameters())
    if (spec.name == name) return &spec;
  return nullptr;
}

// What can be tuned, with its ranges.
std::string tunable_ones(const Recipe& recipe) {
  std::string all;
  for (const HyperparameterSpec& spec : recipe.hyperparameters()) {
    if (!spec.tunable) continue;
    if (!all.empty()) all += ", ";
    all += spec.name;
    if (spec.kind == Kind::kInteger || spec.kind == Kind::kReal)
      all += fmt::format(" ({} to {})", spec.minimum, spec.maximum);
  }
  return all;
}

SearchRange whole_range(const HyperparameterSpec& spec) {
  SearchRange range;
  range.name = spec.name;
  range.minimum = spec.minimum;
  range.maximum = spec.maximum;
  switch (spec.kind) {
    case Kind::kInteger:
      range.kind = SearchRange::Kind::kInteger;
      break;
    case Kind::kReal:
      range.kind = SearchRange::Kind::kContinuous;
      break;
    case Kind::kBoolean:
      range.kind = SearchRange::Kind::kCategorical;
      range.values = {"true", "false"};
      break;
    case Kind::kText:
      range.kind = SearchRange::Kind::kCategorical;
      range.values = spec.choices;
      break;
  }
  return range;
}

// `range` as `spec` understands it.
Result<SearchRange> fitting(SearchRange range, const HyperparameterSpec& spec) {
  if (range.kind == SearchRange::Kind::kCategorical) {
    for (std::string& value : range.values) {
      const auto parsed = Hyperparameters::parse(
          Json{{spec.name, value}}.dump(-1, ' ', false, Json::error_handler_t::replace),
          std::span(&spec, 1));
      if (!parsed.is_ok()) return invalid("hpo_config: " + parsed.status().message());
      value = parsed->text(spec.name);
    }
    return range;
  }
  if (spec.kind != Kind::kInteger && spec.kind != Kind::kReal)
    return invalid(
        fmt::format("hpo_config: '{}' is no number; it belongs into "
                    "categoricalHyperParameterRanges",
                    spec.name));
  const bool integer = range.kind == SearchRange::Kind::kInteger;
  if (integer != (spec.kind == Kind::kInteger))
    return invalid(fmt::format(
        "hpo_config: '{}' is {} integer; it belongs into {}", spec.name, integer ? "no" : "an",
        integer ? "continuousHyperParameterRanges" : "integerHyperParameterRanges"));
  if (range.minimum < spec.minimum || range.maximum > spec.maximum)
    return invalid(fmt::format("hpo_config: '{}' from {} to {} leaves its range, which is {} to {}",
                               spec.name, range.minimum, range.maximum, spec.minimum,
                               spec.maximum));
  return range;
}

// The names that the solution gives values itself.
std::vector<std::string> named_ones(const Solution& solution) {
  std::vector<std::string> names;
  for (const std::string& text : {solution.hyperparameters, solution.feature_transformation}) {
    const Json json = parse_json(text);
    if (!json.is_object()) continue;
    for (const auto& [name, value] : json.items()) names.push_back(name);
  }
  return names;
}

// What `config` asks for where the candidate has it; without ranges whatever can be tuned, but for
// what the solution gives a value itself.
Status set_ranges(const SearchConfig& config, const Solution& solution,
                  SearchCandidate& candidate) {
  const Recipe& recipe = *candidate.recipe;
  for (const SearchRange& range : config.ranges) {
    const HyperparameterSpec* spec = find_spec(recipe, range.name);
    if (spec == nullptr || !spec->tunable) continue;
    PERSONALIZE_ASSIGN_OR_RETURN(SearchRange fit, fitting(range, *spec));
    candidate.ranges.push_back(std::move(fit));
  }
  if (!config.ranges.empty()) return Status::ok();
  const std::vector<std::string> named = named_ones(solution);
  for (const HyperparameterSpec& spec : recipe.hyperparameters())
    if (spec.tunable && std::find(named.begin(), named.end(), spec.name) == named.end())
      candidate.ranges.push_back(whole_range(spec));
  return Status::ok();
}

// Every range must be of something that a candidate can tune, and there must be something to tune.
Status check_ranges(const SearchConfig& config, const std::vector<SearchCandidate>& candidates) {
  const Recipe& first = *candidates.back().recipe;
  const bool several = candidates.size() > 1;
  const auto tunes = [](const SearchCandidate& candidate, std::string_view name) {
    const HyperparameterSpec* spec = find_spec(*candidate.recipe, name);
    return spec != nullptr && spec->tunable;
  };
  const std::string ones = tunable_ones(first);
  if (ones.empty() && !several)
    return invalid(fmt::format("perform_hpo = 1: {} has no hyperparameters to tune; set it to 0",
                               first.name()));
  for (const SearchRange& range : config.ranges) {
    if (std::any_of(candidates.begin(), candidates.end(),
                    [&](const auto& candidate) { return tunes(candidate, range.name); }))
      continue;
    std::string all;
    for (const SearchCandidate& candidate : candidates)
      all += fmt::format("{}{} tunes: {}", all.empty() ? "" : "; ", candidate.recipe->name(),
                         tunable_ones(*candidate.recipe));
    return invalid(fmt::format("hpo_config: '{}' is no hyperparameter that can be tuned; {}",
                               range.name, all));
  }
  if (several || !candidates.front().ranges.empty()) return Status::ok();
  return invalid(fmt::format(
      "perform_hpo = 1: the solution gives all that could be tuned a value itself ({}); leave some "
      "to the search, or give their ranges in hpo_config",
      ones));
}

// The members of the JSON object `json` whose names `recipe` knows; what is no object as it is.
std::string known_to(const Recipe& recipe, const std::string& json) {
  Json object = parse_json(json);
  if (!object.is_object()) return json;
  for (auto member = object.begin(); member != object.end();)
    member = find_spec(recipe, member.key()) == nullptr ? object.erase(member) : std::next(member);
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The recipes that AutoML chooses from, each with those of the solution's hyperparameters it knows.
Result<std::vector<SearchCandidate>> auto_ml_candidates(const Solution& solution,
                                                        const SearchConfig& config) {
  std::vector<const Recipe*> recipes;
  if (config.recipes.empty()) {
    for (const std::string_view name : kAutoMlRecipes)
      for (const Recipe* recipe : all_recipes())
        if (recipe->name() == name) recipes.push_back(recipe);
  }
  for (const std::string& name : config.recipes) {
    const auto recipe = find_recipe(name);
    if (!recipe.is_ok())
      return Status(recipe.status().code(),
                    "hpo_config: autoMLConfig.recipeList: " + recipe.status().message());
    if ((*recipe)->type() != RecipeType::kUserPersonalization)
      return invalid(
          fmt::format("hpo_config: autoMLConfig.recipeList: {} is no recipe of type "
                      "USER_PERSONALIZATION, which alone can be compared",
                      (*recipe)->name()));
    if (std::find(recipes.begin(), recipes.end(), *recipe) == recipes.end())
      recipes.push_back(*recipe);
  }
  std::vector<SearchCandidate> candidates;
  for (const std::string& name : named_ones(solution)) {
    if (std::any_of(recipes.begin(), recipes.end(),
                    [&](const Recipe* recipe) { return find_spec(*recipe, name) != nullptr; }))
      continue;
    return invalid(
        fmt::format("hyperparameter '{}' is unknown to the recipes that perform_automl "
                    "tries",
                    name));
  }
  for (const Recipe* recipe : recipes) {
    Solution known = solution;
    known.hyperparameters = known_to(*recipe, solution.hyperparameters);
    known.feature_transformation = known_to(*recipe, solution.feature_transformation);
    PERSONALIZE_ASSIGN_OR_RETURN(Hyperparameters hyperparameters,
                                 solution_hyperparameters(known, *recipe));
    candidates.push_back({recipe, std::move(hyperparameters), {}});
  }
  return candidates;
}

}  // namespace

Result<SearchPlan> search_plan(const Solution& solution) {
  SearchConfig config;
  if (solution.perform_automl || solution.perform_hpo) {
    PERSONALIZE_ASSIGN_OR_RETURN(config, parse_search_config(solution.hpo_config));
  }
  SearchPlan plan;
  plan.objective = config.objective;
  if (solution.perform_automl) {
    if (!solution.recipe.empty())
      return invalid(
          fmt::format("perform_automl = 1 chooses the recipe itself: leave recipe out "
                      "(it is '{}')",
                      solution.recipe));
    PERSONALIZE_ASSIGN_OR_RETURN(plan.candidates, auto_ml_candidates(solution, config));
  } else {
    if (!config.recipes.empty())
      return invalid("hpo_config: autoMLConfig is for perform_automl = 1");
    const auto found = find_recipe(solution.recipe);
    if (solution.recipe.empty())
      return Status(found.status().code(),
                    found.status().message() + "; or perform_automl = 1 chooses one");
    PERSONALIZE_ASSIGN_OR_RETURN(const Recipe* recipe, found);
    PERSONALIZE_ASSIGN_OR_RETURN(Hyperparameters hyperparameters,
                                 solution_hyperparameters(solution, *recipe));
    plan.candidates.push_back({recipe, std::move(hyperparameters), {}});
  }
  if (!solution.perform_hpo) return plan;
  plan.jobs = config.jobs;
  for (SearchCandidate& candidate : plan.candidates)
    PERSONALIZE_RETURN_IF_ERROR(set_ranges(config, solution, candidate));
  PERSONALIZE_RETURN_IF_ERROR(check_ranges(config, plan.candidates));
  return plan;
}

}  // namespace personalize
