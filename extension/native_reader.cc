#include "extension/native_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "extension/shadow_tables.h"

namespace personalize {
namespace {

// Rows come in order of arrival; most users' events also arrive in order of time.
void sort_by_time(std::vector<Event>& events) {
  const auto earlier = [](const Event& a, const Event& b) { return a.timestamp < b.timestamp; };
  if (!std::is_sorted(events.begin(), events.end(), earlier))
    std::stable_sort(events.begin(), events.end(), earlier);
}

}  // namespace

NativeReader::NativeReader(Connection& connection, std::string_view schema, std::string_view table,
                           const DatasetConfig& config)
    : connection_(connection),
      table_(table),
      schema_version_query_(fmt::format("PRAGMA {}.schema_version", sql_name(schema))),
      bounds_query_(fmt::format("SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), "
                                "(SELECT count(*) FROM {})",
                                shadow_table(schema, table, "event"),
                                shadow_table(schema, table, "user"),
                                shadow_table(schema, table, "item"))),
      events_table_(shadow_table(schema, table, "event")),
      users_table_(shadow_table(schema, table, "user")),
      context_(config),
      items_(connection, shadow_table(schema, table, "item")),
      types_(connection, shadow_table(schema, table, "type")) {
  read_context(false);
}

void NativeReader::read_context(bool wanted) {
  context_.want(wanted);
  const std::string columns =
      "e.ITEM_ID, e.TIMESTAMP, e.EVENT_TYPE, e.EVENT_VALUE" + context_.select_list();
  user_query_ = fmt::format(
      "SELECT {} FROM {} AS u CROSS JOIN {} AS e ON e.USER_ID BETWEEN u.code << 32 AND (u.code << "
      "32) + 4294967295 WHERE u.id = ?1 ORDER BY e.USER_ID",
      columns, users_table_, events_table_);
  scan_query_ =
      fmt::format("SELECT e.USER_ID, {} FROM {} AS e ORDER BY e.USER_ID", columns, events_table_);
}

Status NativeReader::check_schema() {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(schema_version_query_));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  const int64_t now = statement.integer(0);
  if (now == schema_version_) return Status::ok();
  if (schema_version_ >= 0) schema_changes_++;
  schema_version_ = now;
  items_.forget();
  types_.forget();
  return Status::ok();
}

Status NativeReader::read_event(const Statement& statement, int first, std::vector<Event>& events) {
  const int64_t item = statement.integer(first);
  const int64_t type = statement.is_null(first + 2) ? kNoEventType : statement.integer(first + 2);
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  if (item <= 0 || item > kLargest || type < kNoEventType || type > kLargest)
    return {StatusCode::kCorrupt,
            fmt::format("the events of '{}' were changed by hand: there is an item {} and an event "
                        "type {}",
                        table_, item, type)};
  Event event;
  event.item = static_cast<ItemCode>(item);
  event.timestamp = statement.integer(first + 1);
  event.type = static_cast<EventTypeCode>(type);
  if (!statement.is_null(first + 3)) event.value = static_cast<float>(statement.real(first + 3));
  events.push_back(event);
  context_.read(statement, first + 4);
  return Status::ok();
}

void NativeReader::finish(std::vector<Event>& events) const {
  context_.attach(events, [](Event& event) -> Event& { return event; });
  sort_by_time(events);
}

Status NativeReader::of_user(std::string_view user_id, std::vector<Event>& events) {
  events.clear();
  context_.clear();
  PERSONALIZE_RETURN_IF_ERROR(check_schema());
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(user_query_));
  statement.bind(1, user_id);
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    PERSONALIZE_RETURN_IF_ERROR(read_event(statement, 0, events));
  }
  finish(events);
  return Status::ok();
}

// Counting rows looks at the pages of a b-tree, not at its rows. The dictionaries may know users
// and items whose events were deleted.
Result<std::optional<SourceBounds>> NativeReader::bounds() {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(bounds_query_));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  return std::optional<SourceBounds>({static_cast<uint64_t>(statement.integer(0)),
                                      static_cast<uint64_t>(statement.integer(1)),
                                      static_cast<uint64_t>(statement.integer(2))});
}

Status NativeReader::scan(EventSink& sink) {
  PERSONALIZE_RETURN_IF_ERROR(check_schema());
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(scan_query_));
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement user_text,
      connection_.cached(fmt::format("SELECT id FROM {} WHERE code = ?1", users_table_)));
  std::vector<Event> events;
  context_.clear();
  int64_t user = 0;
  const auto give = [&]() -> Status {
    if (events.empty()) return Status::ok();
    PERSONALIZE_ASSIGN_OR_RETURN(const bool known, user_text.bind(1, user).step());
    if (!known)
      return {StatusCode::kCorrupt,
              fmt::format("{} has no code {}: it was changed by hand", users_table_, user)};
    finish(events);
    const Status status = sink.user(user_text.text(0), events);
    user_text.reset();
    events.clear();
    context_.clear();
    return status;
  };
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    if (const int64_t next = user_of_key(statement.integer(0)); next != user) {
      PERSONALIZE_RETURN_IF_ERROR(give());
      user = next;
    }
    PERSONALIZE_RETURN_IF_ERROR(read_event(statement, 1, events));
  }
  return give();
}

}  // namespace personalize
