// An EventSource over rows in memory, for tests.
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
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
  std::vector<std::string> context = {};  // one a contextual column, numbers too; empty: missing
};

// Numbers users, items and event types in order of first sight; gives a user's events by timestamp,
// ties in order of arrival, as EventSource promises.
class VectorSource : public EventSource {
 public:
  VectorSource() = default;
  explicit VectorSource(const std::vector<SourceRow>& rows,
                        std::vector<MetadataField> context_fields = {})
      : context_fields_(std::move(context_fields)), texts_(context_fields_.size()) {
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
    const Event event{row.timestamp, item->second, type, row.value, context_of(row)};
    events.insert(
        std::upper_bound(events.begin(), events.end(), event,
                         [](const Event& a, const Event& b) { return a.timestamp < b.timestamp; }),
        event);
  }

  Status scan(EventSink& sink) override {
    for (const User& user : users_) PERSONALIZE_RETURN_IF_ERROR(sink.user(user.id, given(user)));
    return Status::ok();
  }
  Status of_user(std::string_view user_id, std::vector<Event>& events) override {
    events.clear();
    const auto found = user_number_.find(std::string(user_id));
    if (found != user_number_.end()) events = given(users_[found->second]);
    return Status::ok();
  }
  Result<std::string_view> item_id(ItemCode code) override {
    return std::string_view(items_.at(static_cast<size_t>(code)));
  }
  Result<std::string_view> event_type(EventTypeCode code) override {
    return std::string_view(types_.at(static_cast<size_t>(code)));
  }
  uint64_t dictionary_generation() const override { return generation; }
  std::span<const MetadataField> context_fields() const override { return context_fields_; }
  void read_context(bool wanted) override { context_wanted_ = wanted; }
  Result<std::string_view> context_text(size_t field, double number) override {
    return std::string_view(texts_.at(field).at(static_cast<size_t>(number)));
  }

  uint64_t generation = 0;  // a test may change it

 private:
  struct User {
    std::string id;
    std::vector<Event> events;
  };

  std::vector<Event> given(const User& user) const {
    std::vector<Event> events = user.events;
    if (!context_wanted_)
      for (Event& event : events) event.context = nullptr;
    return events;
  }

  const double* context_of(const SourceRow& row) {
    if (context_fields_.empty()) return nullptr;
    std::vector<double>& numbers =
        contexts_.emplace_back(context_fields_.size(), std::numeric_limits<double>::quiet_NaN());
    for (size_t f = 0; f < row.context.size(); f++) {
      if (row.context[f].empty()) continue;
      if (context_fields_[f].kind != FieldKind::kCategorical) {
        numbers[f] = std::stod(row.context[f]);
        continue;
      }
      const auto known = std::find(texts_[f].begin(), texts_[f].end(), row.context[f]);
      numbers[f] = static_cast<double>(known - texts_[f].begin());
      if (known == texts_[f].end()) texts_[f].push_back(row.context[f]);
    }
    return numbers.data();
  }

  std::vector<MetadataField> context_fields_;
  bool context_wanted_ = false;
  std::deque<std::vector<double>> contexts_;
  std::vector<std::vector<std::string>> texts_;  // of the contextual columns
  std::vector<User> users_;
  std::vector<std::string> items_;
  std::vector<std::string> types_;
  std::unordered_map<std::string, size_t> user_number_;
  std::unordered_map<std::string, ItemCode> item_number_;
  std::unordered_map<std::string, EventTypeCode> type_number_;
};

}  // namespace personalize
