#include "extension/json_row.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "extension/column_types.h"
#include "extension/request_json.h"

namespace personalize {
namespace {

using nlohmann::json;

Status refuse(std::string_view what) { return {StatusCode::kInvalidInput, std::string(what)}; }

}  // namespace

std::string camel_case(std::string_view column) {
  std::string key;
  bool begins_word = false;
  for (const char c : column) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (c != '_') key += is_upper && !begins_word ? static_cast<char>(c - 'A' + 'a') : c;
    begins_word = c == '_' && !key.empty();
  }
  return key;
}

Status check_takes_rows(const Dataset& dataset) {
  if (dataset.config.content.empty()) return Status::ok();
  return {StatusCode::kInvalidInput,
          fmt::format("'{}' reads the table '{}' in place (content=): INSERT INTO that table; what "
                      "is written there counts at once",
                      dataset.entry.table, dataset.config.content)};
}

JsonRow::JsonRow(const Dataset& dataset)
    : dataset_(dataset), values_(dataset.config.columns.size()) {
  for (const DatasetColumn& column : dataset.config.columns)
    keys_.push_back(camel_case(column.name));
}

void JsonRow::clear() {
  values_.assign(values_.size(), ColumnValue());
  texts_.clear();
}

Status JsonRow::check_free(size_t column, std::string_view key) const {
  if (!has(column)) return Status::ok();
  return refuse(
      fmt::format("{} gives {} a second value", key, dataset_.config.columns[column].name));
}

Result<ColumnValue> JsonRow::value_of(const DatasetColumn& column, const json& value,
                                      std::string_view key) const {
  if (value.is_string())
    return ColumnValue::of(std::string_view(value.get_ref<const std::string&>()));
  if (value.is_boolean() && column.type == ColumnType::kBoolean)
    return ColumnValue::of(int64_t{value.get<bool>()});
  const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX;
  if (value.is_number_integer() && !too_large) return ColumnValue::of(value.get<int64_t>());
  if (value.is_number()) return ColumnValue::of(value.get<double>());
  return refuse(fmt::format("{} is {}; the column {} takes {} ({}){}", key, shown_json(value),
                            column.name, column.type == ColumnType::kString ? "a text" : "a number",
                            column_type_name(column.type),
                            column.categorical ? ", several as 'a|b'" : ""));
}

Status JsonRow::set(size_t place, const json& value, std::string_view key) {
  if (value.is_null()) return Status::ok();
  const DatasetColumn& column = dataset_.config.columns[place];
  if (is_id_column(dataset_.config.kind, column.name)) {
    PERSONALIZE_ASSIGN_OR_RETURN(std::string id, json_id(value, key));
    return set(place, std::string_view(texts_.emplace_back(std::move(id))), key);
  }
  PERSONALIZE_RETURN_IF_ERROR(check_free(place, key));
  PERSONALIZE_ASSIGN_OR_RETURN(const ColumnValue raw, value_of(column, value, key));
  PERSONALIZE_ASSIGN_OR_RETURN(
      values_[place], checked_value(dataset_.config.kind, dataset_.entry.table, column, raw));
  return Status::ok();
}

Status JsonRow::set(size_t column, int64_t number) {
  values_[column] = ColumnValue::of(number);
  return Status::ok();
}

Status JsonRow::set(size_t place, std::string_view text, std::string_view key) {
  const DatasetColumn& column = dataset_.config.columns[place];
  PERSONALIZE_RETURN_IF_ERROR(check_free(place, key));
  if (is_id_column(dataset_.config.kind, column.name)) {
    PERSONALIZE_RETURN_IF_ERROR(check_id(dataset_.entry.table, column, text));
    values_[place] = ColumnValue::of(text);
    return Status::ok();
  }
  PERSONALIZE_ASSIGN_OR_RETURN(
      values_[place],
      checked_value(dataset_.config.kind, dataset_.entry.table, column, ColumnValue::of(text)));
  return Status::ok();
}

std::string JsonRow::text(size_t column) const {
  const ColumnValue& value = values_[column];
  if (value.type == ColumnValue::Type::kInteger) return fmt::format("{}", value.integer);
  if (value.type == ColumnValue::Type::kReal) return fmt::format("{}", value.real);
  return std::string(value.text);
}

int JsonRow::find(std::string_view key) const {
  if (const int place = dataset_.config.find(key); place >= 0) return place;
  for (size_t i = 0; i < keys_.size(); i++)
    if (keys_[i] == key) return static_cast<int>(i);
  return -1;
}

Status JsonRow::refuse_property(std::string_view key) const {
  std::vector<std::string_view> known;
  for (size_t i = 0; i < keys_.size(); i++)
    if (!has(i)) known.push_back(keys_[i]);
  return refuse(fmt::format("'{}' has no column for the property '{}'; there are: {}",
                            dataset_.entry.table, key, fmt::join(known, ", ")));
}

Status JsonRow::set_properties(const json& properties) {
  const json* object = &properties;
  if (properties.is_string()) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        properties_, parse_json_object(properties.get_ref<const std::string&>(), "properties",
                                       R"({"discountRate": 0.2})"));
    object = &properties_;
  }
  if (!object->is_object())
    return refuse(fmt::format("properties is {}; it is a JSON object such as {}",
                              shown_json(properties), R"({"discountRate": 0.2})"));
  std::vector<size_t> columns;
  for (const auto& [key, value] : object->items()) {
    const int column = find(key);
    if (column < 0) return refuse_property(key);
    columns.push_back(static_cast<size_t>(column));
  }
  const size_t* column = columns.data();
  for (const auto& [key, value] : object->items())
    PERSONALIZE_RETURN_IF_ERROR(set(*column++, value, fmt::format("properties.{}", key)));
  return Status::ok();
}

Status JsonRow::check_complete() const {
  for (size_t i = 0; i < values_.size(); i++) {
    if (has(i) || dataset_.config.columns[i].nullable) continue;
    return refuse(fmt::format("{} is missing: '{}' has no row without {}", keys_[i],
                              dataset_.entry.table, dataset_.config.columns[i].name));
  }
  return Status::ok();
}

Result<Statement> JsonRow::prepare_insert(Connection& connection, std::string_view verb) const {
  std::string names;
  std::string parameters;
  for (size_t i = 0; i < values_.size(); i++) {
    const char* comma = i == 0 ? "" : ", ";
    names += comma + sql_name(dataset_.config.columns[i].name);
    parameters += fmt::format("{}?{}", comma, i + 1);
  }
  return connection.prepare(fmt::format("{} INTO {}.{}({}) VALUES ({})", verb,
                                        sql_name(dataset_.entry.schema),
                                        sql_name(dataset_.entry.table), names, parameters));
}

Status JsonRow::insert(Statement& statement) const {
  for (size_t i = 0; i < values_.size(); i++)
    bind_value(statement, static_cast<int>(i) + 1, values_[i]);
  return statement.run();
}

}  // namespace personalize
