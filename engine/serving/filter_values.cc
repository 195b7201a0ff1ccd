#include "engine/serving/filter_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/json_text.h"
#include "engine/serving/filter_lexer.h"

namespace personalize {
namespace {

using Json = nlohmann::json;

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 200) text = text.substr(0, 200) + "...";
  return text;
}

FilterScalar scalar_of(std::string_view text) {
  FilterScalar scalar;
  scalar.text = text;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, scalar.number);
  scalar.is_number =
      !text.empty() && error == std::errc() && stop == end && std::isfinite(scalar.number);
  return scalar;
}

// Amazon's list inside a text; false if `text` is not one.
bool read_list(std::string_view text, std::vector<FilterScalar>& scalars) {
  FilterLexer lexer(text);
  std::vector<FilterScalar> found;
  for (;;) {
    const auto value = lexer.next();
    if (!value.is_ok()) return false;
    if (value->kind == FilterToken::Kind::kText) {
      found.push_back({false, 0, value->text});
    } else if (value->kind == FilterToken::Kind::kNumber) {
      found.push_back(scalar_of(text.substr(value->place, value->end - value->place)));
    } else {
      return false;
    }
    const auto comma = lexer.next();
    if (!comma.is_ok()) return false;
    if (comma->kind == FilterToken::Kind::kEnd) break;
    if (comma->kind != FilterToken::Kind::kSymbol || comma->text != ",") return false;
  }
  scalars.insert(scalars.end(), found.begin(), found.end());
  return true;
}

Status add(const std::string& name, const Json& value, std::vector<FilterScalar>& scalars) {
  if (value.is_number()) {
    scalars.push_back(scalar_of(value.dump()));
  } else if (value.is_boolean()) {
    scalars.push_back({true, value.get<bool>() ? 1.0 : 0.0, value.get<bool>() ? "True" : "False"});
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!read_list(text, scalars)) scalars.push_back(scalar_of(text));
  } else {
    return invalid(
        fmt::format("filter_values: '{}' is {}; a value is a number, a text, or an array of these",
                    name, shown(value)));
  }
  return Status::ok();
}

template <typename Each>
void for_each_parameter(const FilterClause& clause, const Each& each) {
  const auto of = [&](const FilterCondition& condition) {
    for (const FilterOperand& operand : condition.operands)
      if (operand.kind == FilterOperand::Kind::kParameter) each(operand.text);
  };
  for (const auto& group : clause.any_of)
    for (const FilterCondition& condition : group) of(condition);
  for (const FilterCondition& condition : clause.conditions_of_user) of(condition);
}

}  // namespace

Result<FilterValues> FilterValues::parse(std::string_view json) {
  FilterValues result;
  if (json.empty()) return result;
  const Json object = parse_json(json);
  if (!object.is_object())
    return invalid(fmt::format(
        "filter_values must be a JSON object such as {{\"GENRE\": [\"Comedy\"]}}, not '{}'",
        json.substr(0, 200)));
  for (const auto& [name, value] : object.items()) {
    std::vector<FilterScalar>& scalars = result.values_[name];
    if (value.is_array()) {
      for (const Json& one : value) {
        if (one.is_string()) {  // of an array each text is one value
          scalars.push_back(scalar_of(one.get_ref<const std::string&>()));
        } else {
          PERSONALIZE_RETURN_IF_ERROR(add(name, one, scalars));
        }
      }
    } else {
      PERSONALIZE_RETURN_IF_ERROR(add(name, value, scalars));
    }
  }
  return result;
}

const std::vector<FilterScalar>* FilterValues::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

Status FilterValues::check(const FilterExpression& expression) const {
  const auto& known = expression.parameters;
  for (const auto& [name, scalars] : values_)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return invalid(known.empty()
                         ? fmt::format("filter_values: '{}' is unknown: the filter has no "
                                       "parameters",
                                       name)
                         : fmt::format("filter_values: '{}' is unknown; the filter's parameters "
                                       "are: {} (upper and lower case count)",
                                       name, fmt::join(known, ", ")));
  Status status;
  for (const FilterClause& clause : expression.clauses)
    if (clause.verb == FilterVerb::kInclude)
      for_each_parameter(clause, [&](const std::string& name) {
        if (status.is_ok() && find(name) == nullptr)
          status = invalid(fmt::format(
              "the filter needs a value for ${0}: filter_values = '{{\"{0}\": ...}}'", name));
      });
  return status;
}

}  // namespace personalize
