#include "extension/column_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace personalize {
namespace {

constexpr std::array<std::string_view, 6> kTypeNames = {"string", "int",    "long",
                                                        "float",  "double", "boolean"};

constexpr size_t kMaxNameBytes = 63;

struct ReservedColumn {
  DatasetKind kind;
  std::string_view name;
  ColumnType type;
  bool any_number;  // int, long, float and double are as good
  bool required;
};

constexpr ReservedColumn kReservedColumns[] = {
    {DatasetKind::kInteractions, "USER_ID", ColumnType::kString, false, true},
    {DatasetKind::kInteractions, "ITEM_ID", ColumnType::kString, false, true},
    {DatasetKind::kInteractions, "TIMESTAMP", ColumnType::kLong, false, true},
    {DatasetKind::kInteractions, "EVENT_TYPE", ColumnType::kString, false, false},
    {DatasetKind::kInteractions, "EVENT_VALUE", ColumnType::kFloat, true, false},
    {DatasetKind::kInteractions, "IMPRESSION", ColumnType::kString, false, false},
    {DatasetKind::kInteractions, "SESSION_ID", ColumnType::kString, false, false},
    {DatasetKind::kInteractions, "RECOMMENDATION_ID", ColumnType::kString, false, false},
    {DatasetKind::kInteractions, "EVENT_ATTRIBUTION_SOURCE", ColumnType::kString, false, false},
    {DatasetKind::kUsers, "USER_ID", ColumnType::kString, false, true},
    {DatasetKind::kItems, "ITEM_ID", ColumnType::kString, false, true},
    {DatasetKind::kItems, "CREATION_TIMESTAMP", ColumnType::kLong, false, false},
};

bool is_number(ColumnType type) {
  return type != ColumnType::kString && type != ColumnType::kBoolean;
}

Status check_reserved(const ReservedColumn& reserved, std::vector<DatasetColumn>& columns) {
  const auto column = std::find_if(columns.begin(), columns.end(),
                                   [&](const DatasetColumn& c) { return c.name == reserved.name; });
  if (column == columns.end()) {
    if (!reserved.required) return Status::ok();
    return {StatusCode::kInvalidInput,
            fmt::format("{}: the column {} {} is required", module_name(reserved.kind),
                        reserved.name, column_type_name(reserved.type))};
  }
  const bool fits =
      column->type == reserved.type || (reserved.any_number && is_number(column->type));
  if (!fits)
    return {StatusCode::kInvalidInput,
            fmt::format("{}: the column {} must be {}, not {}", module_name(reserved.kind),
                        reserved.name, column_type_name(reserved.type),
                        column_type_name(column->type))};
  if (reserved.required) column->nullable = false;
  return Status::ok();
}

Status check_properties(DatasetKind kind, const DatasetColumn& column) {
  const bool is_float = column.type == ColumnType::kFloat || column.type == ColumnType::kDouble;
  if (column.categorical && (is_float || column.type == ColumnType::kBoolean))
    return {StatusCode::kInvalidInput,
            fmt::format("{}: the column {} is {}; only string, int and long can be categorical",
                        module_name(kind), column.name, column_type_name(column.type))};
  if (column.textual && (kind != DatasetKind::kItems || column.type != ColumnType::kString))
    return {StatusCode::kInvalidInput,
            fmt::format("{}: the column {} can't be textual; only a string of items can",
                        module_name(kind), column.name)};
  return Status::ok();
}

}  // namespace

std::string_view column_type_name(ColumnType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<ColumnType> find_column_type(std::string_view name) {
  const std::string upper = upper_case(name);
  for (size_t i = 0; i < kTypeNames.size(); i++)
    if (upper_case(kTypeNames[i]) == upper) return static_cast<ColumnType>(i);
  return std::nullopt;
}

std::string_view module_name(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kInteractions:
      return "personalize_interactions";
    case DatasetKind::kUsers:
      return "personalize_users";
    case DatasetKind::kItems:
      break;
  }
  return "personalize_items";
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

Result<std::string> check_column_name(std::string_view name) {
  std::string upper = upper_case(name);
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  const bool right = !upper.empty() && upper.size() <= kMaxNameBytes && is_letter(upper[0]) &&
                     std::all_of(upper.begin(), upper.end(), [&](char c) {
                       return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
                     });
  // SQLite's own names for a row's number would hide such a column.
  if (!right || upper == "ROWID")
    return Status(StatusCode::kInvalidInput,
                  fmt::format("'{}' is no name for a column; it must be a letter followed by "
                              "letters, digits and underscores, {} at most, and not ROWID",
                              name, kMaxNameBytes));
  return upper;
}

bool is_required_column(DatasetKind kind, std::string_view name) {
  return std::any_of(std::begin(kReservedColumns), std::end(kReservedColumns),
                     [&](const ReservedColumn& reserved) {
                       return reserved.required && reserved.kind == kind && reserved.name == name;
                     });
}

Status check_columns(DatasetKind kind, std::vector<DatasetColumn>& columns) {
  std::set<std::string_view> names;
  for (const DatasetColumn& column : columns) {
    if (!names.insert(column.name).second)
      return {StatusCode::kInvalidInput,
              fmt::format("{}: the column {} is there twice", module_name(kind), column.name)};
    PERSONALIZE_RETURN_IF_ERROR(check_properties(kind, column));
  }
  for (const ReservedColumn& reserved : kReservedColumns)
    if (reserved.kind == kind) PERSONALIZE_RETURN_IF_ERROR(check_reserved(reserved, columns));
  if (kind != DatasetKind::kInteractions && columns.size() < 2)
    return {StatusCode::kInvalidInput,
            fmt::format("{0}: needs at least one field beside {1}, for instance {0}({2})",
                        module_name(kind), kind == DatasetKind::kUsers ? "USER_ID" : "ITEM_ID",
                        kind == DatasetKind::kUsers ? "AGE int, GENDER string categorical"
                                                    : "GENRES string categorical, PRICE float")};
  return Status::ok();
}

}  // namespace personalize
