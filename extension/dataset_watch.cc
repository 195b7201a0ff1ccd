#include "extension/dataset_watch.h"

#include <fmt/format.h>

#include "extension/business_table.h"
#include "extension/shadow_tables.h"

namespace personalize {
Result<DatasetStamp> DatasetStamp::of(Connection& connection, const std::string& schema) {
  DatasetStamp stamp;
  const std::string name = sql_name(schema);
  PERSONALIZE_ASSIGN_OR_RETURN(stamp.data_version,
                               connection.number(fmt::format("PRAGMA {}.data_version", name)));
  PERSONALIZE_ASSIGN_OR_RETURN(stamp.schema_version,
                               connection.number(fmt::format("PRAGMA {}.schema_version", name)));
  stamp.total_changes = sqlite3_total_changes64(connection.db());
  stamp.rollbacks = connection.rollbacks();
  stamp.catalog_changes = connection.catalog_changes();
  stamp.writing = sqlite3_txn_state(connection.db(), schema.c_str()) == SQLITE_TXN_WRITE;
  return stamp;
}

Result<DatasetWatch> DatasetWatch::make(Connection& connection, const Dataset& dataset) {
  DatasetWatch watch;
  const DatasetConfig& config = dataset.config;
  const std::string& schema = dataset.entry.schema;
  const std::string& table = dataset.entry.table;
  const DatasetColumn& id =
      config.columns[config.find(config.kind == DatasetKind::kUsers ? "USER_ID" : "ITEM_ID")];
  watch.is_content_ = !config.content.empty();
  bool has_rowid = true;
  std::string rows = shadow_table(schema, table, "row");
  if (watch.is_content_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const BusinessTable business,
                                 inspect_business_table(connection, schema, config, table));
    has_rowid = business.has_rowid;
    rows = fmt::format("{}.{}", sql_name(schema), sql_name(config.content));
  }
  if (!has_rowid) return watch;
  // Only items have a table that counts their changes.
  const std::string changes =
      watch.is_content_ || config.kind == DatasetKind::kUsers
          ? "0"
          : fmt::format("(SELECT changes FROM {})", shadow_table(schema, table, "change"));
  watch.position_query_ = fmt::format("SELECT (SELECT max(rowid) FROM {}), {}", rows, changes);
  watch.tail_query_ = fmt::format("SELECT {} FROM {} WHERE rowid > ?1 ORDER BY rowid",
                                  sql_name(watch.is_content_ ? id.content_column : id.name), rows);
  return watch;
}

Result<DatasetPosition> DatasetWatch::position(Connection& connection) const {
  DatasetPosition position;
  if (position_query_.empty()) return position;
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection.cached(position_query_));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  if (!statement.is_null(0)) position.last_row = statement.integer(0);
  position.changes = statement.integer(1);
  return position;
}

}  // namespace personalize
