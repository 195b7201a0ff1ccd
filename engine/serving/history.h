// A user's events as a model sees them: only those that pass the solution's filter, only items that
// the model knows or can place by their metadata; around each event what is known of its context
// and of the user.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/dataset/event_filter.h"
#include "engine/dataset/metadata.h"
#include "engine/dataset/sources.h"
#include "engine/recipes/recipe.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"

namespace personalize {

// A history and all it points to. Keeps its buffers from user to user.
struct UserHistory {
  std::vector<ModelEvent> events;
  // Question::columns: of the question's context and of the user.
  std::vector<ColumnIndex> asked;
  // The unseen items that the events name; null: none.
  std::shared_ptr<const UnseenTable> unseen;

  // The question about this user; `state`: his after these events.
  Question question(std::span<const float> state) const { return {events, state, asked}; }

 private:
  friend class HistoryReader;
  std::vector<ColumnIndex> arena_;  // of ModelEvent::columns
};

// Reads histories from one source for one model. Remembers what each of the source's item and event
// type codes is to the model, so that an event costs an array access once its codes are known, and
// the columns of contexts; the memory is bounded by the number of codes. Used by one thread.
class HistoryReader {
 public:
  // `source` and `users` (null: nothing is known of users) must outlive the reader.
  HistoryReader(EventSource& source, std::shared_ptr<const LoadedModel> model,
                MetadataSource* users = nullptr);

  // Replaces `history` by the user's events in order. A user the source does not know has none: no
  // error. Events of items in `unseen` (of the same model; null: none) are in it if anything the
  // model knows is known of them. `context`: of the question, one value a field of the source's
  // context_fields(), or none.
  Status read(std::string_view user_id, std::shared_ptr<const UnseenTable> unseen,
              std::span<const FieldValue> context, UserHistory& history);

  // Where the user of the last read() stands, so that go_on() can add what comes. Nothing if the
  // model reads more of an event than ModelEvent's own fields, or the source can't tell.
  std::optional<UserPosition> position() const;
  // Appends the events that came after `position`, which this reader gave for the same user, to
  // those of `history` and moves the position; no columns, no unseen items. Anything but kAppended:
  // read() tells, and `history` is as it was.
  Result<Continuation> go_on(UserPosition& position, UserHistory& history);

 private:
  // Appends those of events_ that the model takes.
  Status add_events(const UnseenTable* unseen, UserHistory& history);
  Result<ItemIndex> item_of(ItemCode code, const UnseenTable* unseen);
  // The number of an event's context, whose columns context_start_ and context_columns_ then have.
  Result<uint32_t> context_of(const double* context);
  // Appends the user's columns.
  Status add_user(std::string_view user_id, std::vector<ColumnIndex>& columns);
  // Forgets what has become another thing, or too much.
  void refresh(const std::shared_ptr<const UnseenTable>& unseen);
  // Gives the events their columns: of the context by number, and of the user.
  void add_columns(std::span<const ColumnIndex> user, UserHistory& history);

  EventSource& source_;
  std::shared_ptr<const LoadedModel> model_;
  MetadataSource* users_;
  FilterCheck check_;
  std::vector<Event> events_;
  std::vector<ItemIndex> item_;  // by item code
  uint64_t generation_ = 0;
  std::shared_ptr<const UnseenTable> unseen_;  // whose numbers may be in item_

  FieldPlaces context_places_, user_places_;  // of the source's fields
  bool reads_context_ = false;
  bool reads_users_ = false;
  std::unordered_map<std::string, uint32_t> contexts_;  // by the bytes of Event::context
  std::vector<size_t> context_start_ = {0};             // one a context, and the end
  std::vector<ColumnIndex> context_columns_;
  std::vector<uint32_t> event_context_;  // one an event of the history being read
  std::vector<size_t> context_place_;    // by context: where the history has its columns
  std::vector<FieldValue> values_;
  std::string key_;
};

}  // namespace personalize
