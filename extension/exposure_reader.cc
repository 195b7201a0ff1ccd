#include "extension/exposure_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "extension/dataset_lookup.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

// Mixes so that numbers that change by little do not cancel each other out.
uint64_t mixed(uint64_t a, uint64_t b) { return (a ^ (a >> 29)) * 0x9E3779B97F4A7C15u + b; }

}  // namespace

ExposureReader::ExposureReader(Connection& connection, std::string_view schema,
                               std::string_view table)
    : connection_(connection),
      version_query_(fmt::format("PRAGMA {}.data_version", sql_name(schema))),
      scan_query_(fmt::format("SELECT i.id, e.shown FROM {} AS e JOIN {} AS i ON i.code = e.item "
                              "WHERE e.shown > 0",
                              shadow_table(schema, table, "exposure"),
                              shadow_table(schema, table, "item"))),
      item_query_(fmt::format("SELECT e.shown FROM {} AS i JOIN {} AS e ON e.item = i.code WHERE "
                              "i.id = ?1",
                              shadow_table(schema, table, "item"),
                              shadow_table(schema, table, "exposure"))) {}

Result<uint64_t> ExposureReader::generation() {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(version_query_));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  const auto others = static_cast<uint64_t>(statement.integer(0));
  const auto own = static_cast<uint64_t>(sqlite3_total_changes(connection_.db()));
  const uint64_t generation = mixed(mixed(others, own), connection_.rollbacks());
  return generation == 0 ? 1 : generation;
}

Status ExposureReader::scan(const std::function<void(std::string_view, int64_t)>& exposure) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(scan_query_));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return Status::ok();
    exposure(statement.text(0), statement.integer(1));
  }
}

Result<int64_t> ExposureReader::shown(std::string_view item_id) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(item_query_));
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.bind(1, item_id).step());
  return row ? std::max<int64_t>(statement.integer(0), 0) : 0;
}

Result<std::unique_ptr<ExposureReader>> open_exposure_reader(Connection& connection,
                                                             std::string_view schema,
                                                             std::string_view group) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Dataset dataset, find_interactions(connection, schema, group));
  if (!dataset.config.content.empty()) return std::unique_ptr<ExposureReader>();
  return std::make_unique<ExposureReader>(connection, schema, dataset.entry.table);
}

}  // namespace personalize
