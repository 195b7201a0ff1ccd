#include "extension/put_events_function.h"

#include <fmt/format.h>

#include <array>

#include "extension/boundary.h"
#include "extension/event_intake.h"
#include "extension/event_tracker.h"
#include "extension/request_json.h"
#include "extension/savepoint.h"

namespace personalize {
namespace {

using nlohmann::json;

constexpr std::string_view kPutEvents = "personalize_put_events";
constexpr std::string_view kPutEvent = "personalize_put_event";
constexpr std::string_view kEventExample =
    R"({"eventType": "click", "sentAt": 1700000000, "itemId": "7"})";
constexpr std::string_view kRequestExample =
    R"({"trackingId": "...", "sessionId": "...", "userId": "...", "eventList": [{"eventType": )"
    R"("click", "sentAt": 1700000000, "itemId": "7"}]})";

// Who sends events, whose they are.
struct Sender {
  std::string tracking_id;
  std::string session;
  std::string user;  // empty: not known
};

Status refuse(std::string_view what) { return {StatusCode::kInvalidInput, std::string(what)}; }

// Writes events, all or none. `place_of(i)` names event i in messages.
template <typename PlaceOf>
Result<int64_t> put(Connection& connection, std::string_view function, const Sender& sender,
                    std::span<const json* const> events, const PlaceOf& place_of) {
  PERSONALIZE_ASSIGN_OR_RETURN(const EventTracker tracker,
                               find_event_tracker(connection, sender.tracking_id, function));
  const auto failed = [&](const Status& status, std::string_view place) {
    return at_place(status, function, place);
  };
  const Result<Dataset> interactions =
      find_interactions(connection, tracker.schema, tracker.dataset_group);
  if (!interactions.is_ok()) return interactions.status();
  PERSONALIZE_ASSIGN_OR_RETURN(Savepoint savepoint,
                               Savepoint::open(connection, tracker.schema, function));
  int64_t written = 0;
  {
    Result<EventIntake> intake =
        EventIntake::open(connection, *interactions, sender.session, sender.user);
    if (!intake.is_ok()) return failed(intake.status(), "");
    for (size_t i = 0; i < events.size(); i++) {
      const Result<bool> is_new = intake->write(*events[i]);
      if (!is_new.is_ok()) return failed(is_new.status(), place_of(i));
      written += *is_new;
    }
  }
  PERSONALIZE_RETURN_IF_ERROR(savepoint.release());
  return written;
}

// The id under `key`; empty if there is none and it is not required.
Result<std::string> id_at(const json& request, std::string_view key, bool is_required) {
  const json* value = find_json(request, key);
  if (value == nullptr) {
    if (!is_required) return std::string();
    return refuse(fmt::format("{} is missing", key));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(std::string id, json_id(*value, key));
  if (id.empty()) return refuse(fmt::format("{} is empty", key));
  return id;
}

Result<Sender> sender_of(const json& request) {
  constexpr std::array<std::string_view, 4> kKeys = {"trackingId", "sessionId", "userId",
                                                     "eventList"};
  PERSONALIZE_RETURN_IF_ERROR(check_json_keys(request, "", kKeys));
  Sender sender;
  PERSONALIZE_ASSIGN_OR_RETURN(sender.tracking_id, id_at(request, "trackingId", true));
  PERSONALIZE_ASSIGN_OR_RETURN(sender.session, id_at(request, "sessionId", true));
  PERSONALIZE_ASSIGN_OR_RETURN(sender.user, id_at(request, "userId", false));
  return sender;
}

Result<int64_t> put_events(Connection& connection, sqlite3_value* argument) {
  const auto failed = [](const Status& status) { return at_place(status, kPutEvents, ""); };
  const Result<json> request = parse_json_object(argument, "the request", kRequestExample);
  if (!request.is_ok()) return failed(request.status());
  const Result<Sender> sender = sender_of(*request);
  if (!sender.is_ok()) return failed(sender.status());
  const Result<const json*> list = json_list(*request, "eventList");
  if (!list.is_ok()) return failed(list.status());
  std::vector<const json*> events;
  for (const json& event : **list) events.push_back(&event);
  return put(connection, kPutEvents, *sender, events,
             [](size_t i) { return fmt::format("eventList[{}]", i); });
}

Result<int64_t> put_event(Connection& connection, sqlite3_value** arguments) {
  const auto failed = [](const Status& status) { return at_place(status, kPutEvent, ""); };
  Sender sender;
  const auto read = [&](sqlite3_value* value, std::string_view name, std::string& id) -> Status {
    Result<std::string> found = id_of(value, name);
    if (!found.is_ok()) return failed(found.status());
    id = std::move(*found);
    return Status::ok();
  };
  PERSONALIZE_RETURN_IF_ERROR(read(arguments[0], "tracking_id", sender.tracking_id));
  PERSONALIZE_RETURN_IF_ERROR(read(arguments[1], "session_id", sender.session));
  if (sqlite3_value_type(arguments[2]) != SQLITE_NULL)
    PERSONALIZE_RETURN_IF_ERROR(read(arguments[2], "user_id", sender.user));
  const Result<json> event = parse_json_object(arguments[3], "the event", kEventExample);
  if (!event.is_ok()) return failed(event.status());
  const json* events[] = {&*event};
  return put(connection, kPutEvent, sender, events, [](size_t) { return std::string(); });
}

template <typename Body>
void give(sqlite3_context* context, const Body& body) {
  guarded_function(context, [&]() -> Status {
    PERSONALIZE_ASSIGN_OR_RETURN(const int64_t written, body(connection_of(context)));
    sqlite3_result_int64(context, written);
    return Status::ok();
  });
}

}  // namespace

Status register_put_events_functions(const std::shared_ptr<Connection>& connection) {
  PERSONALIZE_RETURN_IF_ERROR(register_scalar(
      connection, kPutEvents.data(), 1, SQLITE_DIRECTONLY,
      [](sqlite3_context* context, int, sqlite3_value** values) {
        give(context, [&](Connection& here) { return put_events(here, values[0]); });
      }));
  return register_scalar(connection, kPutEvent.data(), 4, SQLITE_DIRECTONLY,
                         [](sqlite3_context* context, int, sqlite3_value** values) {
                           give(context, [&](Connection& here) { return put_event(here, values); });
                         });
}

}  // namespace personalize
