// The module behind the question tables (extension/answer_descriptor.h says what they are):
//
//   SELECT rank, item_id, score FROM recommend('42', 10);
//   SELECT c.name, r.item_id FROM customers c, recommend(c.id, 3) r;
//   SELECT item_id FROM recommend('42') WHERE among IN (SELECT id FROM products WHERE stock > 0);
//
// A cursor keeps the answers it has given: a join may ask for the same a thousand times. So one
// request of a campaign is one distinct question of a cursor. All answers come from the snapshot of
// the statement, so what is kept cannot be old.
#include "extension/answer_table.h"

#include <array>
#include <string>
#include <unordered_map>

#include "extension/answer_descriptor.h"
#include "extension/answer_rows.h"
#include "extension/batch_rows.h"
#include "extension/boundary.h"
#include "extension/eponymous_module.h"
#include "extension/request.h"

namespace personalize {
namespace {

// How many rows a cursor keeps before it forgets them all.
constexpr size_t kKeptRows = 100'000;

struct AnswerTable : sqlite3_vtab {
  Connection* connection = nullptr;
  const AnswerDescriptor* descriptor = nullptr;
};

// The values of the arguments, given back by xColumn: SQLite compares a second value with them.
class Echo {
 public:
  ~Echo() { clear(); }
  void clear() {
    for (sqlite3_value*& value : values_) {
      sqlite3_value_free(value);
      value = nullptr;
    }
  }
  void set(size_t place, sqlite3_value* value) { values_[place] = sqlite3_value_dup(value); }
  void give(size_t place, sqlite3_context* context) const {
    if (values_[place] != nullptr) sqlite3_result_value(context, values_[place]);
  }

 private:
  std::array<sqlite3_value*, kArguments> values_ = {};
};

struct AnswerCursor : sqlite3_vtab_cursor {
  AnswerTable* table() const { return static_cast<AnswerTable*>(pVtab); }

  Echo echo;
  std::unordered_map<std::string, std::shared_ptr<const AnswerRows>> kept;
  size_t kept_rows = 0;
  std::shared_ptr<const AnswerRows> answers;
  size_t row = 0;
  std::unique_ptr<BatchRows> batch;
  bool at_end = true;
};

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char**) {
  return guarded([&] {
    const auto* context = static_cast<ModuleContext*>(aux);
    const auto* descriptor = static_cast<const AnswerDescriptor*>(context->extra);
    const int code = sqlite3_declare_vtab(db, descriptor->declaration);
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto* table = new AnswerTable();
    table->connection = context->connection.get();
    table->descriptor = descriptor;
    *out = table;
    return SQLITE_OK;
  });
}

int best_index(sqlite3_vtab* table, sqlite3_index_info* info) {
  return guarded([&] {
    const Result<int> code = plan_answer(*static_cast<AnswerTable*>(table)->descriptor, info);
    return code.is_ok() ? code.value() : set_error(table, code.status());
  });
}

Status start_batch(AnswerCursor& cursor, const AnswerQuestion& question) {
  Connection& connection = *cursor.table()->connection;
  Request request(QuestionKind::kBatch);  // until its first row
  PERSONALIZE_ASSIGN_OR_RETURN(
      std::shared_ptr<Responder> responder,
      connection.part<Responders>().find(connection, question.asking(*cursor.table()->descriptor)));
  request.pass(responder);
  cursor.batch = std::make_unique<BatchRows>(std::move(responder), question.rows, question.filter,
                                             question.filter_values);
  PERSONALIZE_ASSIGN_OR_RETURN(const bool row, cursor.batch->next(connection));
  cursor.at_end = !row;
  return Status::ok();
}

Status start(AnswerCursor& cursor, int plan, sqlite3_value** values) {
  const AnswerDescriptor& descriptor = *cursor.table()->descriptor;
  cursor.echo.clear();
  cursor.answers.reset();
  cursor.batch.reset();
  cursor.row = 0;
  cursor.at_end = true;
  PERSONALIZE_ASSIGN_OR_RETURN(const AnswerQuestion question,
                               AnswerQuestion::read(descriptor, plan, values));
  for (size_t i = 0, argv = 0; i < descriptor.arguments.size(); i++)
    if ((plan & (1 << i)) != 0) cursor.echo.set(i, values[argv++]);
  if (question.no_subject || question.rows == 0) return Status::ok();  // LIMIT 0
  if (descriptor.batch) return start_batch(cursor, question);
  const std::string key = question.key();
  if (const auto found = cursor.kept.find(key); found != cursor.kept.end()) {
    cursor.answers = found->second;
  } else {
    auto answers = std::make_shared<AnswerRows>();
    PERSONALIZE_RETURN_IF_ERROR(
        answer(*cursor.table()->connection, descriptor, question, *answers));
    if (cursor.kept_rows > kKeptRows) {
      cursor.kept.clear();
      cursor.kept_rows = 0;
    }
    cursor.kept_rows += answers->rows.size() + 1;
    cursor.kept[key] = answers;
    cursor.answers = std::move(answers);
  }
  cursor.at_end = cursor.answers->rows.empty();
  return Status::ok();
}

int filter(sqlite3_vtab_cursor* base, int plan, const char*, int, sqlite3_value** values) {
  return guarded_table(base->pVtab,
                       [&] { return start(*static_cast<AnswerCursor*>(base), plan, values); });
}

int next(sqlite3_vtab_cursor* base) {
  return guarded_table(base->pVtab, [&]() -> Status {
    auto& cursor = *static_cast<AnswerCursor*>(base);
    if (cursor.batch != nullptr) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, cursor.batch->next(*cursor.table()->connection));
      cursor.at_end = !row;
    } else {
      cursor.at_end = ++cursor.row >= cursor.answers->rows.size();
    }
    return Status::ok();
  });
}

