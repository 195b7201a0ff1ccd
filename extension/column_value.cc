#include "extension/column_value.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/store/recommendation_store.h"
#include "extension/boundary.h"
#include "extension/column_types.h"

namespace personalize {
namespace {

constexpr int64_t kLargestSeconds = 99'999'999'999;  // year 5138; milliseconds reach it in 1973

std::string shown(const ColumnValue& value) {
  switch (value.type) {
    case ColumnValue::Type::kNull:
      return "NULL";
    case ColumnValue::Type::kInteger:
      return fmt::format("{}", value.integer);
    case ColumnValue::Type::kReal:
      return fmt::format("{}", value.real);
    case ColumnValue::Type::kText:
      break;
    case ColumnValue::Type::kBlob:
      return "a blob";
  }
  constexpr size_t kMostShown = 60;
  if (value.text.size() <= kMostShown) return fmt::format("'{}'", value.text);
  size_t end = kMostShown;
  while (end > 0 && (value.text[end] & 0xc0) == 0x80) end--;  // not inside a character
  return fmt::format("'{}...'", value.text.substr(0, end));
}

Status refuse(std::string_view table, std::string_view column, std::string_view what) {
  return {StatusCode::kConstraint,
          fmt::format("InvalidInputException: {}.{} {}", table, column, what)};
}
Status refuse(std::string_view table, const DatasetColumn& column, std::string_view what) {
  return refuse(table, column.name, what);
}

bool is_header(const DatasetColumn& column, std::string_view text) {
  return text.size() == column.name.size() && upper_case(text) == column.name;
}

Status refuse_header(std::string_view table, const DatasetColumn& column, std::string_view text) {
  return refuse(table, column,
                fmt::format("is '{}', the column's own name: leave the header line of the CSV file "
                            "out (.import --skip 1), or use personalize_import('{}', path)",
                            text, table));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The finite number in a value, if it is one.
std::optional<double> real_of(const ColumnValue& value) {
  double number = 0;
  switch (value.type) {
    case ColumnValue::Type::kInteger:
      return static_cast<double>(value.integer);
    case ColumnValue::Type::kReal:
      number = value.real;
      break;
    case ColumnValue::Type::kText: {
      const std::string_view text = trimmed(value.text);
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
      break;
    }
    default:
      return std::nullopt;
  }
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

// The whole number in a value, if it is one. 42.0 is, as it comes from tools that keep integers
// with gaps as reals.
std::optional<int64_t> whole_of(const ColumnValue& value) {
  if (value.type == ColumnValue::Type::kInteger) return value.integer;
  if (value.type == ColumnValue::Type::kText) {
    const std::string_view text = trimmed(value.text);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
  }
  const std::optional<double> number = real_of(value);
  constexpr double kLargestExact = 9007199254740992.0;  // 2^53
  if (!number || std::floor(*number) != *number || std::fabs(*number) > kLargestExact)
    return std::nullopt;
  return static_cast<int64_t>(*number);
}

Result<ColumnValue> checked_whole(std::string_view table, const DatasetColumn& column,
                                  const ColumnValue& value) {
  const std::optional<int64_t> number = whole_of(value);
  if (!number)
    return refuse(table, column,
                  fmt::format("is {}; the column takes whole numbers ({})", shown(value),
                              column_type_name(column.type)));
  constexpr int64_t kSmallest = std::numeric_limits<int32_t>::min();
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  if (column.type == ColumnType::kInt && (*number < kSmallest || *number > kLargest))
    return refuse(table, column,
                  fmt::format("is {}; an int goes from {} to {}: declare the column as long",
                              *number, kSmallest, kLargest));
  return ColumnValue::of(*number);
}

Result<ColumnValue> checked_real(std::string_view table, const DatasetColumn& column,
                                 const ColumnValue& value) {
  const std::optional<double> number = real_of(value);
  if (!number)
    return refuse(table, column,
                  fmt::format("is {}; the column takes numbers ({})", shown(value),
                              column_type_name(column.type)));
  return ColumnValue::of(*number);
}

Result<ColumnValue> checked_boolean(std::string_view table, const DatasetColumn& column,
                                    const ColumnValue& value) {
  const std::optional<int64_t> number = whole_of(value);
  if (number && (*number == 0 || *number == 1)) return ColumnValue::of(*number);
  const std::string word = upper_case(value.text);
  if (word == "TRUE") return ColumnValue::of(int64_t{1});
  if (word == "FALSE") return ColumnValue::of(int64_t{0});
  return refuse(table, column,
                fmt::format("is {}; the column takes true, false, 1 or 0 (boolean)", shown(value)));
}

Result<ColumnValue> checked_null(std::string_view table, const DatasetColumn& column) {
  if (column.nullable) return ColumnValue();
  if (column.name == "TIMESTAMP")
    return refuse(table, column,
                  "is NULL; a timestamp is a whole number of Unix seconds, as unixepoch() gives");
  return refuse(table, column,
                fmt::format("is NULL, which its schema does not allow; a type that does is "
                            "[\"{}\",\"null\"]",
                            column_type_name(column.type)));
}

}  // namespace

ColumnValue ColumnValue::of(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return of(static_cast<int64_t>(sqlite3_value_int64(value)));
    case SQLITE_FLOAT:
      return of(sqlite3_value_double(value));
    case SQLITE_BLOB:
      return {Type::kBlob, 0, 0, {}};
    default:
      return of(text_of(value));
  }
}

void bind_value(Statement& statement, int parameter, const ColumnValue& value) {
  switch (value.type) {
    case ColumnValue::Type::kInteger:
      statement.bind(parameter, value.integer);
      break;
    case ColumnValue::Type::kReal:
      statement.bind(parameter, value.real);
      break;
    case ColumnValue::Type::kText:
      statement.bind(parameter, value.text);
      break;
    default:
      statement.bind_null(parameter);
  }
}

bool is_id_column(DatasetKind kind, std::string_view column) {
  return (column == "USER_ID" && kind != DatasetKind::kItems) ||
         (column == "ITEM_ID" && kind != DatasetKind::kUsers);
}

Result<int64_t> checked_timestamp(DatasetKind kind, std::string_view table, std::string_view column,
                                  const ColumnValue& value) {
  constexpr std::string_view kRight = "a timestamp is a whole number of Unix seconds";
  const std::optional<int64_t> seconds = whole_of(value);
  if (!seconds) {
    const bool is_date = value.type == ColumnValue::Type::kText && value.text.size() >= 10 &&
                         value.text[4] == '-' && value.text[7] == '-';
    return refuse(table, column,
                  fmt::format("is {}; {}, as unixepoch({}) gives", shown(value), kRight,
                              is_date ? shown(value) : ""));
  }
  if (*seconds > kLargestSeconds || *seconds < -kLargestSeconds)
    return refuse(
        table, column,
        fmt::format("is {}, which looks like milliseconds; {}: divide by 1000", *seconds, kRight));
  // Items may be older than 1970, events are not.
  if (*seconds < 0 && kind == DatasetKind::kInteractions)
    return refuse(table, column, fmt::format("is {}, before 1970; {}", *seconds, kRight));
  return *seconds;
}

Result<ColumnValue> checked_value(DatasetKind kind, std::string_view table,
                                  const DatasetColumn& column, const ColumnValue& value) {
  if (value.is_null()) return checked_null(table, column);
  if (column.type == ColumnType::kString) {
    if (value.type == ColumnValue::Type::kBlob)
      return refuse(table, column, "is a blob; the column takes text (string)");
    if (column.name == "RECOMMENDATION_ID" && value.type == ColumnValue::Type::kText &&
        value.text.size() > kLongestRecommendationId)
      return refuse(table, column,
                    fmt::format("is {}, {} bytes; a recommendation id has {} at most", shown(value),
                                value.text.size(), kLongestRecommendationId));
    // An event without a type, not an event of the type ''.
    if (column.name == "EVENT_TYPE" && value.type == ColumnValue::Type::kText && value.text.empty())
      return checked_null(table, column);
    return value;
  }
  if (value.type == ColumnValue::Type::kText) {
    if (value.text.empty()) return checked_null(table, column);
    if (is_header(column, value.text)) return refuse_header(table, column, value.text);
  }
  if (column.name == "TIMESTAMP" || column.name == "CREATION_TIMESTAMP") {
    PERSONALIZE_ASSIGN_OR_RETURN(const int64_t seconds,
                                 checked_timestamp(kind, table, column.name, value));
    return ColumnValue::of(seconds);
  }
  switch (column.type) {
    case ColumnType::kInt:
    case ColumnType::kLong:
      return checked_whole(table, column, value);
    case ColumnType::kBoolean:
      return checked_boolean(table, column, value);
    default:
      return checked_real(table, column, value);
  }
}

Result<std::string> checked_id(std::string_view table, const DatasetColumn& column,
                               sqlite3_value* value) {
  Result<std::string> id = id_of(value, column.name);
  if (!id.is_ok()) {
    // The name of the table is worth its price only in the message.
    const Result<std::string> named = id_of(value, fmt::format("{}.{}", table, column.name));
    return Status(StatusCode::kConstraint, named.status().message());
  }
  if (is_header(column, *id)) return refuse_header(table, column, *id);
  return id;
}

Status check_id(std::string_view table, const DatasetColumn& column, std::string_view id) {
  constexpr size_t kMaxIdBytes = 2048;
  constexpr std::string_view kRight = "an id is a text of 1 to 2048 bytes or a whole number";
  if (id.empty()) return refuse(table, column, fmt::format("is empty; {}", kRight));
  if (id.size() > kMaxIdBytes)
    return refuse(table, column, fmt::format("has {} bytes; {}", id.size(), kRight));
  if (is_header(column, id)) return refuse_header(table, column, id);
  return Status::ok();
}

}  // namespace personalize
