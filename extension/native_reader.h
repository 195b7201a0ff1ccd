// The EventSource over a native interactions table.
#pragma once

#include <string>
#include <vector>

#include "engine/dataset/sources.h"
#include "extension/connection.h"
#include "extension/context_columns.h"
#include "extension/dataset_config.h"
#include "extension/id_dictionary.h"

namespace personalize {

// Codes are those of the shadow dictionaries, so they hold from one session to the next.
class NativeReader : public EventSource {
 public:
  // `marked`: whether the dataset has the mark of changes (has_mark()); without it there are no
  // positions.
  NativeReader(Connection& connection, std::string_view schema, std::string_view table,
               const DatasetConfig& config, bool marked);

  Status scan(EventSink& sink) override;
  Result<std::optional<SourceBounds>> bounds() override;
  Status of_user(std::string_view user_id, std::vector<Event>& events) override;
  Result<std::string_view> item_id(ItemCode code) override { return items_.text(code); }
  Result<std::string_view> event_type(EventTypeCode code) override { return types_.text(code); }
  std::optional<UserPosition> position() const override { return position_; }
  Result<Continuation> go_on(UserPosition& position, std::vector<Event>& events) override;
  uint64_t dictionary_generation() const override {
    return connection_.rollbacks() + schema_changes_;
  }
  std::span<const MetadataField> context_fields() const override { return context_.fields(); }
  void read_context(bool wanted) override;
  Result<std::string_view> context_text(size_t field, double number) override {
    return context_.text(field, number);
  }

 private:
  // Forgets the dictionaries after any change of the schema: the table may be another one now.
  Status check_schema();
  // Appends the event of a row, whose columns are ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE, and
  // those of the context.
  Status read_event(std::span<sqlite3_value*> row, std::vector<Event>& events);
  // Orders the events read by time.
  void finish(std::vector<Event>& events) const;

  class Scan;
  // Events of one user, in the order of arrival.
  class UserRows;

  Connection& connection_;
  const uint64_t number_;    // no other reader of the process has it
  const std::string table_;  // for messages
  const std::string schema_version_query_;
  const std::string bounds_query_;
  const std::string events_table_;
  const std::string users_table_;
  const std::string mark_;  // an expression
  const bool marked_;
  std::string user_query_;  // one user's events
  std::string tail_query_;  // those from one on
  std::string scan_query_;  // all events
  ContextColumns context_;
  CodeTexts items_;
  CodeTexts types_;
  int64_t schema_version_ = -1;
  uint64_t schema_changes_ = 0;
  std::optional<UserPosition> position_;
};

}  // namespace personalize
