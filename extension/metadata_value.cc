#include "extension/metadata_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "extension/boundary.h"
#include "extension/column_value.h"

namespace personalize {
namespace {

// Amazon's own columns, which say who did what and when.
constexpr std::array<std::string_view, 9> kOwnColumns = {
    "USER_ID",    "ITEM_ID",           "TIMESTAMP",
    "EVENT_TYPE", "EVENT_VALUE",       "SESSION_ID",
    "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"};

std::optional<FieldKind> kind_of(const DatasetColumn& column) {
  if (column.categorical) return FieldKind::kCategorical;
  if (column.textual) return FieldKind::kText;
  if (column.type == ColumnType::kString) return std::nullopt;
  return column.type == ColumnType::kBoolean ? FieldKind::kBoolean : FieldKind::kNumber;
}

FieldValue number_value(const MetadataColumn& column, DatasetKind kind, const ColumnValue& value) {
  // What is a number already needs no check; a boolean must be 0 or 1.
  if (column.field.kind == FieldKind::kNumber) {
    if (value.type == ColumnValue::Type::kInteger)
      return FieldValue::of(static_cast<double>(value.integer));
    if (value.type == ColumnValue::Type::kReal)
      return std::isfinite(value.real) ? FieldValue::of(value.real) : FieldValue::missing();
  }
  const Result<ColumnValue> checked = checked_value(kind, "", column.column, value);
  if (!checked.is_ok() || checked->is_null()) return FieldValue::missing();
  return FieldValue::of(checked->type == ColumnValue::Type::kReal
                            ? checked->real
                            : static_cast<double>(checked->integer));
}

FieldValue text_value(const ColumnValue& value, std::string& storage) {
  switch (value.type) {
    case ColumnValue::Type::kText:
      return value.text.empty() ? FieldValue::missing() : FieldValue::of(value.text);
    case ColumnValue::Type::kInteger:
      storage = fmt::format("{}", value.integer);
      break;
    case ColumnValue::Type::kReal:
      storage = fmt::format("{}", value.real);
      if (storage.ends_with(".0")) storage.resize(storage.size() - 2);
      break;
    default:
      return FieldValue::missing();
  }
  return FieldValue::of(std::string_view(storage));
}

}  // namespace

std::vector<MetadataColumn> metadata_columns(const DatasetConfig& config) {
  std::vector<MetadataColumn> columns;
  for (const DatasetColumn& column : config.columns) {
    if (std::find(kOwnColumns.begin(), kOwnColumns.end(), column.name) != kOwnColumns.end())
      continue;
    const std::optional<FieldKind> kind = kind_of(column);
    if (kind) columns.push_back({column, {column.name, *kind}});
  }
  return columns;
}

std::vector<MetadataColumn> filter_columns(const DatasetConfig& config) {
  std::vector<MetadataColumn> columns;
  for (const DatasetColumn& column : config.columns)
    columns.push_back({column, {column.name, kind_of(column).value_or(FieldKind::kText)}});
  return columns;
}

FieldValue field_value(const MetadataColumn& column, DatasetKind kind, sqlite3_value* value,
                       std::string& storage) {
  const ColumnValue given = ColumnValue::of(value);
  if (given.is_null()) return FieldValue::missing();
  const bool is_text =
      column.field.kind == FieldKind::kCategorical || column.field.kind == FieldKind::kText;
  return is_text ? text_value(given, storage) : number_value(column, kind, given);
}

}  // namespace personalize
