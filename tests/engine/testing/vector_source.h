// An EventSource over rows in memory, for tests.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/dataset/sources.h"

namespace personalize {

// One interaction as a test writes it. An empty event type is none.
struct SourceRow {
  std::string user;
  std::string item;
  int64_t timestamp = 0;
  std::string type = {};
  float value = kNoValue;
};

// Numbers users, items and event types in order of first sight; gives a user's events by timestamp,
// ties in order of arrival, as EventSource promises.
class VectorSource : public EventSource {
 public:
  VectorSource() = default;
  explicit VectorSource(const std::vector<SourceRow>& rows) {
    for (const SourceRow& row : rows) add(row);
  }

  void add(const SourceRow& row) {
    const auto [user, new_user] = user_number_.emplace(row.user, users_.size());
    if (new_user) users_.push_back({row.user, {}});
    const auto [item, new_item] =
        item_number_.emplace(row.item, static_cast<ItemCode>(items_.size()));
    if (new_item) items_.push_back(row.item);
    EventTypeCode type = kNoEventType;
    if (!row.type.empty()) {
      const auto [found, new_type] =
          type_number_.emplace(row.type, static_cast<EventTypeCode>(types_.size()));
      if (new_type) types_.push_back(row.type);
      type = found->second;
    }
    std::vector<Event>& events = users_[user->second].events;
    const Event event{row.timestamp, item->second, type, row.value};
    events.insert(
        std::upper_bound(events.begin(), events.end(), event,
                         [](const Event& a, const Event& b) { return a.timestamp < b.timestamp; }),
        event);
  }

  Status scan(EventSink& sink) override {
    for (const User& user : users_) PERSONALIZE_RETURN_IF_ERROR(sink.user(user.id, user.events));
    return Status::ok();
  }
  Status of_user(std::string_view user_id, std::vector<Event>& events) override {
    events.clear();
    const auto found = user_number_.find(std::string(user_id));
    if (found != user_number_.end()) events = users_[found->second].events;
    return Status::ok();
  }
  Result<std::string_view> item_id(ItemCode code) override {
    return std::string_view(items_.at(static_cast<size_t>(code)));
  }
  Result<std::string_view> event_type(EventTypeCode code) override {
    return std::string_view(types_.at(static_cast<size_t>(code)));
  }
  uint64_t dictionary_generation() const override { return generation; }

  uint64_t generation = 0;  // a test may change it

 private:
  struct User {
    std::string id;
    std::vector<Event> events;
  };
  std::vector<User> users_;
  std::vector<std::string> items_;
  std::vector<std::string> types_;
  std::unordered_map<std::string, size_t> user_number_;
  std::unordered_map<std::string, ItemCode> item_number_;
  std::unordered_map<std::string, EventTypeCode> type_number_;
};

}  // namespace personalize
