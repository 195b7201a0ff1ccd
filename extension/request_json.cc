#include "extension/request_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/json_text.h"
#include "extension/boundary.h"

namespace personalize {
namespace {

using nlohmann::json;

Status refuse(std::string_view what) { return {StatusCode::kInvalidInput, std::string(what)}; }

}  // namespace

Result<json> parse_json_object(sqlite3_value* argument, std::string_view what,
                               std::string_view example) {
  const int type = sqlite3_value_type(argument);
  if (type == SQLITE_TEXT) return parse_json_object(text_of(argument), what, example);
  return refuse(fmt::format("{} is {}; it is a JSON object such as {}", what,
                            type == SQLITE_NULL   ? "NULL"
                            : type == SQLITE_BLOB ? "a blob"
                                                  : text_of(argument),
                            example));
}

Result<json> parse_json_object(std::string_view text, std::string_view what,
                               std::string_view example) {
  if (nests_too_deep(text))
    return refuse(fmt::format("{} is nested more than {} deep; it is a JSON object such as {}",
                              what, kDeepestJson, example));
  try {
    json value = json::parse(text);
    if (value.is_object()) return value;
    return refuse(
        fmt::format("{} is {}; it is a JSON object such as {}", what, shown_json(value), example));
  } catch (const json::exception& error) {
    const auto* parse_error = dynamic_cast<const json::parse_error*>(&error);
    return refuse(fmt::format(
        "{} is no JSON{}; it is a JSON object such as {}", what,
        parse_error == nullptr ? "" : fmt::format(": it goes wrong at byte {}", parse_error->byte),
        example));
  }
}

Status check_json_keys(const json& object, std::string_view place,
                       std::span<const std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return refuse(fmt::format("{}there is no key '{}'; there are: {}",
                              place.empty() ? "" : fmt::format("{}: ", place), key,
                              fmt::join(known, ", ")));
  }
  return Status::ok();
}

const json* find_json(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string shown_json(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (!value.is_string()) return value.is_null() ? "NULL" : value.dump();
  constexpr size_t kMostShown = 60;
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() <= kMostShown) return fmt::format("'{}'", text);
  size_t end = kMostShown;
  while (end > 0 && (text[end] & 0xc0) == 0x80) end--;  // not inside a character
  return fmt::format("'{}...'", text.substr(0, end));
}

Result<const json*> json_list(const json& object, std::string_view key) {
  const json* list = find_json(object, key);
  if (list == nullptr) return refuse(fmt::format("{} is missing", key));
  if (!list->is_array() || list->empty())
    return refuse(fmt::format("{} is {}; it is an array of one object or more", key,
                              list->is_array() ? "empty" : shown_json(*list)));
  return list;
}

Result<std::string> json_id(const json& value, std::string_view place) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return refuse(fmt::format("{} is {}; an id is a text of 1 to 2048 bytes or a whole number", place,
                            shown_json(value)));
}

Status at_place(const Status& status, std::string_view function, std::string_view place) {
  std::string_view message = status.message();
  std::string_view exception = "InvalidInputException: ";
  if (message.starts_with(exception)) {
    message.remove_prefix(exception.size());
  } else if (status.code() != StatusCode::kInvalidInput &&
             status.code() != StatusCode::kConstraint && status.code() != StatusCode::kMismatch) {
    exception = "";
  }
  return {
      exception.empty() ? status.code() : StatusCode::kInvalidInput,
      fmt::format("{}{}: {}{}{}", exception, function, place, place.empty() ? "" : ": ", message)};
}

}  // namespace personalize
