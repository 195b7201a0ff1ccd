#include "engine/serving/history.h"

#include <algorithm>

namespace personalize {
namespace {

constexpr ItemIndex kNotLookedUp = -2;

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

Status HistoryReader::read(std::string_view user_id, std::vector<ModelEvent>& history) {
  history.clear();
  PERSONALIZE_RETURN_IF_ERROR(source_.of_user(user_id, events_));
  if (generation_ != source_.dictionary_generation()) {
    item_.clear();
    check_.forget();
    generation_ = source_.dictionary_generation();
  }
  for (const Event& event : events_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool taken, check_.passes(event));
    if (!taken) continue;
    PERSONALIZE_ASSIGN_OR_RETURN(const ItemIndex item, item_of(event.item));
    if (item != kNoItem) history.push_back({event.timestamp, item, event.value});
  }
  return Status::ok();
}

}  // namespace personalize
