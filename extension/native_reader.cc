#include "extension/native_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>

#include "extension/row_visitor.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

// The parameters of the queries that are not for their conditions.
constexpr int kUserVisitor = 2, kTailVisitor = 3, kScanVisitor = 1;

uint64_t next_number() {
  static std::atomic<uint64_t> readers = 0;
  return ++readers;
}

bool is_same(const Event& a, const Event& b) {
  return a.timestamp == b.timestamp && a.item == b.item && a.type == b.type &&
         std::bit_cast<uint32_t>(a.value) == std::bit_cast<uint32_t>(b.value);
}

// Rows come in order of arrival; most users' events also arrive in order of time.
void sort_by_time(std::vector<Event>& events) {
  const auto earlier = [](const Event& a, const Event& b) { return a.timestamp < b.timestamp; };
  if (!std::is_sorted(events.begin(), events.end(), earlier))
    std::stable_sort(events.begin(), events.end(), earlier);
}

}  // namespace

NativeReader::NativeReader(Connection& connection, std::string_view schema, std::string_view table,
                           const DatasetConfig& config, bool marked)
    : connection_(connection),
      number_(next_number()),
      table_(table),
      schema_version_query_(fmt::format("PRAGMA {}.schema_version", sql_name(schema))),
      bounds_query_(fmt::format("SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), "
                                "(SELECT count(*) FROM {})",
                                shadow_table(schema, table, "event"),
                                shadow_table(schema, table, "user"),
                                shadow_table(schema, table, "item"))),
      events_table_(shadow_table(schema, table, "event")),
      users_table_(shadow_table(schema, table, "user")),
      mark_(marked ? fmt::format("(SELECT mark FROM {})", shadow_table(schema, table, "change"))
                   : "NULL"),
      marked_(marked),
      context_(config),
      items_(connection, shadow_table(schema, table, "item")),
      types_(connection, shadow_table(schema, table, "type")) {
  read_context(false);
}

void NativeReader::read_context(bool wanted) {
  if (!scan_query_.empty() && wanted == context_.wanted()) return;
  context_.want(wanted);
  const std::string columns =
      "e.USER_ID, e.ITEM_ID, e.TIMESTAMP, e.EVENT_TYPE, e.EVENT_VALUE" + context_.select_list();
  const size_t count = 5 + (context_.wanted() ? context_.fields().size() : 0);
  user_query_ = sql_of(
      connection_, {mark_ + ", " + columns, count + 1,
                    fmt::format("{} AS u CROSS JOIN {} AS e ON e.USER_ID BETWEEN u.code << 32 AND "
                                "(u.code << 32) + 4294967295",
                                users_table_, events_table_),
                    "u.id = ?1", "e.USER_ID", kUserVisitor});
  tail_query_ = sql_of(connection_, {mark_ + ", " + columns, count + 1, events_table_ + " AS e",
                                     "e.USER_ID BETWEEN ?1 AND ?2", "e.USER_ID", kTailVisitor});
  scan_query_ =
      sql_of(connection_, {columns, count, events_table_ + " AS e", "", "e.USER_ID", kScanVisitor});
}

Status NativeReader::check_schema() {
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t now, connection_.number(schema_version_query_));
  if (now == schema_version_) return Status::ok();
  if (schema_version_ >= 0) schema_changes_++;
  schema_version_ = now;
  items_.forget();
  types_.forget();
  return Status::ok();
}

Status NativeReader::read_event(std::span<sqlite3_value*> row, std::vector<Event>& events) {
  const auto is_null = [&](size_t column) {
    return sqlite3_value_type(row[column]) == SQLITE_NULL;
  };
  const int64_t item = sqlite3_value_int64(row[0]);
  const int64_t type = is_null(2) ? kNoEventType : sqlite3_value_int64(row[2]);
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  if (item <= 0 || item > kLargest || type < kNoEventType || type > kLargest)
    return {StatusCode::kCorrupt,
            fmt::format("the events of '{}' were changed by hand: there is an item {} and an event "
                        "type {}",
                        table_, item, type)};
  Event event;
  event.item = static_cast<ItemCode>(item);
  event.timestamp = sqlite3_value_int64(row[1]);
  event.type = static_cast<EventTypeCode>(type);
  if (!is_null(3)) event.value = static_cast<float>(sqlite3_value_double(row[3]));
  events.push_back(event);
  context_.read(row.subspan(4));
  return Status::ok();
}

void NativeReader::finish(std::vector<Event>& events) const {
  context_.attach(events, [](Event& event) -> Event& { return event; });
  sort_by_time(events);
}

