// What work costs at Amazon's prices, or at those of personalize_prices; a row a line of the bill:
//
//   SELECT line, quantity, unit, price, usd FROM personalize_cost();               -- this database
//   SELECT sum(usd) FROM personalize_cost(200, 10 * 30, 10 * 24 * 30);              -- a month
//
// Arguments: gigabytes ingested, hours of training, TPS-hours; one that is not given is 0. Without
// any of them the work is the database's own. A fourth, schema, names the catalog.
#include "extension/cost_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <string>

#include "engine/store/versions.h"
#include "extension/boundary.h"
#include "extension/catalog.h"
#include "extension/computed_table.h"
#include "extension/prices.h"
#include "extension/store_access.h"
#include "extension/usage_table.h"

namespace personalize {
namespace {

constexpr const char* kName = "personalize_cost";
constexpr double kGigabyte = 1e9;
constexpr double kSecondsAnHour = 3'600;

constexpr std::array<std::string_view, 3> kQuantities = {"gigabytes", "training_hours",
                                                         "tps_hours"};
constexpr size_t kSchema = 3;

// By PriceLine.
using Quantities = std::array<double, 3>;

Result<double> quantity_argument(sqlite3_value* value, std::string_view name) {
  const int type = sqlite3_value_numeric_type(value);
  const double quantity = sqlite3_value_double(value);
  if ((type == SQLITE_INTEGER || type == SQLITE_FLOAT) && quantity >= 0 && std::isfinite(quantity))
    return quantity;
  return Status(StatusCode::kInvalidInput,
                fmt::format("InvalidInputException: {}: {} is '{}'; it is a number of 0 or more",
                            kName, name, text_of(value)));
}

// The bytes of a dataset as a CSV file without quotes: what would be uploaded. Reads it once.
Result<double> csv_bytes(Connection& connection, const std::string& schema,
                         const std::string& table) {
  const std::string from = fmt::format("{}.{}", sql_name(schema), sql_name(table));
  std::vector<std::string> columns;
  {
    PERSONALIZE_ASSIGN_OR_RETURN(const Statement all,
                                 connection.prepare(fmt::format("SELECT * FROM {}", from)));
    for (int i = 0; i < sqlite3_column_count(all.get()); i++)
      columns.push_back(fmt::format("ifnull(length(CAST({} AS BLOB)), 0) + 1",
                                    sql_name(sqlite3_column_name(all.get(), i))));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement sum,
      connection.prepare(fmt::format("SELECT total({}) FROM {}", fmt::join(columns, " + "), from)));
  PERSONALIZE_RETURN_IF_ERROR(sum.step().status());
  return sum.real(0);
}

Result<double> ingested_gigabytes(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement datasets, connection.cached(fmt::format(
                              "SELECT table_name FROM {}.personalize_datasets", sql_name(schema))));
  double bytes = 0;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, datasets.step());
    if (!row) return bytes / kGigabyte;
    PERSONALIZE_ASSIGN_OR_RETURN(const double more,
                                 csv_bytes(connection, schema, std::string(datasets.text(0))));
    bytes += more;
  }
}

Result<double> training_hours(ModelStore& models) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> versions,
                               list_versions(models, ""));
  double seconds = 0;
  for (const VersionRecord& version : versions) seconds += version.training_seconds;
  return seconds / kSecondsAnHour;
}

// What has been done in a catalog.
Result<Quantities> own_work(Connection& connection, const std::string& schema) {
  Quantities work = {};
  PERSONALIZE_ASSIGN_OR_RETURN(work[0], ingested_gigabytes(connection, schema));
  const Result<const Stores*> stores = open_stores(connection, schema, OpenMode::kReadWrite);
  if (stores.status().code() == StatusCode::kNotFound) return work;  // nothing trained
  PERSONALIZE_RETURN_IF_ERROR(stores.status());
  PERSONALIZE_ASSIGN_OR_RETURN(work[1], training_hours(*stores.value()->models));
  PERSONALIZE_ASSIGN_OR_RETURN(work[2], tps_hours_used(connection, schema));
  return work;
}

// The catalog that is meant: the one named, else the first; "" where there is none.
Result<std::string> catalog_of(Connection& connection, std::span<sqlite3_value* const> values) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  if (values[kSchema] == nullptr) return schemas.empty() ? std::string() : schemas.front();
  const std::string wanted(text_argument(values, kSchema));
  for (const std::string& schema : schemas)
    if (sqlite3_stricmp(schema.c_str(), wanted.c_str()) == 0) return schema;
  return Status(StatusCode::kNotFound,
                fmt::format("ResourceNotFoundException: {}: there is no catalog in schema '{}'; "
                            "there is {}",
                            kName, wanted,
                            schemas.empty() ? "none: create a dataset first"
                                            : fmt::format("one in: {}", fmt::join(schemas, ", "))));
}

Status answer(Connection& connection, std::span<sqlite3_value* const> values,
              std::vector<ComputedRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string schema, catalog_of(connection, values));
  Quantities work = {};
  bool given = false;
  for (size_t i = 0; i < kQuantities.size(); i++) {
    if (values[i] == nullptr) continue;
    PERSONALIZE_ASSIGN_OR_RETURN(work[i], quantity_argument(values[i], kQuantities[i]));
    given = true;
  }
  if (!given && !schema.empty()) {
    PERSONALIZE_ASSIGN_OR_RETURN(work, own_work(connection, schema));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const Prices prices, read_prices(connection, schema));
  for (size_t i = 0; i < prices.size(); i++)
    rows.push_back({std::string(prices[i].line), work[i], std::string(prices[i].unit),
                    prices[i].usd, work[i] * prices[i].usd});
  return Status::ok();
}

constexpr ComputedTable kTable = {
    kName,
    "CREATE TABLE x(line TEXT, quantity REAL, unit TEXT, price REAL, usd REAL, gigabytes HIDDEN, "
    "training_hours HIDDEN, tps_hours HIDDEN, schema TEXT HIDDEN)",
    5,
    4,
    0,
    "",
    3,
    100'000,
    answer};

}  // namespace

Status register_cost_table(const std::shared_ptr<Connection>& connection) {
  return register_computed_table(connection, kTable);
}

}  // namespace personalize
