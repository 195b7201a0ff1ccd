#include "engine/json_text.h"

namespace personalize {

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') i++;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepestJson) return true;
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return false;
}

nlohmann::json parse_json(std::string_view text) {
  return nlohmann::json::parse(nests_too_deep(text) ? std::string_view() : text, nullptr, false);
}

}  // namespace personalize