class NativeReader::UserRows : public RowVisitor {
 public:
  UserRows(NativeReader& reader, std::vector<Event>& events) : reader_(reader), events_(events) {}
  Status row(std::span<sqlite3_value*> values) override {
    mark_ = sqlite3_value_int64(values[0]);
    last_row_ = sqlite3_value_int64(values[1]);
    if (events_.empty()) first_row_ = last_row_;
    return reader_.read_event(values.subspan(2), events_);
  }
  int64_t mark() const { return mark_; }
  int64_t first_row() const { return first_row_; }
  int64_t last_row() const { return last_row_; }

 private:
  NativeReader& reader_;
  std::vector<Event>& events_;
  int64_t mark_ = 0, first_row_ = 0, last_row_ = 0;
};

Status NativeReader::of_user(std::string_view user_id, std::vector<Event>& events) {
  events.clear();
  context_.clear();
  position_.reset();
  PERSONALIZE_RETURN_IF_ERROR(check_schema());
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(user_query_));
  statement.bind(1, user_id);
  UserRows rows(*this, events);
  PERSONALIZE_RETURN_IF_ERROR(visit_rows(statement, kUserVisitor, rows));
  if (events.empty()) return Status::ok();
  const int64_t newest_row = rows.last_row();
  const Event last = events.back();
  finish(events);
  // Without a mark nobody would tell of changes to what is remembered.
  if (marked_)
    position_ = {number_, schema_changes_, newest_row, last, events.back().timestamp, rows.mark()};
  return Status::ok();
}

Result<Continuation> NativeReader::go_on(UserPosition& position, std::vector<Event>& events) {
  events.clear();
  context_.clear();
  PERSONALIZE_RETURN_IF_ERROR(check_schema());
  if (position.source != number_ || position.generation != schema_changes_)
    return Continuation::kUnknown;
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(tail_query_));
  statement.bind(1, position.last_row)
      .bind(2, event_key(user_of_key(position.last_row), kLastPlace));
  UserRows rows(*this, events);
  PERSONALIZE_RETURN_IF_ERROR(visit_rows(statement, kTailVisitor, rows));
  // The event itself may be of another history than it was: of a database that was put back.
  const bool goes_on = !events.empty() && rows.mark() == position.mark &&
                       rows.first_row() == position.last_row &&
                       is_same(events.front(), position.last);
  if (!goes_on) {
    events.clear();
    return Continuation::kUnknown;
  }
  context_.attach(events, [](Event& event) -> Event& { return event; });
  position.last = events.back();
  position.last_row = rows.last_row();
  events.erase(events.begin());
  for (const Event& event : events) {
    if (event.timestamp < position.newest) {
      events.clear();
      return Continuation::kInserted;
    }
    position.newest = event.timestamp;
  }
  return Continuation::kAppended;
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

// Gathers rows until the user changes.
class NativeReader::Scan : public RowVisitor {
 public:
  Scan(NativeReader& reader, EventSink& sink, Statement user_text)
      : reader_(reader), sink_(sink), user_text_(std::move(user_text)) {}

  Status row(std::span<sqlite3_value*> values) override {
    if (const int64_t next = user_of_key(sqlite3_value_int64(values[0])); next != user_) {
      PERSONALIZE_RETURN_IF_ERROR(give());
      if (next < user_)
        return {StatusCode::kInternal, "the events did not come in the order of their users"};
      user_ = next;
    }
    return reader_.read_event(values.subspan(1), events_);
  }
  // Gives the sink the user whose rows were read last.
  Status give() {
    if (events_.empty()) return Status::ok();
    PERSONALIZE_ASSIGN_OR_RETURN(const bool known, user_text_.bind(1, user_).step());
    if (!known)
      return {StatusCode::kCorrupt, fmt::format("{} has no code {}: it was changed by hand",
                                                reader_.users_table_, user_)};
    reader_.finish(events_);
    const Status status = sink_.user(user_text_.text(0), events_);
    user_text_.reset();
    events_.clear();
    reader_.context_.clear();
    return status;
  }

 private:
  NativeReader& reader_;
  EventSink& sink_;
  Statement user_text_;
  std::vector<Event> events_;
  int64_t user_ = 0;
};

Status NativeReader::scan(EventSink& sink) {
  PERSONALIZE_RETURN_IF_ERROR(check_schema());
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(scan_query_));
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement user_text,
      connection_.cached(fmt::format("SELECT id FROM {} WHERE code = ?1", users_table_)));
  context_.clear();
  Scan scan(*this, sink, std::move(user_text));
  PERSONALIZE_RETURN_IF_ERROR(visit_rows(statement, kScanVisitor, scan));
  return scan.give();
}

}  // namespace personalize
