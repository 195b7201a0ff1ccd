// A campaign's config column: a JSON object such as {"burst_seconds": 2, "exploration_weight":
// 0.1}.
#pragma once

#include <string_view>

#include "engine/status.h"

namespace personalize {

struct CampaignConfig {
  double burst_seconds = 1.0;       // how much unused capacity may be spent at once: 0 .. 10
  double exploration_weight = 0.3;  // of recipes that explore: 0 .. 1
  double exploration_item_age_cut_off = 30;  // days from which on an item is not new: above 0
};

// "" is {}. Amazon's {"itemExplorationConfig": {"explorationWeight": "0.3",
// "explorationItemAgeCutOff": "30"}} says the same as exploration_weight and
// exploration_item_age_cut_off, whose numbers may be texts, too. Error: kInvalidInput naming the
// key and its value.
Result<CampaignConfig> parse_campaign_config(std::string_view json);

}  // namespace personalize
