#include "engine/dataset/event_filter.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace personalize {
namespace {

bool same_whatever_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

Result<bool> FilterCheck::passes(const Event& event) {
  if (filter_.has_threshold && !(event.value >= filter_.event_value_threshold)) return false;
  if (filter_.event_type.empty()) return true;
  if (event.type < 0) return false;
  const auto place = static_cast<size_t>(event.type);
  if (place >= type_.size()) type_.resize(place + 1, Answer::kUnknown);
  if (type_[place] == Answer::kUnknown) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view type, source_.event_type(event.type));
    type_[place] = same_whatever_case(type, filter_.event_type) ? Answer::kYes : Answer::kNo;
  }
  return type_[place] == Answer::kYes;
}

}  // namespace personalize
