#include "extension/content_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "extension/boundary.h"
#include "extension/column_value.h"
#include "extension/row_visitor.h"

namespace personalize {
namespace {

constexpr int kVisitor = 3;          // the parameter after the two of content_id_condition(..., 1)
constexpr size_t kContextBegin = 6;  // columns_ before the contextual ones

// Where no type is declared, 42, 42.0 and '42' may all be stored, and are one user.
std::string order_of(const std::string& column, bool untyped) {
  if (!untyped) return column + " COLLATE BINARY";
  return fmt::format(
      "CAST(CASE typeof({0}) WHEN 'real' THEN CAST({0} AS INTEGER) ELSE {0} END AS TEXT) COLLATE "
      "BINARY",
      column);
}

}  // namespace

ContentReader::ContentReader(Connection& connection, std::string_view schema, DatasetConfig config,
                             BusinessTable business)
    : connection_(connection), config_(std::move(config)), business_(business), context_(config_) {
  user_column_ = config_.columns[config_.find("USER_ID")].content_column;
  timestamp_column_ = config_.columns[config_.find("TIMESTAMP")].content_column;
  user_order_ = order_of(sql_name(user_column_), business_.id_is_untyped);
  from_ = fmt::format("{}.{}", sql_name(schema), sql_name(config_.content));
  read_context(false);
}

void ContentReader::read_context(bool wanted) {
  if (!columns_.empty() && wanted == context_.wanted()) return;
  const auto expression = [&](const char* column) {
    return content_expression(config_.columns[config_.find(column)]);
  };
  context_.want(wanted);
  columns_ =
      fmt::format("{}, {}, {}, {}, {}, {}{}", expression("USER_ID"), expression("ITEM_ID"),
                  expression("TIMESTAMP"), expression("EVENT_TYPE"), expression("EVENT_VALUE"),
                  business_.has_rowid ? "rowid" : "0", context_.select_list());
  const size_t count = kContextBegin + (context_.wanted() ? context_.fields().size() : 0);
  user_query_ = sql_of(
      connection_, {columns_, count, from_, content_id_condition(user_column_, 1), "", kVisitor});
}

bool ContentReader::read_user(sqlite3_value* value, std::string& user) {
  const bool is_integer = sqlite3_value_type(value) == SQLITE_INTEGER;
  const int64_t integer = is_integer ? sqlite3_value_int64(value) : 0;
  // Rows of one user follow each other.
  if (!is_integer || integer != user_number_) {
    Result<std::string> id = id_of(value, "");
    user_number_.reset();
    if (!id.is_ok()) return false;
    user_text_ = std::move(*id);
    if (is_integer) user_number_ = integer;
  }
  user = user_text_;
  return true;
}

std::optional<ItemCode> ContentReader::read_item(sqlite3_value* value) {
  const bool is_integer = sqlite3_value_type(value) == SQLITE_INTEGER;
  const int64_t integer = is_integer ? sqlite3_value_int64(value) : 0;
  if (is_integer) {
    const auto known = numbered_items_.find(integer);
    if (known != numbered_items_.end()) return known->second;
  }
  const Result<std::string> id = id_of(value, "");
  if (!id.is_ok()) return std::nullopt;
  const ItemCode code = items_.number(*id);
  if (is_integer) numbered_items_.emplace(integer, code);
  return code;
}

Result<bool> ContentReader::read_row(std::span<sqlite3_value*> values, std::string& user,
                                     Row& row) {
  const auto is_null = [&](size_t column) {
    return sqlite3_value_type(values[column]) == SQLITE_NULL;
  };
  if (!read_user(values[0], user)) return false;
  const std::optional<ItemCode> item = read_item(values[1]);
  if (!item || is_null(2)) return false;
  row.event = Event();
  row.event.item = *item;
  row.arrival = sqlite3_value_int64(values[5]);
  const Result<int64_t> seconds = checked_timestamp(config_.kind, config_.content,
                                                    timestamp_column_, ColumnValue::of(values[2]));
  if (!seconds.is_ok()) {
    const Status explained = checked_content_timestamp(config_, values[2]).status();
    return Status(explained.code(),
                  fmt::format("{} (user '{}'{})", explained.message(), user,
                              business_.has_rowid ? fmt::format(", rowid {}", row.arrival) : ""));
  }
  row.event.timestamp = *seconds;
  if (!is_null(3)) row.event.type = types_.number(text_of(values[3]));
  if (!is_null(4)) row.event.value = static_cast<float>(sqlite3_value_double(values[4]));
  return true;
}

void ContentReader::sort_into(std::vector<Row>& rows, std::vector<Event>& events) const {
  context_.attach(rows, [](Row& row) -> Event& { return row.event; });
  const auto earlier = [](const Row& a, const Row& b) {
    if (a.event.timestamp != b.event.timestamp) return a.event.timestamp < b.event.timestamp;
    return a.arrival < b.arrival;
  };
  if (!std::is_sorted(rows.begin(), rows.end(), earlier))
    std::stable_sort(rows.begin(), rows.end(), earlier);
  events.clear();
  for (const Row& row : rows) events.push_back(row.event);
}

// The rows of one user.
class ContentReader::UserRows : public RowVisitor {
 public:
  UserRows(ContentReader& reader, std::string_view user_id) : reader_(reader), user_id_(user_id) {}

