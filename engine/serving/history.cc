#include "engine/serving/history.h"

#include <algorithm>
#include <cctype>

namespace personalize {
namespace {

constexpr ItemIndex kNotLookedUp = -2;

// Event types match whatever their case (EventFilter).
bool same_whatever_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

Result<ItemIndex> HistoryReader::item_of(ItemCode code) {
  if (code < 0) return kNoItem;
  const auto place = static_cast<size_t>(code);
  if (place >= item_.size()) item_.resize(std::max(place + 1, item_.size() * 2), kNotLookedUp);
  if (item_[place] == kNotLookedUp) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view id, source_.item_id(code));
    item_[place] = model_->vocabulary.find(id);
  }
  return item_[place];
}

Result<bool> HistoryReader::passes(const Event& event) {
  const EventFilter& filter = model_->filter;
  if (filter.has_threshold && !(event.value >= filter.event_value_threshold)) return false;
  if (filter.event_type.empty()) return true;
  if (event.type < 0) return false;
  const auto place = static_cast<size_t>(event.type);
  if (place >= type_.size()) type_.resize(place + 1, Passes::kUnknown);
  if (type_[place] == Passes::kUnknown) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view type, source_.event_type(event.type));
    type_[place] = same_whatever_case(type, filter.event_type) ? Passes::kYes : Passes::kNo;
  }
  return type_[place] == Passes::kYes;
}

Status HistoryReader::read(std::string_view user_id, std::vector<ModelEvent>& history) {
  history.clear();
  PERSONALIZE_RETURN_IF_ERROR(source_.of_user(user_id, events_));
  if (generation_ != source_.dictionary_generation()) {
    item_.clear();
    type_.clear();
    generation_ = source_.dictionary_generation();
  }
  for (const Event& event : events_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool taken, passes(event));
    if (!taken) continue;
    PERSONALIZE_ASSIGN_OR_RETURN(const ItemIndex item, item_of(event.item));
    if (item != kNoItem) history.push_back({event.timestamp, item, event.value});
  }
  return Status::ok();
}

}  // namespace personalize
