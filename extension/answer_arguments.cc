#include "extension/answer_arguments.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/json_text.h"
#include "extension/boundary.h"

namespace personalize {
namespace {

constexpr int64_t kMostAnswers = 2147483647;
// A text of so many bytes is one without a question; of a longer one id_of decides.
constexpr size_t kSurelyAnId = 256;
// Of a wrong value in a message.
constexpr size_t kShownBytes = 60;

std::string shown(sqlite3_value* value) {
  const std::string_view text = text_of(value);
  if (sqlite3_value_type(value) == SQLITE_BLOB) return "a blob";
  const std::string start(text.substr(0, kShownBytes));
  const std::string cut = text.size() > kShownBytes ? start + "..." : start;
  return sqlite3_value_type(value) == SQLITE_TEXT ? "'" + cut + "'" : cut;
}

// An element of a JSON array as an id, or what is wrong with it.
Result<std::string> id_of_json(const nlohmann::json& element) {
  const auto refuse = [](std::string what) {
    return Status(StatusCode::kInvalidInput, std::move(what));
  };
  if (element.is_string()) {
    auto text = element.get<std::string>();
    if (text.empty()) return refuse("is empty");
    return text;
  }
  if (element.is_number_unsigned()) return fmt::format("{}", element.get<uint64_t>());
  if (element.is_number_integer()) return fmt::format("{}", element.get<int64_t>());
  if (element.is_number_float()) {
    const auto number = element.get<double>();
    if (std::floor(number) == number && std::fabs(number) <= 9007199254740992.0)
      return fmt::format("{}", static_cast<int64_t>(number));
  }
  if (element.is_structured()) return refuse(element.is_array() ? "is an array" : "is an object");
  return refuse("is " + element.dump());
}

Result<IdList> ids_of_json(const nlohmann::json& array, std::string_view caller,
                           std::string_view argument) {
  IdList ids;
  for (size_t i = 0; i < array.size(); i++) {
    const Result<std::string> id = id_of_json(array[i]);
    if (!id.is_ok())
      return Status(StatusCode::kInvalidInput,
                    fmt::format("InvalidInputException: {}: {}[{}] {}; an id is a text or a whole "
                                "number",
                                caller, argument, i, id.status().message()));
    ids.add(id.value());
  }
  return ids;
}

// Reads an array of texts and whole numbers as it is parsed, without making a value of each. Stops
// at anything else, which is looked at again for what is wrong with it.
class IdReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  IdList ids;

  bool string(string_t& text) override { return !text.empty() && add(text); }
  bool number_integer(number_integer_t number) override { return add(fmt::format("{}", number)); }
  bool number_unsigned(number_unsigned_t number) override { return add(fmt::format("{}", number)); }
  bool start_array(size_t) override { return !std::exchange(begun_, true); }
  bool end_array() override { return true; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return false; }
  bool end_object() override { return false; }
  bool key(string_t&) override { return false; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool add(std::string_view id) {
    if (begun_) ids.add(id);
    return begun_;
  }
  bool begun_ = false;
};

std::optional<IdList> plain_ids(std::string_view text) {
  IdReader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) return std::nullopt;
  return std::move(reader.ids);
}

}  // namespace

void IdList::append_hash(std::string& key) const {
  const XXH64_hash_t ends = XXH3_64bits(end_.data(), end_.size() * sizeof(size_t));
  const XXH128_hash_t hash = XXH3_128bits_withSeed(text_.data(), text_.size(), ends);
  key.append(reinterpret_cast<const char*>(&hash), sizeof hash);
}

Result<size_t> parse_k(sqlite3_value* value, size_t when_null, std::string_view caller) {
  const auto refuse = [&] {
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: k is {}; it is a whole number from 1 to "
                              "{}",
                              caller, shown(value), kMostAnswers));
  };
  switch (sqlite3_value_numeric_type(value)) {
    case SQLITE_NULL:
      return when_null;
    case SQLITE_INTEGER: {
      const int64_t k = sqlite3_value_int64(value);
      if (k < 1 || k > kMostAnswers) return refuse();
      return static_cast<size_t>(k);
    }
    case SQLITE_FLOAT: {
      const double k = sqlite3_value_double(value);
      if (!(k >= 1 && k <= static_cast<double>(kMostAnswers)) || std::floor(k) != k)
        return refuse();
      return static_cast<size_t>(k);
    }
    default:
      return refuse();
  }
}

Result<IdList> parse_id_array(sqlite3_value* value, std::string_view caller,
                              std::string_view argument) {
  const bool is_text = sqlite3_value_type(value) == SQLITE_TEXT;
  if (is_text)
    if (std::optional<IdList> ids = plain_ids(text_of(value))) return std::move(*ids);
  const nlohmann::json array = is_text ? parse_json(text_of(value)) : nlohmann::json();
  if (!array.is_array())
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: {} is {}; it is a JSON array of ids such "
                              "as json_array('50', '98')",
                              caller, argument, shown(value)));
  return ids_of_json(array, caller, argument);
}

Result<IdList> parse_id_set(sqlite3_value* value, bool is_in, std::string_view caller,
                            std::string_view argument) {
  IdList ids;
  std::string buffer;
  if (is_in) {
    sqlite3_value* member = nullptr;
    int code = sqlite3_vtab_in_first(value, &member);
    for (; code == SQLITE_OK && member != nullptr; code = sqlite3_vtab_in_next(value, &member)) {
      const Result<std::string_view> id = id_view(member, argument, buffer);
      if (id.is_ok()) ids.add(id.value());
    }
    if (code != SQLITE_OK && code != SQLITE_DONE)
      return Status(code == SQLITE_NOMEM ? StatusCode::kNoMemory : StatusCode::kInternal,
                    fmt::format("{}: cannot read the values of {}", caller, argument));
    return ids;
  }
  if (const std::string_view text = text_of(value);
      sqlite3_value_type(value) == SQLITE_TEXT && text.starts_with('[')) {
    if (std::optional<IdList> plain = plain_ids(text)) return std::move(*plain);
    const nlohmann::json array = parse_json(text);
    if (array.is_array()) return ids_of_json(array, caller, argument);
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view id,
                               id_view(value, fmt::format("{}: {}", caller, argument), buffer));
  ids.add(id);
  return ids;
}

Result<std::string_view> id_view(sqlite3_value* value, std::string_view column,
                                 std::string& buffer) {
  if (sqlite3_value_type(value) == SQLITE_TEXT) {
    const std::string_view text = text_of(value);
    if (!text.empty() && text.size() <= kSurelyAnId) return text;
  }
  PERSONALIZE_ASSIGN_OR_RETURN(buffer, id_of(value, column));
  return std::string_view(buffer);
}

Result<std::string> parse_filter_text(sqlite3_value* value, std::string_view caller) {
  if (sqlite3_value_type(value) == SQLITE_TEXT && !text_of(value).empty())
    return std::string(text_of(value));
  return Status(StatusCode::kInvalidInput,
                fmt::format("InvalidInputException: {}: filter is {}; it is a name of "
                            "personalize_filters, an expression such as 'EXCLUDE ItemID WHERE "
                            "Interactions.EVENT_TYPE IN (\"purchase\")', or NULL",
                            caller, shown(value)));
}

Status check_filter_values(std::string_view filter, std::string_view values,
                           std::string_view caller) {
  if (!filter.empty() || values.empty()) return Status::ok();
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: {}: filter_values is given, but no filter", caller)};
}

}  // namespace personalize
