// The module behind explain, user_segment and personalize_cost: eponymous tables whose rows answer
// one question, which is made of the hidden columns. One module; each table is a descriptor.
//
// A cursor keeps its last answer: a join that asks the same again gets it without another request.
// All rows come from the snapshot of the statement, so what is kept cannot be old.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/serving/loaded_model.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/report_table.h"

namespace personalize {

using ComputedRow = std::vector<ReportValue>;  // one a visible column

struct ComputedTable {
  const char* name;         // it also answers to 'personalize_' before it, if that is not there
  const char* declaration;  // for sqlite3_declare_vtab: visible columns, then the arguments, hidden
  int visible;
  int arguments;
  int required;       // the first so many arguments must be there; a NULL among them: no rows
  const char* needs;  // what is said when one of them is missing
  double rows, cost;  // guesses for the planner, a question
  // Adds the rows. values[i] is argument i; null if it was not given or is NULL.
  Status (*answer)(Connection& connection, std::span<sqlite3_value* const> values,
                   std::vector<ComputedRow>& rows);
};

// `table` must live for ever.
Status register_computed_table(const std::shared_ptr<Connection>& connection,
                               const ComputedTable& table);

// The id in values[place], which is there. Error: as id_of, naming the table and the argument.
Result<std::string> id_argument(std::span<sqlite3_value* const> values, size_t place,
                                std::string_view table, std::string_view argument);
// The text in values[place]; empty if it is not there.
std::string_view text_argument(std::span<sqlite3_value* const> values, size_t place);

// Whether the model's scores are those of a user's items. Error: kInvalidInput, saying whose are.
Status check_scores_users(const LoadedModel& model, std::string_view table);
// What is said of an item that the model does not know.
Status unknown_item(const LoadedModel& model, std::string_view item_id, std::string_view table);

}  // namespace personalize
