#include "extension/known_events.h"

#include <fmt/format.h>

namespace personalize {
namespace {

std::string table_of(const Dataset& dataset) {
  return fmt::format("{}.{}", sql_name(dataset.entry.schema), sql_name(dataset.entry.table));
}

}  // namespace

KnownEvents::KnownEvents(const Dataset& interactions)
    : dataset_(&interactions),
      time_column_(static_cast<size_t>(interactions.config.find("TIMESTAMP"))),
      event_id_column_(interactions.config.find("EVENT_ID")) {}

Result<KnownEvents> KnownEvents::read(Connection& connection, const Dataset& interactions,
                                      std::string_view user) {
  KnownEvents known(interactions);
  PERSONALIZE_RETURN_IF_ERROR(known.load(connection, user));
  PERSONALIZE_RETURN_IF_ERROR(known.prepare_comparison(connection));
  return known;
}

Status KnownEvents::load(Connection& connection, std::string_view user) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement history, connection.prepare(fmt::format(
                             "SELECT rowid, TIMESTAMP, {} FROM {} WHERE USER_ID = ?1",
                             event_id_column_ < 0 ? "NULL" : "EVENT_ID", table_of(*dataset_))));
  history.bind(1, user);
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, history.step());
    if (!row) return Status::ok();
    rowids_.emplace(history.integer(1), history.integer(0));
    if (!history.is_null(2)) event_ids_.emplace(history.text(2));
  }
}

Status KnownEvents::prepare_comparison(Connection& connection) {
  const DatasetConfig& config = dataset_->config;
  const auto parameter = [&](std::string_view column) { return config.find(column) + 1; };
  std::string sql = fmt::format("SELECT 1 FROM {} WHERE rowid = ?{}", table_of(*dataset_),
                                config.columns.size() + 1);
  for (const DatasetColumn& column : config.columns) {
    sql += fmt::format(" AND ({} IS ?{}", sql_name(column.name), parameter(column.name));
    if (column.name == "IMPRESSION")
      sql += fmt::format(" OR (?{} IS NULL AND ?{} IS NOT NULL)", parameter("IMPRESSION"),
                         parameter("RECOMMENDATION_ID"));
    sql += ")";
  }
  PERSONALIZE_ASSIGN_OR_RETURN(is_same_, connection.prepare(sql));
  return Status::ok();
}

Result<bool> KnownEvents::contains(const JsonRow& row) {
  const std::vector<ColumnValue>& values = row.values();
  if (event_id_column_ >= 0 && row.has(static_cast<size_t>(event_id_column_)))
    return event_ids_.contains(row.text(static_cast<size_t>(event_id_column_)));
  const auto [begin, end] = rowids_.equal_range(values[time_column_].integer);
  if (begin == end) return false;
  for (size_t i = 0; i < values.size(); i++)
    bind_value(is_same_, static_cast<int>(i) + 1, values[i]);
  for (auto event = begin; event != end; ++event) {
    const Result<bool> same =
        is_same_.bind(static_cast<int>(values.size()) + 1, event->second).step();
    is_same_.reset();
    if (!same.is_ok() || *same) return same;
  }
  return false;
}

void KnownEvents::add(const JsonRow& row, int64_t rowid) {
  rowids_.emplace(row.values()[time_column_].integer, rowid);
  if (event_id_column_ >= 0 && row.has(static_cast<size_t>(event_id_column_)))
    event_ids_.insert(row.text(static_cast<size_t>(event_id_column_)));
}

}  // namespace personalize
