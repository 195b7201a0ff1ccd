// A row of a dataset on its way from JSON: values by key, checked against their columns.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "extension/column_value.h"
#include "extension/dataset_lookup.h"

namespace personalize {

// DISCOUNT_RATE as Amazon's properties write it: discountRate.
std::string camel_case(std::string_view column);

// That rows may be written into the dataset. Error: kInvalidInput for one that reads a business
// table, saying where to write.
Status check_takes_rows(const Dataset& dataset);

// One row at a time, used again for the next. The JSON that was set must live as long as the row's
// values are used.
class JsonRow {
 public:
  // `dataset` must outlive it.
  explicit JsonRow(const Dataset& dataset);

  // Begins a row that has no values.
  void clear();

  // Gives the column a value: of an id column an id, of others a text, a number or a boolean that
  // fits (column_value.h). JSON's null says nothing. `key` names the value in messages. Errors:
  // kInvalidInput or kConstraint, also for a column that has a value.
  Status set(size_t column, const nlohmann::json& value, std::string_view key);
  Status set(size_t column, int64_t number);
  Status set(size_t column, std::string_view text, std::string_view key);

  // Once a row: sets every property: an object, or a text that holds one, of values by the columns'
  // names, whatever their case, or in camelCase. Errors: kInvalidInput, also for other names, with
  // those there are.
  Status set_properties(const nlohmann::json& properties);

  // That every column that must have a value has one. Error: kInvalidInput.
  Status check_complete() const;

  bool has(size_t column) const { return !values_[column].is_null(); }
  // What the column, a string, will hold.
  std::string text(size_t column) const;
  // A statement for insert(); `verb` is "INSERT" or "INSERT OR REPLACE".
  Result<Statement> prepare_insert(Connection& connection, std::string_view verb) const;
  // Writes the row. Errors: what INSERT meets.
  Status insert(Statement& statement) const;

  // Columns in the dataset's order.
  const std::vector<ColumnValue>& values() const { return values_; }

 private:
  // The column that a property means, or -1.
  int find(std::string_view key) const;
  // Names the columns that have no value yet.
  Status refuse_property(std::string_view key) const;
  Status check_free(size_t column, std::string_view key) const;
  Result<ColumnValue> value_of(const DatasetColumn& column, const nlohmann::json& value,
                               std::string_view key) const;

  const Dataset& dataset_;
  std::vector<std::string> keys_;  // of the columns, in camelCase
  std::vector<ColumnValue> values_;
  std::deque<std::string> texts_;  // those that are nowhere else
  nlohmann::json properties_;      // that came as a text
};

}  // namespace personalize
