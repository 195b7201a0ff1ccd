#include "extension/impression.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/dataset/words.h"
#include "engine/json_text.h"

namespace personalize {
namespace {

constexpr size_t kMaxIdBytes = 2'048;

void add(std::string_view id, std::vector<std::string>& items) {
  if (id.empty() || id.size() > kMaxIdBytes) return;
  if (std::find(items.begin(), items.end(), id) == items.end()) items.emplace_back(id);
}

}  // namespace

std::vector<std::string> items_of_impression(std::string_view impression) {
  std::vector<std::string> items;
  if (impression.starts_with('[')) {
    const auto list = parse_json(impression);
    // An id may start with a bracket, too.
    if (list.is_array()) {
      for (const auto& item : list) {
        if (item.is_string()) add(item.get_ref<const std::string&>(), items);
        if (item.is_number_integer()) add(item.dump(), items);
      }
      return items;
    }
  }
  for_each_category(impression, [&](std::string_view id) { add(id, items); });
  return items;
}

std::string impression_of(std::span<const std::string> items) {
  const bool plain = std::none_of(items.begin(), items.end(), [](const std::string& item) {
    return item.find('|') != std::string::npos || item.starts_with('[') || item.front() == ' ' ||
           item.back() == ' ';
  });
  std::string text;
  if (!plain)
    return nlohmann::json(items).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (const std::string& item : items) text += (text.empty() ? "" : "|") + item;
  return text;
}

}  // namespace personalize
