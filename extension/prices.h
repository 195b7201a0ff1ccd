// The prices by which personalize_cost counts: Amazon's three lines, and what a user has put in
// their place in the catalog table personalize_prices.
#pragma once

#include <array>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

enum class PriceLine { kIngestion, kTraining, kRecommendations };

struct Price {
  std::string_view line;  // as personalize_prices names it
  std::string_view unit;
  double usd = 0;  // a unit
};
// By PriceLine.
using Prices = std::array<Price, 3>;

// Puts Amazon's prices into the schema's personalize_prices, where a line is not there.
Status fill_prices(Connection& connection, std::string_view schema);

// The schema's prices; Amazon's for a line that is not there, and for a schema that is "".
Result<Prices> read_prices(Connection& connection, const std::string& schema);

// personalize_check_price(line, unit, usd), which the triggers call. Error: kInvalidInput for an
// unknown line, a unit that is not the line's, or a price that is no number of 0 or more.
Status check_price(Connection& connection, sqlite3_value** values);

}  // namespace personalize
