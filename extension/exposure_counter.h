// Keeps <table>_exposure: in how many events' impressions each item is.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/id_dictionary.h"

namespace personalize {

// Writes in the caller's transaction, so that a count comes and goes with its event.
class ExposureCounter {
 public:
  // `table` is quoted: "main"."interactions_exposure". `items` outlives it.
  ExposureCounter(Connection& connection, std::string table, IdDictionary& items)
      : connection_(connection), table_(std::move(table)), items_(items) {}

  // Counts every item of an impression once more (change 1), or takes that back (-1). Items that
  // nobody interacted with get a code, too. Nothing is done for an empty one.
  Status count(std::string_view impression, int64_t change);
  // Gives its statement back, so that the table can be renamed or dropped.
  void release() { count_ = Statement(); }

 private:
  Connection& connection_;
  const std::string table_;
  IdDictionary& items_;
  Statement count_;
};

}  // namespace personalize
