#include "extension/question_context.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/json_text.h"
#include "extension/boundary.h"

namespace personalize {
namespace {

// Of a wrong value in a message.
constexpr size_t kShownBytes = 60;

Status refuse(std::string_view caller, std::string_view what) {
  return {StatusCode::kInvalidInput, fmt::format("InvalidInputException: {}: {}", caller, what)};
}

std::string shown(std::string_view text) {
  return std::string(text.substr(0, kShownBytes)) + (text.size() > kShownBytes ? "..." : "");
}

Status unknown_name(std::string_view caller, std::string_view name,
                    std::span<const MetadataField> fields) {
  if (fields.empty())
    return refuse(caller, fmt::format("context names '{}', but the interactions have no contextual "
                                      "columns (columns beyond Amazon's own that are categorical, "
                                      "numbers or booleans)",
                                      shown(name)));
  std::vector<std::string_view> names;
  for (const MetadataField& field : fields) names.push_back(field.name);
  return refuse(caller, fmt::format("context names '{}', which is no contextual column of the "
                                    "interactions; there are: {}",
                                    shown(name), fmt::join(names, ", ")));
}

// The number that a value is to a column of numbers.
std::optional<double> number_of(const nlohmann::json& value) {
  if (value.is_string()) {
    const nlohmann::json number = parse_json(value.get_ref<const std::string&>());
    return number.is_number() ? number_of(number) : std::nullopt;
  }
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<double> boolean_of(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_string()) {
    std::string text = value.get<std::string>();
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (text == "true") return 1;
    if (text == "false") return 0;
  }
  const std::optional<double> number = number_of(value);
  return number == 0 || number == 1 ? number : std::nullopt;
}

// The text that a value is to a categorical column: 42.0 and 42 are the same.
std::optional<std::string> text_of_json(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_unsigned()) return fmt::format("{}", value.get<uint64_t>());
  if (value.is_number_integer()) return fmt::format("{}", value.get<int64_t>());
  if (!value.is_number_float()) return std::nullopt;
  std::string text = fmt::format("{}", value.get<double>());
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

Result<QuestionContext> QuestionContext::parse(std::string_view json,
                                               std::span<const MetadataField> fields,
                                               std::string_view caller) {
  const nlohmann::json object = parse_json(json);
  if (!object.is_object())
    return refuse(caller, fmt::format("context is '{}'; it is a JSON object such as "
                                      "{{\"DEVICE\": \"mobile\"}}",
                                      shown(json)));
  QuestionContext context;
  context.values_.resize(fields.size());
  for (const auto& [name, value] : object.items()) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const MetadataField& each) {
      return sqlite3_stricmp(each.name.c_str(), name.c_str()) == 0;
    });
    if (field == fields.end()) return unknown_name(caller, name, fields);
    FieldValue& given = context.values_[static_cast<size_t>(field - fields.begin())];
    if (value.is_null()) continue;
    const auto wrong = [&](std::string_view right) {
      return refuse(
          caller,
          fmt::format("context gives {} as {}; it is {}", field->name,
                      shown(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)),
                      right));
    };
    if (field->kind == FieldKind::kNumber || field->kind == FieldKind::kBoolean) {
      const bool is_number = field->kind == FieldKind::kNumber;
      const std::optional<double> number = is_number ? number_of(value) : boolean_of(value);
      if (!number) return wrong(is_number ? "a number" : "true or false");
      given = FieldValue::of(*number);
    } else {
      std::optional<std::string> text = text_of_json(value);
      if (!text) return wrong("a text, a number or a boolean");
      given = FieldValue::of(std::string_view(context.texts_.emplace_back(std::move(*text))));
    }
  }
  return context;
}

}  // namespace personalize