int eof(sqlite3_vtab_cursor* cursor) { return static_cast<AnswerCursor*>(cursor)->at_end ? 1 : 0; }

void give_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void give_batch_column(const BatchRows& batch, sqlite3_context* context, int column) {
  switch (column) {
    case 0:
      return give_text(context, batch.user_id());
    case 1:
      return sqlite3_result_int64(context, static_cast<int64_t>(batch.rank()));
    case 2:
      return give_text(context, batch.item_id());
    default:
      return sqlite3_result_double(context, batch.score());
  }
}

void give_column(const AnswerRows& answers, size_t place, sqlite3_context* context, int column) {
  const AnswerRow& row = answers.rows[place];
  switch (column) {
    case 0:
      return sqlite3_result_int64(context, static_cast<int64_t>(place) + 1);
    case 1:
      return give_text(context, answers.item_id(row));
    default:
      if (row.item != kNoItem) sqlite3_result_double(context, row.score);
  }
}

void give_reason(const AnswerRow& row, sqlite3_context* context) {
  if (row.reason == Reason::kExploration) give_text(context, "Exploration");
  if (row.reason == Reason::kPopular) give_text(context, "Popular item");
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  return guarded([&] {
    const auto& cursor = *static_cast<AnswerCursor*>(base);
    const AnswerDescriptor& descriptor = *cursor.table()->descriptor;
    const int visible = descriptor.visible;
    const int more = column - visible - static_cast<int>(descriptor.arguments.size());
    if (more == 0) {
      give_reason(cursor.answers->rows[cursor.row], context);
    } else if (more > 0) {
      if (!cursor.answers->recommendation_id.empty())
        give_text(context, cursor.answers->recommendation_id);
    } else if (column >= visible) {
      cursor.echo.give(static_cast<size_t>(column - visible), context);
    } else if (cursor.batch != nullptr) {
      give_batch_column(*cursor.batch, context, column);
    } else {
      give_column(*cursor.answers, cursor.row, context, column);
    }
    return SQLITE_OK;
  });
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(static_cast<AnswerCursor*>(base)->row) + 1;
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module = eponymous_module<AnswerCursor>(connect, delete_table<AnswerTable>);
  module.xBestIndex = best_index;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

Status register_answer_tables(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module module = make_module();
  for (const AnswerDescriptor& descriptor : answer_descriptors()) {
    const std::string name = std::string("personalize_") + descriptor.name;
    PERSONALIZE_RETURN_IF_ERROR(register_module(connection, descriptor.name, &module, &descriptor));
    PERSONALIZE_RETURN_IF_ERROR(register_module(connection, name.c_str(), &module, &descriptor));
  }
  return Status::ok();
}

}  // namespace personalize
