#include "extension/dataset_cursor.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "extension/boundary.h"
#include "extension/business_table.h"
#include "extension/column_value.h"
#include "extension/dataset_plan.h"
#include "extension/dataset_table.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

struct DatasetCursor : sqlite3_vtab_cursor {
  // Column 0 is the row's number, column i + 1 the dataset's column i.
  Statement statement;
  int plan_number = -1;  // what `statement` was prepared for
  bool at_end = true;
  std::string wanted_id;   // Lookup::kId and kItem
  int wanted_column = -1;  // content=: the column that must hold it, byte for byte
  int64_t user = -1;       // native interactions: whose text user_text is
  std::string user_text;
  int64_t rows_seen = 0;  // numbers the rows of a business table WITHOUT ROWID

  DatasetTable& table() const { return *static_cast<DatasetTable*>(pVtab); }
};

std::string_view id_column_of(const DatasetConfig& config) {
  return config.kind == DatasetKind::kItems ? "ITEM_ID" : "USER_ID";
}

std::string select_list(const DatasetConfig& config, std::string_view row_number) {
  std::string list(row_number);
  for (const DatasetColumn& column : config.columns)
    list += ", " + (config.content.empty() ? sql_name(column.name) : content_expression(column));
  return list;
}

std::string native_events_query(const DatasetTable& table, const DatasetPlan& plan) {
  std::string sql = fmt::format("SELECT {} FROM {}", select_list(table.config, "USER_ID"),
                                shadow_table(table.schema, table.name, "event"));
  if (plan.lookup == Lookup::kRowid) sql += " WHERE USER_ID = ?1";
  if (plan.lookup == Lookup::kId) sql += " WHERE USER_ID BETWEEN ?1 AND ?2";
  if (plan.lookup == Lookup::kItem) sql += " WHERE ITEM_ID = ?1";
  if (plan.order == RowOrder::kTimestamp) sql += " ORDER BY TIMESTAMP, USER_ID";
  if (plan.order == RowOrder::kTimestampDescending) sql += " ORDER BY TIMESTAMP DESC, USER_ID DESC";
  return sql;
}

std::string native_rows_query(const DatasetTable& table, const DatasetPlan& plan) {
  std::string sql = fmt::format("SELECT {} FROM {}", select_list(table.config, "rowid"),
                                shadow_table(table.schema, table.name, "row"));
  if (plan.lookup == Lookup::kRowid) sql += " WHERE rowid = ?1";
  if (plan.lookup == Lookup::kId) sql += fmt::format(" WHERE {} = ?1", id_column_of(table.config));
  return sql;
}

Result<std::string> content_query(const DatasetTable& table, const DatasetPlan& plan,
                                  int wanted_column) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      const BusinessTable business,
      inspect_business_table(*table.connection, table.schema, table.config, table.name));
  const DatasetConfig& config = table.config;
  std::string sql = fmt::format("SELECT {} FROM {}.{}",
                                select_list(config, business.has_rowid ? "rowid" : "NULL"),
                                sql_name(table.schema), sql_name(config.content));
  if (wanted_column >= 0)
    sql += " WHERE " + content_id_condition(config.columns[wanted_column].content_column, 1);
  const int timestamp = config.find("TIMESTAMP");
  if (plan.order != RowOrder::kAny)
    sql += fmt::format(" ORDER BY {}{}", sql_name(config.columns[timestamp].content_column),
                       plan.order == RowOrder::kTimestamp ? "" : " DESC");
  return sql;
}

Status prepare(DatasetCursor& cursor, const DatasetPlan& plan) {
  if (cursor.statement && cursor.plan_number == plan.to_number()) {
    cursor.statement.reset();
    return Status::ok();
  }
  const DatasetTable& table = cursor.table();
  cursor.wanted_column = -1;
  std::string sql;
  if (!table.is_native()) {
    if (plan.lookup == Lookup::kId)
      cursor.wanted_column = table.config.find(id_column_of(table.config));
    if (plan.lookup == Lookup::kItem) cursor.wanted_column = table.config.find("ITEM_ID");
    PERSONALIZE_ASSIGN_OR_RETURN(sql, content_query(table, plan, cursor.wanted_column));
  } else if (table.config.kind == DatasetKind::kInteractions) {
    sql = native_events_query(table, plan);
  } else {
    sql = native_rows_query(table, plan);
  }
  PERSONALIZE_ASSIGN_OR_RETURN(cursor.statement, table.connection->cached(sql));
  cursor.plan_number = plan.to_number();
  return Status::ok();
}

// The whole number that a rowid is compared with, if it is one.
std::optional<int64_t> rowid_of(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  if (type == SQLITE_INTEGER) return sqlite3_value_int64(value);
  if (type != SQLITE_FLOAT) return std::nullopt;
  const double number = sqlite3_value_double(value);
  if (std::floor(number) != number || std::fabs(number) > 9e15) return std::nullopt;
  return static_cast<int64_t>(number);
}

