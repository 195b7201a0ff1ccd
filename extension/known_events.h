// The events that a user has, so that another one like them is recognised.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"
#include "extension/json_row.h"

namespace personalize {

// Of one user, for one call: reads his history once, so that each further event costs the same
// however many he has. Holds statements.
class KnownEvents {
 public:
  static Result<KnownEvents> read(Connection& connection, const Dataset& interactions,
                                  std::string_view user);

  // Whether he has an event like `row`: of the same EVENT_ID, if the row has one; else equal in all
  // columns. A list of items that a recommendation id implies is not the event's own and is not
  // compared.
  Result<bool> contains(const JsonRow& row);
  // `row` was written and is the event of that rowid.
  void add(const JsonRow& row, int64_t rowid);

 private:
  explicit KnownEvents(const Dataset& interactions);

  Status load(Connection& connection, std::string_view user);
  Status prepare_comparison(Connection& connection);

  const Dataset* dataset_;
  size_t time_column_;
  int event_id_column_;                               // -1: not declared
  std::unordered_multimap<int64_t, int64_t> rowids_;  // by timestamp
  std::unordered_set<std::string> event_ids_;
  Statement is_same_;
};

}  // namespace personalize
