// What a training would take, before it runs; one row a solution:
//
//   SELECT events, users, items, bytes, seconds FROM personalize_estimate('movies');
//   SELECT seconds FROM personalize_estimate('movies', '{"evaluation": "none"}');
//   SELECT s.name, e.* FROM personalize_solutions s, personalize_estimate(s.name) e;
//
// The second argument is that of personalize_train. Reads the events once, and keeps none. A
// training that would take more bytes than max_training_memory is refused.
//
// Plan: the arguments are the values of filter in this order; idxNum says whether the second is
// there.
#include "extension/estimate_table.h"

#include <array>
#include <chrono>
#include <cmath>
#include <string>

#include "engine/training/estimate.h"
#include "extension/boundary.h"
#include "extension/eponymous_module.h"
#include "extension/training_settings.h"
#include "extension/training_sources.h"

namespace personalize {
namespace {

constexpr const char* kName = "personalize_estimate";

enum Column : int {
  kEvents,
  kUsers,
  kItems,
  kBytes,
  kSeconds,
  kMostBytes,
  kFits,
  kSolution,
  kOptions
};
constexpr const char* kDeclaration =
    "CREATE TABLE x(events INTEGER, users INTEGER, items INTEGER, bytes INTEGER, seconds REAL, "
    "max_training_memory INTEGER, fits INTEGER, solution TEXT HIDDEN, options TEXT HIDDEN)";

struct EstimateTable : sqlite3_vtab {
  Connection* connection = nullptr;
};

struct EstimateCursor : sqlite3_vtab_cursor {
  TrainingEstimate estimate;
  uint64_t max_memory = 0;
  std::string solution;
  std::string options;
  bool has_options = false;
  bool at_end = true;
};

// `status` led by who says it, unless it is already.
Status from_estimate(const Status& status) {
  if (status.is_ok() || status.message().find("Exception: ") != std::string::npos) return status;
  const bool invalid = status.code() == StatusCode::kInvalidInput;
  return {status.code(),
          std::string(invalid ? "InvalidInputException: " : "") + kName + ": " + status.message()};
}

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char**) {
  return guarded([&] {
    if (const int code = sqlite3_declare_vtab(db, kDeclaration); code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto* table = new EstimateTable();
    table->connection = static_cast<ModuleContext*>(aux)->connection.get();
    *out = table;
    return SQLITE_OK;
  });
}

int best_index(sqlite3_vtab* table, sqlite3_index_info* info) {
  return guarded([&] {
    std::array<int, 2> place = {-1, -1};
    for (int i = 0; i < info->nConstraint; i++) {
      const auto& constraint = info->aConstraint[i];
      if (constraint.iColumn < kSolution || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      // As an argument it must not be passed over; another order of the join may have it.
      if (!constraint.usable) return SQLITE_CONSTRAINT;
      place[static_cast<size_t>(constraint.iColumn - kSolution)] = i;
    }
    if (place[0] < 0) {
      return set_error(table, Status(StatusCode::kInvalidInput,
                                     "InvalidInputException: personalize_estimate: which solution? "
                                     "SELECT * FROM personalize_estimate('movies')"));
    }
    int values = 0;
    for (const int i : place) {
      if (i < 0) continue;
      info->aConstraintUsage[i].argvIndex = ++values;
      info->aConstraintUsage[i].omit = 1;
    }
    info->idxNum = values == 2 ? 1 : 0;
    info->estimatedRows = 1;
    info->estimatedCost = 1e6;
    info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    return SQLITE_OK;
  });
}

Status start(EstimateCursor& cursor, int plan, sqlite3_value** values) {
  Connection& connection = *static_cast<EstimateTable*>(cursor.pVtab)->connection;
  cursor.at_end = true;
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return Status::ok();
  cursor.solution = text_of(values[0]);
  cursor.has_options = plan == 1 && sqlite3_value_type(values[1]) != SQLITE_NULL;
  cursor.options = cursor.has_options ? text_of(values[1]) : std::string_view();
  PERSONALIZE_ASSIGN_OR_RETURN(const SolutionEntry entry,
                               find_solution(connection, cursor.solution, kName));
  PERSONALIZE_ASSIGN_OR_RETURN(const TrainingOptions options,
                               TrainingOptions::parse(cursor.options));
  PERSONALIZE_ASSIGN_OR_RETURN(cursor.max_memory, max_training_memory(connection, entry.schema));
  PERSONALIZE_ASSIGN_OR_RETURN(const OpenTrainingSources opened,
                               open_training_sources(connection, entry));
  InterruptProbe probe(connection);
  PERSONALIZE_ASSIGN_OR_RETURN(cursor.estimate,
                               estimate_training(entry.solution, options, opened.sources(),
                                                 [&probe] { return probe.interrupted(); }));
  cursor.at_end = false;
  return Status::ok();
}

int filter(sqlite3_vtab_cursor* base, int plan, const char*, int, sqlite3_value** values) {
  return guarded_table(base->pVtab, [&] {
    return from_estimate(start(*static_cast<EstimateCursor*>(base), plan, values));
  });
}

int next(sqlite3_vtab_cursor* cursor) {
  static_cast<EstimateCursor*>(cursor)->at_end = true;
  return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor* cursor) {
  return static_cast<EstimateCursor*>(cursor)->at_end ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  const auto& cursor = *static_cast<EstimateCursor*>(base);
  const TrainingEstimate& estimate = cursor.estimate;
  const auto give = [&](uint64_t number) {
    sqlite3_result_int64(context, static_cast<sqlite3_int64>(number));
  };
  const auto give_text = [&](const std::string& text) {
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  };
  switch (index) {
    case kEvents:
      give(estimate.size.events);
      break;
    case kUsers:
      give(estimate.size.users);
      break;
    case kItems:
      give(estimate.size.items);
      break;
    case kBytes:
      give(static_cast<uint64_t>(std::min(estimate.bytes, 0x1p62)));
      break;
    case kSeconds:
      sqlite3_result_double(context, std::round(estimate.seconds * 1'000) / 1'000);
      break;
    case kMostBytes:
      if (cursor.max_memory > 0) give(cursor.max_memory);
      break;
    case kFits:
      give(static_cast<uint64_t>(estimate.fits));
      break;
    case kSolution:
      give_text(cursor.solution);
      break;
    default:
      if (cursor.has_options) give_text(cursor.options);
  }
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor*, sqlite3_int64* id) {
  *id = 1;
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module = eponymous_module<EstimateCursor>(connect, delete_table<EstimateTable>);
  module.xBestIndex = best_index;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

Status register_estimate_table(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module module = make_module();
  return register_module(connection, kName, &module, nullptr);
}

}  // namespace personalize
