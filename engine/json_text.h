// JSON that somebody else wrote.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace personalize {

// No JSON that anything here asks for comes near this.
inline constexpr int kDeepestJson = 64;

// Whether objects and arrays are nested more than kDeepestJson deep in `text`. The library copies
// and prints JSON by recursion, so that what is very deep would take the host's stack away.
bool nests_too_deep(std::string_view text);

// What `text` says; discarded (is_discarded(), no object, no array) if it is no JSON or nested too
// deep.
nlohmann::json parse_json(std::string_view text);

}  // namespace personalize
