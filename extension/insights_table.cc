// Rows of personalize_insights:
//
//   SELECT severity, insight, subject, figure, advice FROM personalize_insights('default');
//   SELECT * FROM personalize_insights;                      -- of the group 'default'
//
// Reads the group's interactions, items and users once and keeps nothing of them.
//
// Plan: the group is the value of filter where idxNum is 1.
#include "extension/insights_table.h"

#include <ctime>
#include <string>
#include <vector>

#include "engine/dataset/stoppable_source.h"
#include "engine/training/insights.h"
#include "extension/boundary.h"
#include "extension/catalog.h"
#include "extension/eponymous_module.h"
#include "extension/event_reader.h"
#include "extension/metadata_reader.h"
#include "extension/training_settings.h"

namespace personalize {
namespace {

constexpr const char* kName = "personalize_insights";

enum Column : int { kSeverity, kInsight, kSubject, kFigure, kAdvice, kGroup };
constexpr const char* kDeclaration =
    "CREATE TABLE x(severity TEXT, insight TEXT, subject TEXT, figure REAL, advice TEXT, "
    "dataset_group HIDDEN)";

struct InsightsTable : sqlite3_vtab {
  Connection* connection = nullptr;
};

struct InsightsCursor : sqlite3_vtab_cursor {
  std::vector<Insight> insights;
  std::string group;
  size_t row = 0;
};

// The rows of the group's users or items, or nothing where it has no such dataset.
Result<std::optional<MetadataTable>> read_dataset(Connection& connection, std::string_view schema,
                                                  std::string_view group, DatasetKind kind) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<MetadataSource> source,
                               open_metadata_source(connection, schema, group, kind));
  if (source == nullptr) return std::optional<MetadataTable>();
  PERSONALIZE_ASSIGN_OR_RETURN(MetadataTable table, read_metadata(*source));
  return std::optional<MetadataTable>(std::move(table));
}

// The schema that has the group's interactions. Errors: kNotFound, from the first schema.
Result<std::string> schema_of_group(Connection& connection, std::string_view group) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        const auto found, find_dataset(connection, schema, group, DatasetKind::kInteractions));
    if (found) return schema;
  }
  return schemas.empty() ? std::string("main") : schemas.front();
}

Status read_insights(Connection& connection, InsightsCursor& cursor) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string schema, schema_of_group(connection, cursor.group));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<EventSource> source,
                               open_event_source(connection, schema, cursor.group));
  InterruptProbe probe(connection);
  StoppableSource stoppable(*source, [&probe] {
    return probe.interrupted()
               ? Status(StatusCode::kInterrupted, "personalize_insights: interrupted")
               : Status::ok();
  });
  PERSONALIZE_ASSIGN_OR_RETURN(const Sequences sequences,
                               read_sequences(stoppable, {}, TieOrder::kAuto, 1));
  PERSONALIZE_ASSIGN_OR_RETURN(const auto items,
                               read_dataset(connection, schema, cursor.group, DatasetKind::kItems));
  PERSONALIZE_ASSIGN_OR_RETURN(const auto users,
                               read_dataset(connection, schema, cursor.group, DatasetKind::kUsers));
  cursor.insights = data_insights(sequences, items ? &*items : nullptr, users ? &*users : nullptr,
                                  std::time(nullptr));
  return Status::ok();
}

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char**) {
  return guarded([&] {
    if (const int code = sqlite3_declare_vtab(db, kDeclaration); code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto* table = new InsightsTable();
    table->connection = static_cast<ModuleContext*>(aux)->connection.get();
    *out = table;
    return SQLITE_OK;
  });
}

int best_index(sqlite3_vtab*, sqlite3_index_info* info) {
  return guarded([&] {
    for (int i = 0; i < info->nConstraint; i++) {
      const auto& constraint = info->aConstraint[i];
      if (constraint.iColumn != kGroup || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      // As an argument it must not be passed over; another order of the join may have it.
      if (!constraint.usable) return SQLITE_CONSTRAINT;
      if (info->idxNum == 1) continue;
      info->aConstraintUsage[i].argvIndex = 1;
      info->aConstraintUsage[i].omit = 1;
      info->idxNum = 1;
    }
    info->estimatedRows = 5;
    info->estimatedCost = 1e6;
    return SQLITE_OK;
  });
}

int filter(sqlite3_vtab_cursor* base, int plan, const char*, int, sqlite3_value** values) {
  return guarded_table(base->pVtab, [&]() -> Status {
    auto& cursor = *static_cast<InsightsCursor*>(base);
    cursor.insights.clear();
    cursor.row = 0;
    if (plan == 1 && sqlite3_value_type(values[0]) == SQLITE_NULL) return Status::ok();
    cursor.group = plan == 1 ? text_of(values[0]) : std::string_view("default");
    return read_insights(*static_cast<InsightsTable*>(base->pVtab)->connection, cursor);
  });
}

int next(sqlite3_vtab_cursor* cursor) {
  static_cast<InsightsCursor*>(cursor)->row++;
  return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor* base) {
  const auto& cursor = *static_cast<InsightsCursor*>(base);
  return cursor.row >= cursor.insights.size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  const auto& cursor = *static_cast<InsightsCursor*>(base);
  const Insight& insight = cursor.insights[cursor.row];
  const auto give = [context](std::string_view text) {
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  };
  switch (index) {
    case kSeverity:
      give(severity_name(insight.severity));
      break;
    case kInsight:
      give(insight.insight);
      break;
    case kSubject:
      give(insight.subject);
      break;
    case kFigure:
      sqlite3_result_double(context, insight.figure);
      break;
    case kAdvice:
      give(insight.advice);
      break;
    default:
      give(cursor.group);
  }
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(static_cast<InsightsCursor*>(base)->row) + 1;
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module = eponymous_module<InsightsCursor>(connect, delete_table<InsightsTable>);
  module.xBestIndex = best_index;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

Status register_insights_table(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module module = make_module();
  return register_module(connection, kName, &module, nullptr);
}

}  // namespace personalize
