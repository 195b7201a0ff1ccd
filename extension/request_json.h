// Requests of Amazon's shape (PutEvents, PutUsers, PutItems) as JSON: taken apart with messages
// that name the place, such as "eventList[2].sentAt".
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/sqlite_api.h"

namespace personalize {

// The JSON object in `argument`. Errors: kInvalidInput; `what` is what the argument is called,
// `example` what would be right.
Result<nlohmann::json> parse_json_object(sqlite3_value* argument, std::string_view what,
                                         std::string_view example);
// The same for a text that JSON held.
Result<nlohmann::json> parse_json_object(std::string_view text, std::string_view what,
                                         std::string_view example);

// That every key of `object` is one of `known`. Error: kInvalidInput with the known ones.
Status check_json_keys(const nlohmann::json& object, std::string_view place,
                       std::span<const std::string_view> known);

// The value of a key, or nullptr if it is not there or null.
const nlohmann::json* find_json(const nlohmann::json& object, std::string_view key);

// A value for a message: short, and nothing of what an object or an array holds.
std::string shown_json(const nlohmann::json& value);

// The array of one value or more under `key`. Errors: kInvalidInput.
Result<const nlohmann::json*> json_list(const nlohmann::json& object, std::string_view key);

// An id: a text or a whole number. Errors: kInvalidInput if it is neither; that it is empty or too
// long is for the caller to see.
Result<std::string> json_id(const nlohmann::json& value, std::string_view place);

// `status` as one about `place` in a call of `function`: Amazon's exception name, if there is one,
// stays in front.
Status at_place(const Status& status, std::string_view function, std::string_view place);

}  // namespace personalize
