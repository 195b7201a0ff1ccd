#include "extension/impression.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "engine/dataset/words.h"
#include "engine/json_text.h"

namespace personalize {
namespace {

constexpr size_t kMaxIdBytes = 2'048;

// The items of a list, each once.
class Items {
 public:
  void add(std::string_view id) {
    if (id.empty() || id.size() > kMaxIdBytes) return;
    if (seen_.emplace(id).second) items_.emplace_back(id);
  }
  std::vector<std::string> take() { return std::move(items_); }

 private:
  std::vector<std::string> items_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

std::vector<std::string> items_of_impression(std::string_view impression) {
  Items items;
  if (impression.starts_with('[')) {
    const auto list = parse_json(impression);
    // An id may start with a bracket, too.
    if (list.is_array()) {
      for (const auto& item : list) {
        if (item.is_string()) items.add(item.get_ref<const std::string&>());
        if (item.is_number_integer()) items.add(item.dump());
      }
      return items.take();
    }
  }
  for_each_category(impression, [&](std::string_view id) { items.add(id); });
  return items.take();
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
