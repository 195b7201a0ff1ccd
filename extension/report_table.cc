#include "extension/report_table.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "extension/boundary.h"
#include "extension/eponymous_module.h"

namespace personalize {
namespace {

// What best_index found and filter uses. Bits of idxNum; the values come in this order.
enum Plan : int { kByVersion = 1, kBySchema = 2 };

struct ReportTable : sqlite3_vtab {
  Connection* connection;
  const ReportDescriptor* descriptor;
  int schema_column;
};

struct ReportCursor : sqlite3_vtab_cursor {
  std::vector<ReportRow> rows;
  size_t at = 0;
};

ReportTable& table_of(sqlite3_vtab_cursor* cursor) {
  return *static_cast<ReportTable*>(cursor->pVtab);
}

int count_columns(const char* columns) {
  return 1 + static_cast<int>(std::count(columns, columns + std::string_view(columns).size(), ','));
}

int64_t id_of_row(const ReportRow& row) {
  const std::string* name = std::get_if<std::string>(&row.values.front());
  const std::string key = fmt::format("{}\n{}", row.schema, name == nullptr ? "" : *name);
  return static_cast<int64_t>(XXH3_64bits(key.data(), key.size()) >> 1);
}

// All rows of the schemas asked for.
Status fill(const ReportTable& table, const std::optional<std::string>& schema,
            const std::optional<VersionName>& version, std::vector<ReportRow>& rows) {
  std::vector<std::string> schemas = {""};
  if (!table.descriptor->one_for_all) {
    PERSONALIZE_ASSIGN_OR_RETURN(schemas, catalog_schemas(*table.connection));
    if (schema) std::erase_if(schemas, [&](const std::string& name) { return name != *schema; });
  }
  for (const std::string& name : schemas) {
    size_t index = rows.size();
    PERSONALIZE_RETURN_IF_ERROR(table.descriptor->fill({*table.connection, name, version}, rows));
    for (; index < rows.size(); index++) {
      rows[index].schema = name;
      rows[index].id = table.descriptor->erase == nullptr ? static_cast<int64_t>(index) + 1
                                                          : id_of_row(rows[index]);
    }
  }
  return Status::ok();
}

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** table, char** message) {
  return guarded([&] {
    const auto* context = static_cast<ModuleContext*>(aux);
    const auto* descriptor = static_cast<const ReportDescriptor*>(context->extra);
    const std::string declaration =
        fmt::format("CREATE TABLE x({}, schema TEXT HIDDEN)", descriptor->columns);
    if (const int code = sqlite3_declare_vtab(db, declaration.c_str()); code != SQLITE_OK)
      return set_error(message, sqlite_failure(db, code, descriptor->name));
    if (descriptor->only_reads_itself) sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto* report = new ReportTable();
    report->connection = context->connection.get();
    report->descriptor = descriptor;
    report->schema_column = count_columns(descriptor->columns);
    *table = report;
    return SQLITE_OK;
  });
}

// The place in aConstraint of an equality on `column`; -1 if there is none; -2 if it can't be used
// in this order of the join, though another order may have it.
int equality(const sqlite3_index_info& info, int column) {
  int found = -1;
  for (int i = 0; i < info.nConstraint; i++) {
    const auto& constraint = info.aConstraint[i];
    if (constraint.iColumn != column || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (constraint.usable) return i;
    found = -2;
  }
  return found;
}

int best_index(sqlite3_vtab* base, sqlite3_index_info* info) {
  const auto* table = static_cast<ReportTable*>(base);
  info->estimatedRows = 1000;
  info->estimatedCost = 10000;
  int values = 0;
  if (table->descriptor->has_version) {
    if (const int i = equality(*info, 0); i >= 0) {
      info->idxNum |= kByVersion;
      info->aConstraintUsage[i].argvIndex = ++values;
      info->estimatedRows = 20;
      info->estimatedCost = 100;
    }
  }
  const int schema = equality(*info, table->schema_column);
  // As an argument of a table-valued function it must not be passed over.
  if (schema == -2) return SQLITE_CONSTRAINT;
  if (schema >= 0) {
    info->idxNum |= kBySchema;
    info->aConstraintUsage[schema].argvIndex = ++values;
  }
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int plan, const char*, int, sqlite3_value** values) {
  return guarded_table(base->pVtab, [&]() -> Status {
    auto* cursor = static_cast<ReportCursor*>(base);
    cursor->rows.clear();
    cursor->at = 0;
    std::optional<VersionName> version;
    if ((plan & kByVersion) != 0) {
      const Result<VersionName> name = parse_version_name(text_of(*values++), "");
      // No row has such a version; not an error.
      if (!name.is_ok() || name->number == 0) return Status::ok();
      version = *name;
    }
    std::optional<std::string> schema;
    if ((plan & kBySchema) != 0) schema = text_of(*values++);
    return fill(table_of(base), schema, version, cursor->rows);
  });
}

int next(sqlite3_vtab_cursor* base) {
  static_cast<ReportCursor*>(base)->at++;
  return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor* base) {
  const auto* cursor = static_cast<ReportCursor*>(base);
  return cursor->at >= cursor->rows.size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  const auto* cursor = static_cast<ReportCursor*>(base);
  const ReportRow& row = cursor->rows[cursor->at];
  const auto place = static_cast<size_t>(index);
  give(context, place < row.values.size() ? row.values[place] : text_or_null(row.schema));
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id) {
  const auto* cursor = static_cast<ReportCursor*>(base);
  *id = cursor->rows[cursor->at].id;
  return SQLITE_OK;
}

// DELETE only, of tables with `erase`.
int update(sqlite3_vtab* base, int count, sqlite3_value** values, sqlite3_int64*) {
  return guarded_table(base, [&]() -> Status {
    const auto* table = static_cast<ReportTable*>(base);
    if (count != 1)
      return {StatusCode::kInvalidInput,
              fmt::format("InvalidInputException: {}: its rows are made by SELECT "
                          "personalize_train(...); they can be deleted, not changed",
                          table->descriptor->name)};
    const int64_t id = sqlite3_value_int64(values[0]);
    std::vector<ReportRow> rows;
    PERSONALIZE_RETURN_IF_ERROR(fill(*table, std::nullopt, std::nullopt, rows));
    for (const ReportRow& row : rows)
      if (row.id == id) return table->descriptor->erase(*table->connection, row);
    return Status::ok();
  });
}

sqlite3_module make_module(bool may_delete) {
  sqlite3_module module = eponymous_module<ReportCursor>(connect, delete_table<ReportTable>);
  module.xBestIndex = best_index;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  if (may_delete) module.xUpdate = update;
  return module;
}

}  // namespace

ReportValue text_or_null(std::string_view text) {
  return text.empty() ? ReportValue() : ReportValue(std::string(text));
}

void give(sqlite3_context* context, const ReportValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) sqlite3_result_int64(context, *integer);
  if (const auto* real = std::get_if<double>(&value)) sqlite3_result_double(context, *real);
  if (const auto* text = std::get_if<std::string>(&value))
    sqlite3_result_text64(context, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

Status register_report_table(const std::shared_ptr<Connection>& connection,
                             const ReportDescriptor& descriptor) {
  static const sqlite3_module read_only = make_module(false);
  static const sqlite3_module may_delete = make_module(true);
  return register_module(connection, descriptor.name,
                         descriptor.erase == nullptr ? &read_only : &may_delete, &descriptor);
}

}  // namespace personalize
