// What xBestIndex decides about a dataset and xFilter carries out.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/dataset_config.h"
#include "extension/sqlite_api.h"

namespace personalize {

// How rows are found; xFilter gets one argument unless it scans.
enum class Lookup {
  kScan = 0,
  kRowid = 1,  // rowid = ?
  kId = 2,     // USER_ID of interactions and users, ITEM_ID of items: a range or index look-up
  kItem = 3,   // ITEM_ID of interactions: a scan that compares codes
};

// In which order they come.
enum class RowOrder { kAny = 0, kTimestamp = 1, kTimestampDescending = 2 };

struct DatasetPlan {
  Lookup lookup = Lookup::kScan;
  RowOrder order = RowOrder::kAny;

  int to_number() const { return static_cast<int>(lookup) | static_cast<int>(order) << 4; }
  static DatasetPlan of_number(int number) {
    return {static_cast<Lookup>(number & 15), static_cast<RowOrder>(number >> 4 & 3)};
  }
};

// xBestIndex. Leaves a readable idxStr, which EXPLAIN QUERY PLAN shows: "INDEX user_id".
int plan_dataset(const DatasetConfig& config, sqlite3_index_info* info);

}  // namespace personalize
