#include "extension/computed_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>

#include "extension/boundary.h"
#include "extension/eponymous_module.h"

namespace personalize {
namespace {

constexpr size_t kMostArguments = 8;

struct Table : sqlite3_vtab {
  Connection* connection = nullptr;
  const ComputedTable* descriptor = nullptr;
};

// The values of the arguments: what was asked, and what xColumn gives back.
class Arguments {
 public:
  Arguments() = default;
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  ~Arguments() { clear(); }
  void clear() {
    for (sqlite3_value*& value : values_) {
      sqlite3_value_free(value);
      value = nullptr;
    }
  }
  // Copies `value`. Error: kNoMemory.
  Status set(size_t place, sqlite3_value* value) {
    values_[place] = sqlite3_value_dup(value);
    if (values_[place] == nullptr) return {StatusCode::kNoMemory, "no memory for an argument"};
    return Status::ok();
  }
  std::span<sqlite3_value* const> values() const { return values_; }

 private:
  std::array<sqlite3_value*, kMostArguments> values_ = {};
};

struct Cursor : sqlite3_vtab_cursor {
  const Table& table() const { return *static_cast<Table*>(pVtab); }

  Arguments given;
  std::string question;  // which `rows` answer; empty: none
  std::vector<ComputedRow> rows;
  bool none = true;  // a required argument is NULL
  size_t at = 0;
};

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char**) {
  return guarded([&] {
    const auto* context = static_cast<ModuleContext*>(aux);
    const auto* descriptor = static_cast<const ComputedTable*>(context->extra);
    const int code = sqlite3_declare_vtab(db, descriptor->declaration);
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto* table = new Table();
    table->connection = context->connection.get();
    table->descriptor = descriptor;
    *out = table;
    return SQLITE_OK;
  });
}

// Plan: bit i of idxNum says that argument i is among the values, which stand in their order.
int best_index(sqlite3_vtab* base, sqlite3_index_info* info) {
  return guarded([&] {
    const ComputedTable& descriptor = *static_cast<Table*>(base)->descriptor;
    std::array<int, kMostArguments> place;
    place.fill(-1);
    std::array<bool, kMostArguments> unusable = {};
    for (int i = 0; i < info->nConstraint; i++) {
      const auto& constraint = info->aConstraint[i];
      if (constraint.iColumn < descriptor.visible || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ)
        continue;
      const auto argument = static_cast<size_t>(constraint.iColumn - descriptor.visible);
      if (constraint.usable == 0) {
        unusable[argument] = true;
      } else if (place[argument] < 0) {
        place[argument] = i;  // a second value: SQLite compares it with the first
      }
    }
    int values = 0;
    for (size_t i = 0; i < static_cast<size_t>(descriptor.arguments); i++) {
      if (place[i] >= 0) {
        info->aConstraintUsage[place[i]].argvIndex = ++values;
        info->aConstraintUsage[place[i]].omit = 1;
        info->idxNum |= 1 << i;
      } else if (unusable[i]) {
        return SQLITE_CONSTRAINT;  // another order of the join may have it
      }
    }
    const int required = (1 << descriptor.required) - 1;
    if ((info->idxNum & required) != required)
      return set_error(
          base, Status(StatusCode::kInvalidInput, fmt::format("InvalidInputException: {} {}",
                                                              descriptor.name, descriptor.needs)));
    info->estimatedRows = static_cast<sqlite3_int64>(descriptor.rows);
    info->estimatedCost = descriptor.cost;
    return SQLITE_OK;
  });
}

// Equal for equal arguments. Leaves the values as they are: reading a number or a blob as a text
// would change its type.
std::string key_of(std::span<sqlite3_value* const> values) {
  std::string key;
  for (sqlite3_value* value : values) {
    const int type = value == nullptr ? SQLITE_NULL : sqlite3_value_type(value);
    key.push_back(static_cast<char>('0' + type));
    if (type == SQLITE_INTEGER) {
      key.append(fmt::format("{};", sqlite3_value_int64(value)));
    } else if (type == SQLITE_FLOAT) {
      key.append(fmt::format("{};", sqlite3_value_double(value)));
    } else if (type != SQLITE_NULL) {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
      const auto size = static_cast<size_t>(sqlite3_value_bytes(value));
      key.append(fmt::format("{};", size)).append(bytes, size);
    }
  }
  return key;
}

Status start(Cursor& cursor, int plan, sqlite3_value** values) {
  const ComputedTable& descriptor = *cursor.table().descriptor;
  cursor.at = 0;
  cursor.none = false;
  cursor.given.clear();
  std::array<sqlite3_value*, kMostArguments> asked = {};
  for (size_t i = 0; i < static_cast<size_t>(descriptor.arguments); i++) {
    if ((plan & (1 << i)) == 0) continue;
    sqlite3_value* value = *values++;
    if (sqlite3_value_type(value) != SQLITE_NULL) {
      PERSONALIZE_RETURN_IF_ERROR(cursor.given.set(i, value));
      asked[i] = value;
    } else if (i < static_cast<size_t>(descriptor.required)) {
      cursor.none = true;
    }
  }
  if (cursor.none) return Status::ok();
  std::string question = key_of(asked);
  if (question == cursor.question) return Status::ok();
  cursor.question.clear();
  cursor.rows.clear();
  PERSONALIZE_RETURN_IF_ERROR(descriptor.answer(*cursor.table().connection, asked, cursor.rows));
  cursor.question = std::move(question);
  return Status::ok();
}

int filter(sqlite3_vtab_cursor* base, int plan, const char*, int, sqlite3_value** values) {
  return guarded_table(base->pVtab,
                       [&] { return start(*static_cast<Cursor*>(base), plan, values); });
}

int next(sqlite3_vtab_cursor* base) {
  static_cast<Cursor*>(base)->at++;
  return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor* base) {
  const auto& cursor = *static_cast<Cursor*>(base);
  return cursor.none || cursor.at >= cursor.rows.size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  return guarded([&] {
    const auto& cursor = *static_cast<Cursor*>(base);
    const int visible = cursor.table().descriptor->visible;
    if (index >= visible) {
      sqlite3_value* value = cursor.given.values()[static_cast<size_t>(index - visible)];
      if (value != nullptr) sqlite3_result_value(context, value);
    } else {
      give(context, cursor.rows[cursor.at][static_cast<size_t>(index)]);
    }
    return SQLITE_OK;
  });
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(static_cast<Cursor*>(base)->at) + 1;
  return SQLITE_OK;
}

bool scores_users(RecipeType type) {
  return type == RecipeType::kUserPersonalization || type == RecipeType::kPersonalizedRanking ||
         type == RecipeType::kUserSegmentation;
}

sqlite3_module make_module() {
  sqlite3_module module = eponymous_module<Cursor>(connect, delete_table<Table>);
  module.xBestIndex = best_index;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

Status register_computed_table(const std::shared_ptr<Connection>& connection,
                               const ComputedTable& table) {
  static const sqlite3_module module = make_module();
  PERSONALIZE_RETURN_IF_ERROR(register_module(connection, table.name, &module, &table));
  constexpr std::string_view kPrefix = "personalize_";
  if (std::string_view(table.name).substr(0, kPrefix.size()) == kPrefix) return Status::ok();
  const std::string long_name = std::string(kPrefix) + table.name;
  return register_module(connection, long_name.c_str(), &module, &table);
}

Result<std::string> id_argument(std::span<sqlite3_value* const> values, size_t place,
                                std::string_view table, std::string_view argument) {
  return id_of(values[place], fmt::format("{}: {}", table, argument));
}

std::string_view text_argument(std::span<sqlite3_value* const> values, size_t place) {
  return values[place] == nullptr ? std::string_view() : text_of(values[place]);
}

Status check_scores_users(const LoadedModel& model, std::string_view table) {
  if (scores_users(model.recipe->type())) return Status::ok();
  std::vector<std::string_view> names;
  for (const Recipe* recipe : all_recipes())
    if (scores_users(recipe->type())) names.push_back(recipe->name());
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: {}: version {} is of recipe {}, which has no scores "
                      "of a user; those that have: {}",
                      table, model.record.name(), model.recipe->name(), fmt::join(names, ", "))};
}

Status unknown_item(const LoadedModel& model, std::string_view item_id, std::string_view table) {
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: {}: item '{}' is unknown to version {}", table,
                      item_id, model.record.name())};
}

}  // namespace personalize