  Status row(std::span<sqlite3_value*> values) override {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool is_event, reader_.read_row(values, user_, row_));
    // The business table's own comparison may be looser: '042' is 42 to an INTEGER column.
    if (!is_event || user_ != user_id_) return Status::ok();
    rows.push_back(row_);
    reader_.context_.read(values.subspan(kContextBegin));
    return Status::ok();
  }
  std::vector<Row> rows;

 private:
  ContentReader& reader_;
  const std::string_view user_id_;
  std::string user_;
  Row row_;
};

Status ContentReader::of_user(std::string_view user_id, std::vector<Event>& events) {
  events.clear();
  context_.clear();
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(user_query_));
  bind_content_id(statement, 1, user_id);
  UserRows visitor(*this, user_id);
  PERSONALIZE_RETURN_IF_ERROR(visit_rows(statement, kVisitor, visitor));
  sort_into(visitor.rows, events);
  return Status::ok();
}

// Each event may be of an item of its own: only an index could tell how many there are.
Result<std::optional<SourceBounds>> ContentReader::bounds() {
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t count,
                               connection_.number(fmt::format("SELECT count(*) FROM {}", from_)));
  const auto rows = static_cast<uint64_t>(count);
  return std::optional<SourceBounds>({rows, rows, rows});
}

Status ContentReader::scan(EventSink& sink) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement, connection_.cached(fmt::format("SELECT {} FROM {} ORDER BY {}", columns_,
                                                          from_, user_order_)));
  std::vector<Row> rows;
  std::vector<sqlite3_value*> values(static_cast<size_t>(sqlite3_column_count(statement.get())));
  std::vector<Event> events;
  context_.clear();
  std::string current;
  const auto give = [&]() -> Status {
    if (rows.empty()) return Status::ok();
    sort_into(rows, events);
    rows.clear();
    const Status status = sink.user(current, events);
    context_.clear();
    return status;
  };
  std::string user;
  Row row;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) return give();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = sqlite3_column_value(statement.get(), static_cast<int>(i));
    PERSONALIZE_ASSIGN_OR_RETURN(const bool is_event, read_row(values, user, row));
    if (!is_event) continue;
    if (user != current) {
      PERSONALIZE_RETURN_IF_ERROR(give());
      current = user;
    }
    rows.push_back(row);
    context_.read(std::span(values).subspan(kContextBegin));
  }
}

Status ContentReader::list_users(std::string_view after, size_t limit,
                                 std::vector<std::string>& users) {
  const std::string condition = after.empty() ? "" : fmt::format(" WHERE {} > ?1", user_order_);
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection_.cached(fmt::format("SELECT {} FROM {}{} GROUP BY {} ORDER BY {}",
                                     sql_name(user_column_), from_, condition, user_order_,
                                     user_order_)));
  if (!after.empty()) statement.bind(1, after);
  while (users.size() < limit) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    Result<std::string> id = id_of(sqlite3_column_value(statement.get(), 0), "");
    if (id.is_ok()) users.push_back(std::move(*id));
  }
  return Status::ok();
}

}  // namespace personalize
