#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/json_text.h"
#include "engine/recipes/recipe.h"

namespace personalize {
namespace {

using Json = nlohmann::json;
using Kind = HyperparameterSpec::Kind;
constexpr std::string_view kAuto = "auto";

std::optional<double> to_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

// What the spec allows, as the end of a sentence.
std::string allowed(const HyperparameterSpec& spec) {
  std::string text;
  switch (spec.kind) {
    case Kind::kInteger:
      text = fmt::format("an integer from {} to {}", spec.minimum, spec.maximum);
      break;
    case Kind::kReal:
      text = fmt::format("a number from {} to {}", spec.minimum, spec.maximum);
      break;
    case Kind::kBoolean:
      text = "true or false";
      break;
    case Kind::kText:
      text = fmt::format("one of {}", fmt::join(spec.choices, ", "));
      break;
  }
  if (spec.default_text == kAuto && spec.kind != Kind::kText) text += ", or \"auto\"";
  return text;
}

// The value in the form in which values() keeps it, or nothing if the spec does not allow it.
// Numbers and booleans may come as text too: Amazon's API sends all hyperparameters as texts.
std::optional<std::string> normalised(const Json& value, const HyperparameterSpec& spec) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (value.is_string() && text == kAuto && spec.default_text == kAuto) return text;
  switch (spec.kind) {
    case Kind::kInteger:
    case Kind::kReal: {
      if (!value.is_number() && !value.is_string()) return std::nullopt;
      const std::optional<double> number =
          value.is_number() ? value.get<double>() : to_number(text);
      if (!number || !(*number >= spec.minimum && *number <= spec.maximum)) return std::nullopt;
      if (spec.kind == Kind::kInteger && *number != std::floor(*number)) return std::nullopt;
      return fmt::format("{}", *number);
    }
    case Kind::kBoolean:
      if (text == "true" || text == "1") return "true";
      if (text == "false" || text == "0") return "false";
      return std::nullopt;
    case Kind::kText:
      if (!value.is_string()) return std::nullopt;
      for (const std::string& choice : spec.choices)
        if (choice == text) return text;
      return std::nullopt;
  }
  return std::nullopt;
}

std::string names(std::span<const HyperparameterSpec> specs) {
  std::string all;
  for (const HyperparameterSpec& spec : specs) all += (all.empty() ? "" : ", ") + spec.name;
  return all;
}

}  // namespace

Result<Hyperparameters> Hyperparameters::parse(std::string_view json,
                                               std::span<const HyperparameterSpec> specs) {
  Hyperparameters result;
  for (const HyperparameterSpec& spec : specs) result.values_[spec.name] = spec.default_text;
  if (json.empty()) return result;

  const Json object = parse_json(json);
  if (!object.is_object()) {
    return Status(StatusCode::kInvalidInput,
                  fmt::format("hyperparameters must be a JSON object such as "
                              "{{\"name\": 1}}, not '{}'",
                              json.substr(0, 200)));
  }
  for (const auto& [name, value] : object.items()) {
    const HyperparameterSpec* spec = nullptr;
    for (const HyperparameterSpec& candidate : specs)
      if (candidate.name == name) spec = &candidate;
    if (spec == nullptr) {
      return Status(
          StatusCode::kInvalidInput,
          specs.empty()
              ? fmt::format("hyperparameter '{}' is unknown: the recipe has none", name)
              : fmt::format("hyperparameter '{}' is unknown; there are: {}", name, names(specs)));
    }
    std::optional<std::string> text = normalised(value, *spec);
    if (!text) {
      return Status(
          StatusCode::kInvalidInput,
          fmt::format("hyperparameter '{}' is {}; it must be {}", name,
                      value.dump(-1, ' ', false, Json::error_handler_t::replace), allowed(*spec)));
    }
    result.values_[name] = *std::move(text);
  }
  return result;
}

bool Hyperparameters::is_auto(std::string_view name) const { return text(name) == kAuto; }

double Hyperparameters::real(std::string_view name) const {
  return to_number(text(name)).value_or(0);
}

int64_t Hyperparameters::integer(std::string_view name) const {
  return static_cast<int64_t>(real(name));
}

bool Hyperparameters::boolean(std::string_view name) const { return text(name) == "true"; }

const std::string& Hyperparameters::text(std::string_view name) const {
  static const std::string none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

void Hyperparameters::resolve(std::string_view name, double value) {
  resolve(name, std::string_view(fmt::format("{}", value)));
}

void Hyperparameters::resolve(std::string_view name, std::string_view value) {
  values_.insert_or_assign(std::string(name), std::string(value));
}

}  // namespace personalize
