#include "extension/prices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "extension/boundary.h"

namespace personalize {
namespace {

// Amazon's, us-east-1, without its discounts past 20,000 TPS-hours a month.
constexpr Prices kAmazon = {{{"data ingestion", "GB", 0.05},
                             {"training", "hour", 0.24},
                             {"real-time recommendations", "TPS-hour", 0.20}}};

Status invalid(const std::string& what) {
  return {StatusCode::kInvalidInput, "InvalidInputException: personalize_prices: " + what};
}

}  // namespace

Status fill_prices(Connection& connection, std::string_view schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("INSERT OR IGNORE INTO {}.personalize_prices(line, unit, usd) "
                                    "VALUES (?1, ?2, ?3)",
                                    sql_name(schema))));
  for (const Price& price : kAmazon)
    PERSONALIZE_RETURN_IF_ERROR(
        statement.bind(1, price.line).bind(2, price.unit).bind(3, price.usd).run());
  return Status::ok();
}

Result<Prices> read_prices(Connection& connection, const std::string& schema) {
  Prices prices = kAmazon;
  // A catalog made by an earlier version has no such table until its next dataset.
  if (schema.empty() ||
      sqlite3_table_column_metadata(connection.db(), schema.c_str(), "personalize_prices", nullptr,
                                    nullptr, nullptr, nullptr, nullptr, nullptr) != SQLITE_OK)
    return prices;
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement, connection.cached(fmt::format(
                               "SELECT line, usd FROM {}.personalize_prices", sql_name(schema))));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return prices;
    for (Price& price : prices)
      if (price.line == statement.text(0)) price.usd = statement.real(1);
  }
}

Status check_price(Connection&, sqlite3_value** values) {
  const std::string_view line = text_of(values[0]);
  const auto* const price = std::find_if(kAmazon.begin(), kAmazon.end(),
                                         [&](const Price& known) { return known.line == line; });
  if (price == kAmazon.end()) {
    std::vector<std::string_view> lines;
    for (const Price& known : kAmazon) lines.push_back(known.line);
    return invalid(
        fmt::format("there is no line '{}'; there are: {}", line, fmt::join(lines, ", ")));
  }
  if (text_of(values[1]) != price->unit)
    return invalid(fmt::format("the unit of '{}' is '{}'; it is counted in '{}'", line,
                               text_of(values[1]), price->unit));
  const int type = sqlite3_value_type(values[2]);
  const double usd = sqlite3_value_double(values[2]);
  if ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || usd < 0 || !std::isfinite(usd))
    return invalid(fmt::format("usd of '{}' is {}; it is a number of 0 or more", line,
                               type == SQLITE_NULL ? "NULL" : text_of(values[2])));
  return Status::ok();
}

}  // namespace personalize
