#include "extension/event_reader.h"

#include <fmt/format.h>

#include "extension/business_table.h"
#include "extension/content_reader.h"
#include "extension/dataset_lookup.h"
#include "extension/native_reader.h"
#include "extension/savepoint.h"
#include "extension/session_users.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

Result<std::unique_ptr<ContentReader>> open_content(Connection& connection, Dataset dataset) {
  PERSONALIZE_ASSIGN_OR_RETURN(const BusinessTable business,
                               inspect_business_table(connection, dataset.entry.schema,
                                                      dataset.config, dataset.entry.table));
  return std::make_unique<ContentReader>(connection, dataset.entry.schema,
                                         std::move(dataset.config), business);
}

Status refuse_to_delete(const Dataset& dataset, std::string_view user_id) {
  const std::string& column = dataset.config.columns[dataset.config.find("USER_ID")].content_column;
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: '{}' reads the table '{}' in place (content=), which "
                      "is not ours to change; DELETE FROM {} WHERE {} = '{}'",
                      dataset.entry.table, dataset.config.content,
                      readable_name(dataset.config.content), readable_name(column), user_id)};
}

// Deletes his rows through the virtual table; gives their number.
Result<int64_t> delete_rows(Connection& connection, const DatasetEntry& entry,
                            std::string_view user_id) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare(fmt::format("DELETE FROM {}.{} WHERE USER_ID = ?1", sql_name(entry.schema),
                                     sql_name(entry.table))));
  PERSONALIZE_RETURN_IF_ERROR(statement.bind(1, user_id).run());
  return int64_t{sqlite3_changes(connection.db())};
}

}  // namespace

Result<std::unique_ptr<EventSource>> open_event_source(Connection& connection,
                                                       std::string_view schema,
                                                       std::string_view group) {
  PERSONALIZE_ASSIGN_OR_RETURN(Dataset dataset, find_interactions(connection, schema, group));
  if (dataset.config.content.empty()) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool marked,
                                 has_mark(connection, schema, dataset.entry.table));
    return std::unique_ptr<EventSource>(std::make_unique<NativeReader>(
        connection, schema, dataset.entry.table, dataset.config, marked));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(std::unique_ptr<ContentReader> reader,
                               open_content(connection, std::move(dataset)));
  return std::unique_ptr<EventSource>(std::move(reader));
}

Status list_users(Connection& connection, std::string_view schema, std::string_view group,
                  size_t limit, UserPlace& place, std::vector<std::string>& users) {
  users.clear();
  PERSONALIZE_ASSIGN_OR_RETURN(Dataset dataset, find_interactions(connection, schema, group));
  if (!dataset.config.content.empty()) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<ContentReader> reader,
                                 open_content(connection, std::move(dataset)));
    PERSONALIZE_RETURN_IF_ERROR(reader->list_users(place.id, limit, users));
    if (!users.empty()) place.id = users.back();
    return Status::ok();
  }
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format(
          "SELECT u.id, u.code FROM {} AS u WHERE u.code > ?1 AND EXISTS (SELECT 1 FROM {} AS e "
          "WHERE e.USER_ID BETWEEN u.code << 32 AND (u.code << 32) + 4294967295) ORDER BY u.code "
          "LIMIT ?2",
          shadow_table(schema, dataset.entry.table, "user"),
          shadow_table(schema, dataset.entry.table, "event"))));
  statement.bind(1, place.code).bind(2, static_cast<int64_t>(limit));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return Status::ok();
    users.emplace_back(statement.text(0));
    place.code = statement.integer(1);
  }
}

Result<int64_t> delete_user(Connection& connection, std::string_view schema, std::string_view group,
                            std::string_view user_id) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Dataset events, find_interactions(connection, schema, group));
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::optional<Dataset> users,
      find_dataset_of_group(connection, schema, group, DatasetKind::kUsers));
  for (const Dataset* dataset : {&events, users ? &*users : &events})
    if (!dataset->config.content.empty()) return refuse_to_delete(*dataset, user_id);

  PERSONALIZE_ASSIGN_OR_RETURN(Savepoint savepoint,
                               Savepoint::open(connection, schema, "personalize_forget"));
  PERSONALIZE_ASSIGN_OR_RETURN(int64_t deleted, delete_rows(connection, events.entry, user_id));
  if (users) {
    PERSONALIZE_ASSIGN_OR_RETURN(const int64_t rows,
                                 delete_rows(connection, users->entry, user_id));
    deleted += rows;
  }
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement dictionary,
      connection.cached(fmt::format("DELETE FROM {} WHERE id = ?1",
                                    shadow_table(schema, events.entry.table, "user"))));
  PERSONALIZE_RETURN_IF_ERROR(dictionary.bind(1, user_id).run());
  PERSONALIZE_RETURN_IF_ERROR(forget_sessions(connection, events.entry, user_id));
  // His code may be given to somebody else, so nothing may keep it.
  connection.count_rollback();
  PERSONALIZE_RETURN_IF_ERROR(savepoint.release());
  return deleted;
}

}  // namespace personalize
