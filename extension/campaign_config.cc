#include "extension/campaign_config.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/json_text.h"

namespace personalize {
namespace {

constexpr double kLongestBurst = 10;

Status refuse(std::string_view json, std::string_view what) {
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: personalize_campaigns: config {} {}; it is a JSON "
                      "object such as {{\"burst_seconds\": 1.0, \"exploration_weight\": 0.3, "
                      "\"exploration_item_age_cut_off\": 30}}",
                      json.substr(0, 200), what)};
}

// A number, or a text that is one.
std::optional<double> number_of(const nlohmann::json& value, bool text_too) {
  if (value.is_number()) return value.get<double>();
  if (!text_too || !value.is_string()) return std::nullopt;
  const nlohmann::json number = parse_json(value.get_ref<const std::string&>());
  return number.is_number() ? std::optional<double>(number.get<double>()) : std::nullopt;
}

Status set_weight(std::string_view json, std::string_view key, const nlohmann::json& value,
                  CampaignConfig& config) {
  const std::optional<double> weight = number_of(value, true);
  if (!weight || !(*weight >= 0 && *weight <= 1))
    return refuse(json, fmt::format("has an {} that is no number from 0 to 1", key));
  config.exploration_weight = *weight;
  return Status::ok();
}

Status set_cut_off(std::string_view json, std::string_view key, const nlohmann::json& value,
                   CampaignConfig& config) {
  const std::optional<double> days = number_of(value, true);
  if (!days || !(*days > 0) || !std::isfinite(*days))
    return refuse(json, fmt::format("has an {} that is no number of days above 0", key));
  config.exploration_item_age_cut_off = *days;
  return Status::ok();
}

// Amazon's itemExplorationConfig.
Status set_exploration(std::string_view json, const nlohmann::json& values,
                       CampaignConfig& config) {
  if (!values.is_object()) return refuse(json, "has an itemExplorationConfig that is no object");
  for (const auto& [key, value] : values.items()) {
    if (key == "explorationWeight") {
      PERSONALIZE_RETURN_IF_ERROR(set_weight(json, key, value, config));
    } else if (key == "explorationItemAgeCutOff") {
      PERSONALIZE_RETURN_IF_ERROR(set_cut_off(json, key, value, config));
    } else {
      return refuse(json, fmt::format("has the unknown key '{}' in itemExplorationConfig, whose "
                                      "keys are explorationWeight and explorationItemAgeCutOff",
                                      key));
    }
  }
  return Status::ok();
}

}  // namespace

Result<CampaignConfig> parse_campaign_config(std::string_view json) {
  CampaignConfig config;
  if (json.empty()) return config;
  const nlohmann::json object = parse_json(json);
  if (!object.is_object()) return refuse(json, "is no JSON object");
  for (const auto& [key, value] : object.items()) {
    if (key == "burst_seconds") {
      const std::optional<double> burst = number_of(value, false);
      if (!burst || !(*burst >= 0 && *burst <= kLongestBurst))
        return refuse(json, "has a burst_seconds that is no number from 0 to 10");
      config.burst_seconds = *burst;
    } else if (key == "exploration_weight") {
      PERSONALIZE_RETURN_IF_ERROR(set_weight(json, key, value, config));
    } else if (key == "exploration_item_age_cut_off") {
      PERSONALIZE_RETURN_IF_ERROR(set_cut_off(json, key, value, config));
    } else if (key == "itemExplorationConfig") {
      PERSONALIZE_RETURN_IF_ERROR(set_exploration(json, value, config));
    } else {
      return refuse(json, fmt::format("has the unknown key '{}'", key));
    }
  }
  return config;
}

}  // namespace personalize
