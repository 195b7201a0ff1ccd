#include "extension/event_writer.h"

#include <fmt/format.h>

#include "extension/boundary.h"
#include "extension/column_value.h"
#include "extension/impression.h"
#include "extension/shadow_tables.h"
#include "extension/store_access.h"

namespace personalize {
namespace {

constexpr size_t kMostRemembered = 1 << 20;

// A column's value goes to the parameter of its place; the key to that of USER_ID.
int parameter_of(size_t column) { return static_cast<int>(column) + 1; }

}  // namespace

EventWriter::EventWriter(Connection& connection, std::string_view schema, std::string_view table,
                         const DatasetConfig& config)
    : connection_(connection),
      config_(config),
      schema_(schema),
      table_(table),
      events_(shadow_table(schema, table, "event")),
      changes_(shadow_table(schema, table, "change")),
      users_(connection, shadow_table(schema, table, "user")),
      items_(connection, shadow_table(schema, table, "item")),
      types_(connection, shadow_table(schema, table, "type")),
      user_column_(static_cast<size_t>(config.find("USER_ID"))),
      item_column_(static_cast<size_t>(config.find("ITEM_ID"))),
      type_column_(static_cast<size_t>(config.find("EVENT_TYPE"))),
      impression_column_(static_cast<size_t>(config.find("IMPRESSION"))),
      recommendation_column_(static_cast<size_t>(config.find("RECOMMENDATION_ID"))),
      exposures_(connection, shadow_table(schema, table, "exposure"), items_) {}

Status EventWriter::refresh() {
  bool changed = rollbacks_ != connection_.rollbacks();
  rollbacks_ = connection_.rollbacks();
  if (others_may_have_written_) {
    if (!data_version_) {
      PERSONALIZE_ASSIGN_OR_RETURN(
          data_version_,
          connection_.cached(fmt::format("PRAGMA {}.data_version", sql_name(schema_))));
    }
    PERSONALIZE_RETURN_IF_ERROR(data_version_.step().status());
    const int64_t now = data_version_.integer(0);
    data_version_.reset();
    changed |= now != seen_data_version_;
    seen_data_version_ = now;
    others_may_have_written_ = false;
  }
  if (!changed) return Status::ok();
  users_.forget();
  items_.forget();
  types_.forget();
  next_place_.clear();
  return Status::ok();
}

Status EventWriter::mark_change() {
  if (!mark_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool marked, has_mark(connection_, schema_, table_));
    if (!marked) return Status::ok();
    PERSONALIZE_ASSIGN_OR_RETURN(
        mark_, connection_.cached(fmt::format("UPDATE {} SET mark = random()", changes_)));
  }
  return mark_.run();
}

Result<int64_t*> EventWriter::next_place(int64_t user) {
  if (const auto known = next_place_.find(user); known != next_place_.end()) return &known->second;
  if (!last_place_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        last_place_, connection_.cached(fmt::format("SELECT USER_ID FROM {} WHERE USER_ID BETWEEN "
                                                    "?1 AND ?2 ORDER BY USER_ID DESC LIMIT 1",
                                                    events_)));
  }
  last_place_.bind(1, event_key(user, 0)).bind(2, event_key(user, kLastPlace));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, last_place_.step());
  const int64_t next = row ? place_of_key(last_place_.integer(0)) + 1 : 0;
  last_place_.reset();
  if (next_place_.size() >= kMostRemembered) next_place_.clear();
  return &next_place_.emplace(user, next).first->second;
}

Status EventWriter::bind_row(Statement& statement, std::span<sqlite3_value*> values) {
  // Everything is checked before a new id is written, so that a refused row leaves none behind.
  std::string item;
  std::string_view recommendation;
  bool has_type = false;
  impression_.clear();
  for (size_t i = 0; i < values.size(); i++) {
    const DatasetColumn& column = config_.columns[i];
    if (i == user_column_) continue;
    if (i == item_column_) {
      PERSONALIZE_ASSIGN_OR_RETURN(item, checked_id(table_, column, values[i]));
      continue;
    }
    PERSONALIZE_ASSIGN_OR_RETURN(
        const ColumnValue value,
        checked_value(config_.kind, table_, column, ColumnValue::of(values[i])));
    if (i == type_column_) has_type = !value.is_null();
    if (i == recommendation_column_) recommendation = text_of(values[i]);
    if (i == impression_column_) impression_ = text_of(values[i]);
    bind_value(statement, parameter_of(i), value);
  }
  if (impression_.empty() && !recommendation.empty() && &statement == &insert_) {
    impression_ = implied_impression(recommendation);
    if (!impression_.empty()) statement.bind(parameter_of(impression_column_), impression_);
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t item_code, items_.find_or_add(item));
  statement.bind(parameter_of(item_column_), item_code);
  if (!has_type) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t type_code,
                               types_.find_or_add(text_of(values[type_column_])));
  statement.bind(parameter_of(type_column_), type_code);
  return Status::ok();
}

