// Events of Amazon's PutEvents on their way into an interactions dataset.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"
#include "extension/json_row.h"
#include "extension/known_events.h"

namespace personalize {

// For one call: holds statements, so it goes before the call ends. Everything runs in the caller's
// transaction, which takes the events of a call back when one of them fails.
class EventIntake {
 public:
  // The events of `session` belong to `user`; empty, or the session's id: not known, see
  // session_users.h. Errors: kInvalidInput if the dataset reads a business table, kConstraint if
  // an id does not fit.
  static Result<EventIntake> open(Connection& connection, const Dataset& interactions,
                                  std::string session, std::string user);

  // Writes an event of eventList; false if the user has the same event already. Errors:
  // kInvalidInput and kConstraint naming the key; what INSERT meets.
  Result<bool> write(const nlohmann::json& event);

 private:
  EventIntake(Connection& connection, const Dataset& interactions, std::string session,
              std::string user);

  Status check_id_of(std::string_view key, std::string_view id) const;
  // Sets user_ to whom the events are written under.
  Status find_user();
  // Fills row_ with the event.
  Status read(const nlohmann::json& event);
  Status read_time(const nlohmann::json& event);
  Status read_impression(const nlohmann::json& event);
  Status read_attribution(const nlohmann::json& event);
  // A required key into its column.
  Status read_required(const nlohmann::json& event, std::string_view key, size_t column);

  Connection* connection_;
  const Dataset* dataset_;
  std::string session_;
  std::string user_;
  size_t user_column_, item_column_, type_column_, value_column_, time_column_, session_column_,
      impression_column_, recommendation_column_, attribution_column_;
  int event_id_column_;  // -1: not declared
  JsonRow row_;
  std::string impression_;
  std::optional<KnownEvents> known_;
  Statement insert_;
};

}  // namespace personalize
