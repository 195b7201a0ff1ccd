#include "extension/dataset_plan.h"

#include <array>

namespace personalize {
namespace {

constexpr const char* kDescriptions[4][3] = {
    {"SCAN", "SCAN ORDER BY timestamp", "SCAN ORDER BY timestamp DESC"},
    {"ROWID", "ROWID", "ROWID"},
    {"INDEX user_id", "INDEX user_id ORDER BY timestamp", "INDEX user_id ORDER BY timestamp DESC"},
    {"SCAN item_id", "SCAN item_id", "SCAN item_id"},
};

struct Cost {
  double cost;
  sqlite3_int64 rows;
};

// Rough, but in the right order: a user has a hundred events, a table a million.
Cost cost_of(Lookup lookup, bool unique) {
  switch (lookup) {
    case Lookup::kRowid:
      return {1, 1};
    case Lookup::kId:
      return unique ? Cost{2, 1} : Cost{100, 100};
    case Lookup::kItem:
      return {200'000, 1'000};
    case Lookup::kScan:
      break;
  }
  return {1'000'000, 1'000'000};
}

// How `constraint` could be answered, or kScan.
Lookup lookup_of(const DatasetConfig& config, const sqlite3_index_info* info, int i) {
  const auto& constraint = info->aConstraint[i];
  if (constraint.usable == 0 || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) return Lookup::kScan;
  if (constraint.iColumn < 0) return config.content.empty() ? Lookup::kRowid : Lookup::kScan;
  const std::string& column = config.columns[constraint.iColumn].name;
  const bool is_user = column == "USER_ID";
  if (!is_user && column != "ITEM_ID") return Lookup::kScan;
  // Ids are compared byte by byte; another collation is SQLite's to apply.
  if (sqlite3_stricmp(sqlite3_vtab_collation(const_cast<sqlite3_index_info*>(info), i), "BINARY") !=
      0)
    return Lookup::kScan;
  if (config.kind == DatasetKind::kInteractions) return is_user ? Lookup::kId : Lookup::kItem;
  return (config.kind == DatasetKind::kUsers) == is_user ? Lookup::kId : Lookup::kScan;
}

// The cheapest first.
int rank_of(Lookup lookup) {
  constexpr std::array<int, 4> kRanks = {3, 0, 1, 2};
  return kRanks[static_cast<size_t>(lookup)];
}

RowOrder order_of(const DatasetConfig& config, const sqlite3_index_info* info) {
  if (config.kind != DatasetKind::kInteractions || info->nOrderBy != 1) return RowOrder::kAny;
  if (info->aOrderBy[0].iColumn != config.find("TIMESTAMP")) return RowOrder::kAny;
  return info->aOrderBy[0].desc != 0 ? RowOrder::kTimestampDescending : RowOrder::kTimestamp;
}

}  // namespace

int plan_dataset(const DatasetConfig& config, sqlite3_index_info* info) {
  DatasetPlan plan;
  int chosen = -1;
  for (int i = 0; i < info->nConstraint; i++) {
    const Lookup lookup = lookup_of(config, info, i);
    if (rank_of(lookup) >= rank_of(plan.lookup)) continue;
    plan.lookup = lookup;
    chosen = i;
  }
  if (chosen >= 0) {
    info->aConstraintUsage[chosen].argvIndex = 1;
    // Also because 42 and 42.0 are the id '42' here, but not to SQLite's comparison with text.
    info->aConstraintUsage[chosen].omit = 1;
  }
  if (plan.lookup == Lookup::kId) plan.order = order_of(config, info);
  info->orderByConsumed = plan.order != RowOrder::kAny ? 1 : 0;
  const bool unique = plan.lookup == Lookup::kRowid ||
                      (plan.lookup == Lookup::kId && config.kind != DatasetKind::kInteractions &&
                       config.content.empty());
  if (unique) info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
  const Cost cost = cost_of(plan.lookup, config.kind != DatasetKind::kInteractions);
  info->estimatedCost = cost.cost;
  info->estimatedRows = cost.rows;
  info->idxNum = plan.to_number();
  const bool is_items = config.kind == DatasetKind::kItems && plan.lookup == Lookup::kId;
  const char* description =
      is_items ? "INDEX item_id"
               : kDescriptions[static_cast<int>(plan.lookup)][static_cast<int>(plan.order)];
  info->idxStr = const_cast<char*>(description);
  info->needToFreeIdxStr = 0;
  return SQLITE_OK;
}

}  // namespace personalize