std::string EventWriter::implied_impression(std::string_view recommendation_id) {
  // Whatever is in the way, the event itself is in order.
  const Result<const Stores*> stores = open_stores(connection_, schema_, OpenMode::kReadWrite);
  std::vector<std::string> items;
  if (!stores.is_ok() || !(*stores)->recommendations->find(recommendation_id, items)) return {};
  return impression_of(items);
}

Result<std::string> EventWriter::stored_impression(int64_t rowid) {
  if (!old_impression_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        old_impression_,
        connection_.cached(fmt::format("SELECT IMPRESSION FROM {} WHERE USER_ID = ?1", events_)));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, old_impression_.bind(1, rowid).step());
  std::string impression(row ? old_impression_.text(0) : std::string_view());
  old_impression_.reset();
  return impression;
}

Result<Statement> EventWriter::prepare_insert() {
  std::string columns;
  std::string parameters;
  for (size_t i = 0; i < config_.columns.size(); i++) {
    const char* comma = i == 0 ? "" : ", ";
    columns += comma + sql_name(config_.columns[i].name);
    parameters += fmt::format("{}?{}", comma, parameter_of(i));
  }
  return connection_.cached(
      fmt::format("INSERT INTO {}({}) VALUES ({})", events_, columns, parameters));
}

Result<Statement> EventWriter::prepare_update() {
  std::string assignments;
  for (size_t i = 0; i < config_.columns.size(); i++) {
    if (i == user_column_) continue;
    assignments += fmt::format("{}{} = ?{}", assignments.empty() ? "" : ", ",
                               sql_name(config_.columns[i].name), parameter_of(i));
  }
  return connection_.cached(fmt::format("UPDATE {} SET {} WHERE USER_ID = ?{}", events_,
                                        assignments, parameter_of(user_column_)));
}

Result<int64_t> EventWriter::insert(std::span<sqlite3_value*> values, int) {
  PERSONALIZE_RETURN_IF_ERROR(refresh());
  if (!insert_) {
    PERSONALIZE_ASSIGN_OR_RETURN(insert_, prepare_insert());
  }
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::string user,
      checked_id(table_, config_.columns[user_column_], values[user_column_]));
  PERSONALIZE_RETURN_IF_ERROR(bind_row(insert_, values));
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t code, users_.find_or_add(user));
  PERSONALIZE_ASSIGN_OR_RETURN(int64_t* const place, next_place(code));
  if (*place > kLastPlace)
    return Status(
        StatusCode::kLimitExceeded,
        fmt::format("LimitExceededException: {}: the user '{}' has 2^32 events", table_, user));
  const int64_t key = event_key(code, *place);
  PERSONALIZE_RETURN_IF_ERROR(insert_.bind(parameter_of(user_column_), key).run());
  (*place)++;
  PERSONALIZE_RETURN_IF_ERROR(exposures_.count(impression_, 1));
  return key;
}

Status EventWriter::update(int64_t rowid, std::span<sqlite3_value*> values, int conflict) {
  PERSONALIZE_RETURN_IF_ERROR(refresh());
  const DatasetColumn& column = config_.columns[user_column_];
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string user,
                               checked_id(table_, column, values[user_column_]));
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t code, users_.find(user));
  if (code != user_of_key(rowid)) {
    // The event becomes the newest of another user.
    PERSONALIZE_RETURN_IF_ERROR(insert(values, conflict).status());
    return remove(rowid);
  }
  if (!update_) {
    PERSONALIZE_ASSIGN_OR_RETURN(update_, prepare_update());
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string old, stored_impression(rowid));
  PERSONALIZE_RETURN_IF_ERROR(bind_row(update_, values));
  PERSONALIZE_RETURN_IF_ERROR(mark_change());
  PERSONALIZE_RETURN_IF_ERROR(update_.bind(parameter_of(user_column_), rowid).run());
  if (old == impression_) return Status::ok();
  PERSONALIZE_RETURN_IF_ERROR(exposures_.count(old, -1));
  return exposures_.count(impression_, 1);
}

Status EventWriter::remove(int64_t rowid) {
  PERSONALIZE_RETURN_IF_ERROR(refresh());
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string impression, stored_impression(rowid));
  if (!delete_) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        delete_, connection_.cached(fmt::format("DELETE FROM {} WHERE USER_ID = ?1", events_)));
  }
  PERSONALIZE_RETURN_IF_ERROR(mark_change());
  PERSONALIZE_RETURN_IF_ERROR(delete_.bind(1, rowid).run());
  return exposures_.count(impression, -1);
}

void EventWriter::release() {
  for (Statement* statement :
       {&insert_, &update_, &delete_, &old_impression_, &last_place_, &data_version_, &mark_})
    *statement = Statement();
  for (IdDictionary* dictionary : {&users_, &items_, &types_}) dictionary->release();
  exposures_.release();
}

}  // namespace personalize
