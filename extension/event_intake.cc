#include "extension/event_intake.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <vector>

#include "extension/impression.h"
#include "extension/iso_time.h"
#include "extension/request_json.h"
#include "extension/session_users.h"

namespace personalize {
namespace {

using nlohmann::json;

// Clocks of those who send events are not all right.
constexpr int64_t kSecondsOfTolerance = 300;

Status refuse(std::string_view what) { return {StatusCode::kInvalidInput, std::string(what)}; }

int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A text that is a number, such as the AWS command line sends.
std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The Unix seconds in a number, or in a text that is one or a date; a fraction is cut off.
std::optional<int64_t> seconds_in(const json& time) {
  std::optional<double> number;
  if (time.is_number()) number = time.get<double>();
  if (time.is_string()) {
    const auto& text = time.get_ref<const std::string&>();
    if (const std::optional<int64_t> seconds = parse_iso_time(text)) return seconds;
    number = number_in(text);
  }
  constexpr double kLargestExact = 9007199254740992.0;  // 2^53
  if (!number || !(std::fabs(*number) <= kLargestExact)) return std::nullopt;
  return static_cast<int64_t>(std::floor(*number));
}

}  // namespace

EventIntake::EventIntake(Connection& connection, const Dataset& interactions, std::string session,
                         std::string user)
    : connection_(&connection),
      dataset_(&interactions),
      session_(std::move(session)),
      user_(std::move(user)),
      row_(interactions) {
  const auto place = [&](std::string_view name) {
    return static_cast<size_t>(interactions.config.find(name));
  };
  user_column_ = place("USER_ID");
  item_column_ = place("ITEM_ID");
  type_column_ = place("EVENT_TYPE");
  value_column_ = place("EVENT_VALUE");
  time_column_ = place("TIMESTAMP");
  session_column_ = place("SESSION_ID");
  impression_column_ = place("IMPRESSION");
  recommendation_column_ = place("RECOMMENDATION_ID");
  event_id_column_ = interactions.config.find("EVENT_ID");
  attribution_column_ = place("EVENT_ATTRIBUTION_SOURCE");
}

Result<EventIntake> EventIntake::open(Connection& connection, const Dataset& interactions,
                                      std::string session, std::string user) {
  PERSONALIZE_RETURN_IF_ERROR(check_takes_rows(interactions));
  EventIntake intake(connection, interactions, std::move(session), std::move(user));
  PERSONALIZE_RETURN_IF_ERROR(intake.find_user());
  PERSONALIZE_ASSIGN_OR_RETURN(intake.insert_, intake.row_.prepare_insert(connection, "INSERT"));
  PERSONALIZE_ASSIGN_OR_RETURN(intake.known_,
                               KnownEvents::read(connection, interactions, intake.user_));
  return intake;
}

Status EventIntake::check_id_of(std::string_view key, std::string_view id) const {
  const Status status = check_id(dataset_->entry.table, dataset_->config.columns[user_column_], id);
  return status.is_ok() ? status : at_place(status, key, "");
}

Status EventIntake::find_user() {
  PERSONALIZE_RETURN_IF_ERROR(check_id_of("sessionId", session_));
  if (!user_.empty() && user_ != session_) {
    PERSONALIZE_RETURN_IF_ERROR(check_id_of("userId", user_));
    return join_session(*connection_, *dataset_, session_, user_);
  }
  PERSONALIZE_ASSIGN_OR_RETURN(user_, user_of_session(*connection_, *dataset_, session_));
  if (user_.empty()) user_ = session_;
  return Status::ok();
}

Status EventIntake::read_required(const json& event, std::string_view key, size_t column) {
  const json* value = find_json(event, key);
  if (value == nullptr) return refuse(fmt::format("{} is missing", key));
  PERSONALIZE_RETURN_IF_ERROR(row_.set(column, *value, key));
  return row_.has(column) ? Status::ok() : refuse(fmt::format("{} is empty", key));
}

Status EventIntake::read_time(const json& event) {
  const json* time = find_json(event, "sentAt");
  if (time == nullptr) return refuse("sentAt is missing");
  const std::optional<int64_t> sent_at = seconds_in(*time);
  if (!sent_at)
    return refuse(
        fmt::format("sentAt is {}; it is a number of Unix seconds, or a text such as "
                    "'2024-05-01T12:30:00Z'",
                    shown_json(*time)));
  PERSONALIZE_ASSIGN_OR_RETURN(
      const int64_t seconds,
      checked_timestamp(DatasetKind::kInteractions, "event", "sentAt", ColumnValue::of(*sent_at)));
  if (seconds > now() + kSecondsOfTolerance)
    return refuse(
        fmt::format("sentAt is {}, which is yet to come; an event has happened (a clock "
                    "may be {} seconds fast)",
                    shown_json(*time), kSecondsOfTolerance));
  return row_.set(time_column_, seconds);
}

Status EventIntake::read_impression(const json& event) {
  const json* impression = find_json(event, "impression");
  if (impression == nullptr) return Status::ok();
  if (!impression->is_array())
    return refuse(
        fmt::format("impression is {}; it is an array of item ids", shown_json(*impression)));
  std::vector<std::string> items;
  for (const json& item : *impression) {
    PERSONALIZE_ASSIGN_OR_RETURN(std::string id, json_id(item, "impression"));
    const Status status =
        check_id(dataset_->entry.table, dataset_->config.columns[item_column_], id);
    if (!status.is_ok()) return at_place(status, "impression", "");
    items.push_back(std::move(id));
  }
  if (items.empty()) return Status::ok();
  impression_ = impression_of(items);
  return row_.set(impression_column_, std::string_view(impression_), "impression");
}

Status EventIntake::read_attribution(const json& event) {
  const json* attribution = find_json(event, "metricAttribution");
  if (attribution == nullptr) return Status::ok();
  constexpr std::array<std::string_view, 1> kKeys = {"eventAttributionSource"};
  if (!attribution->is_object())
    return refuse(
        fmt::format("metricAttribution is {}; it is {{\"eventAttributionSource\": "
                    "\"...\"}}",
                    shown_json(*attribution)));
  PERSONALIZE_RETURN_IF_ERROR(check_json_keys(*attribution, "metricAttribution", kKeys));
  const json* source = find_json(*attribution, kKeys[0]);
  if (source == nullptr) return refuse("metricAttribution: eventAttributionSource is missing");
  return row_.set(attribution_column_, *source, kKeys[0]);
}

Status EventIntake::read(const json& event) {
  constexpr std::array<std::string_view, 9> kKeys = {
      "eventType",  "sentAt",           "eventId",    "eventValue",       "itemId",
      "properties", "recommendationId", "impression", "metricAttribution"};
  if (!event.is_object())
    return refuse(fmt::format("the event is {}; it is an object such as {}", shown_json(event),
                              R"({"eventType": "click", "sentAt": 1700000000, "itemId": "7"})"));
  PERSONALIZE_RETURN_IF_ERROR(check_json_keys(event, "", kKeys));
  row_.clear();
  PERSONALIZE_RETURN_IF_ERROR(row_.set(user_column_, std::string_view(user_), "userId"));
  PERSONALIZE_RETURN_IF_ERROR(row_.set(session_column_, std::string_view(session_), "sessionId"));
  PERSONALIZE_RETURN_IF_ERROR(read_required(event, "eventType", type_column_));
  PERSONALIZE_RETURN_IF_ERROR(read_time(event));
  struct Optional {
    std::string_view key;
    int column;
  };
  for (const Optional& one : {Optional{"itemId", static_cast<int>(item_column_)},
                              {"eventValue", static_cast<int>(value_column_)},
                              {"recommendationId", static_cast<int>(recommendation_column_)},
                              {"eventId", event_id_column_}}) {
    const json* value = find_json(event, one.key);
    if (value != nullptr && one.column >= 0)
      PERSONALIZE_RETURN_IF_ERROR(row_.set(static_cast<size_t>(one.column), *value, one.key));
  }
  PERSONALIZE_RETURN_IF_ERROR(read_impression(event));
  PERSONALIZE_RETURN_IF_ERROR(read_attribution(event));
  if (const json* properties = find_json(event, "properties"))
    PERSONALIZE_RETURN_IF_ERROR(row_.set_properties(*properties));
  return row_.check_complete();
}

Result<bool> EventIntake::write(const json& event) {
  PERSONALIZE_RETURN_IF_ERROR(read(event));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool there, known_->contains(row_));
  if (there) return false;
  PERSONALIZE_RETURN_IF_ERROR(row_.insert(insert_));
  known_->add(row_, sqlite3_last_insert_rowid(connection_->db()));
  return true;
}

}  // namespace personalize