// Binds what the plan looks for. False: nothing can match it.
Result<bool> bind_wanted(DatasetCursor& cursor, const DatasetPlan& plan, sqlite3_value* value) {
  DatasetTable& table = cursor.table();
  if (plan.lookup == Lookup::kRowid) {
    const std::optional<int64_t> rowid = rowid_of(value);
    if (rowid) cursor.statement.bind(1, *rowid);
    return rowid.has_value();
  }
  Result<std::string> id = id_of(value, "");
  if (!id.is_ok()) return false;  // nobody has such an id
  cursor.wanted_id = std::move(*id);
  if (!table.is_native()) {
    bind_content_id(cursor.statement, 1, cursor.wanted_id);
    return true;
  }
  if (table.config.kind != DatasetKind::kInteractions) {
    cursor.statement.bind(1, cursor.wanted_id);
    return true;
  }
  const bool by_user = plan.lookup == Lookup::kId;
  IdDictionary dictionary(*table.connection,
                          shadow_table(table.schema, table.name, by_user ? "user" : "item"));
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t code, dictionary.find(cursor.wanted_id));
  if (code == 0) return false;
  if (by_user) {
    cursor.statement.bind(1, event_key(code, 0)).bind(2, event_key(code, kLastPlace));
  } else {
    cursor.statement.bind(1, code);
  }
  return true;
}

// The id in column `i` of a business table's row. What is no id (NULL, a blob) gives nothing.
std::optional<std::string> content_id(const DatasetCursor& cursor, int i) {
  Result<std::string> id = id_of(sqlite3_column_value(cursor.statement.get(), i + 1), "");
  if (!id.is_ok()) return std::nullopt;
  return std::move(*id);
}

Status advance(DatasetCursor& cursor) {
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, cursor.statement.step());
    cursor.at_end = !row;
    if (!row) {
      cursor.statement.reset();  // ends its read
      return Status::ok();
    }
    cursor.rows_seen++;
    // The business table's own comparison may be looser: '042' is 42 to an INTEGER column.
    if (cursor.wanted_column < 0 || content_id(cursor, cursor.wanted_column) == cursor.wanted_id)
      return Status::ok();
  }
}

void give_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

Status native_event_column(DatasetCursor& cursor, sqlite3_context* context, int i) {
  DatasetTable& table = cursor.table();
  const std::string& name = table.config.columns[i].name;
  sqlite3_value* value = sqlite3_column_value(cursor.statement.get(), i + 1);
  if (name == "USER_ID") {
    const int64_t user = user_of_key(sqlite3_value_int64(value));
    if (user != cursor.user) {
      // A query of its own: a user's code may get another text (personalize_forget).
      CodeTexts users(*table.connection, shadow_table(table.schema, table.name, "user"));
      PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view text, users.text(user));
      cursor.user_text = text;
      cursor.user = user;
    }
    give_text(context, cursor.user_text);
    return Status::ok();
  }
  CodeTexts* texts = name == "ITEM_ID"      ? table.items.get()
                     : name == "EVENT_TYPE" ? table.types.get()
                                            : nullptr;
  if (texts == nullptr || sqlite3_value_type(value) == SQLITE_NULL) {
    sqlite3_result_value(context, value);
    return Status::ok();
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view text,
                               texts->text(sqlite3_value_int64(value)));
  give_text(context, text);
  return Status::ok();
}

void content_column(DatasetCursor& cursor, sqlite3_context* context, int i) {
  const DatasetConfig& config = cursor.table().config;
  if (is_id_column(config.kind, config.columns[i].name)) {
    if (const std::optional<std::string> id = content_id(cursor, i)) {
      give_text(context, *id);
      return;
    }
  }
  sqlite3_result_value(context, sqlite3_column_value(cursor.statement.get(), i + 1));
}

int best_index(sqlite3_vtab* table, sqlite3_index_info* info) {
  return guarded([&] { return plan_dataset(static_cast<DatasetTable*>(table)->config, info); });
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  return guarded([&] {
    *cursor = new DatasetCursor();
    return SQLITE_OK;
  });
}

int close(sqlite3_vtab_cursor* cursor) {
  return guarded([&] {
    delete static_cast<DatasetCursor*>(cursor);
    return SQLITE_OK;
  });
}

int filter(sqlite3_vtab_cursor* base, int number, const char*, int, sqlite3_value** arguments) {
  return guarded_table(base->pVtab, [&]() -> Status {
    auto& cursor = *static_cast<DatasetCursor*>(base);
    const DatasetPlan plan = DatasetPlan::of_number(number);
    cursor.at_end = true;
    cursor.rows_seen = 0;
    cursor.user = -1;
    PERSONALIZE_RETURN_IF_ERROR(prepare(cursor, plan));
    if (plan.lookup != Lookup::kScan) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool possible, bind_wanted(cursor, plan, arguments[0]));
      if (!possible) return Status::ok();
    }
    return advance(cursor);
  });
}

int next(sqlite3_vtab_cursor* base) {
  return guarded_table(base->pVtab, [&] { return advance(*static_cast<DatasetCursor*>(base)); });
}

int eof(sqlite3_vtab_cursor* base) { return static_cast<DatasetCursor*>(base)->at_end ? 1 : 0; }

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int i) {
  guarded_function(context, [&]() -> Status {
    auto& cursor = *static_cast<DatasetCursor*>(base);
    const DatasetTable& table = cursor.table();
    if (table.is_native() && table.config.kind == DatasetKind::kInteractions)
      return native_event_column(cursor, context, i);
    if (!table.is_native()) {
      content_column(cursor, context, i);
    } else {
      sqlite3_result_value(context, sqlite3_column_value(cursor.statement.get(), i + 1));
    }
    return Status::ok();
  });
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id) {
  const auto& cursor = *static_cast<DatasetCursor*>(base);
  *id = cursor.statement.is_null(0) ? cursor.rows_seen : cursor.statement.integer(0);
  return SQLITE_OK;
}

}  // namespace

void set_cursor_methods(sqlite3_module& module) {
  module.xBestIndex = best_index;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
}

}  // namespace personalize
