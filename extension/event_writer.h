// Writes a native interactions table.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "extension/dataset_write.h"
#include "extension/exposure_counter.h"
#include "extension/id_dictionary.h"

namespace personalize {

class EventWriter : public DatasetWriter {
 public:
  EventWriter(Connection& connection, std::string_view schema, std::string_view table,
              const DatasetConfig& config);

  Result<int64_t> insert(std::span<sqlite3_value*> values, int conflict) override;
  Status update(int64_t rowid, std::span<sqlite3_value*> values, int conflict) override;
  Status remove(int64_t rowid) override;
  void begin() override { others_may_have_written_ = true; }
  void release() override;

 private:
  // Drops what is known of the dictionaries if it may no longer hold.
  Status refresh();
  // What the next event of a user is numbered; to be counted up when it is in. The pointer holds
  // until the next call.
  Result<int64_t*> next_place(int64_t user);
  // Binds everything but the key, and sets impression_.
  Status bind_row(Statement& statement, std::span<sqlite3_value*> values);
  // The impression that a recommendation id stands for; empty: its list is not known.
  std::string implied_impression(std::string_view recommendation_id);
  // The impression of an event that is there.
  Result<std::string> stored_impression(int64_t rowid);
  // Leaves word in the database that events which were there are no longer what they were: readers
  // that remember them need look at new ones alone until then (UserPosition::mark). At each change:
  // this connection may ask, and remember, between two of them. Nothing where there is no mark.
  Status mark_change();
  Result<Statement> prepare_insert();
  Result<Statement> prepare_update();

  Connection& connection_;
  const DatasetConfig& config_;
  const std::string schema_;
  const std::string table_;  // for messages
  const std::string events_;
  const std::string changes_;
  IdDictionary users_;
  IdDictionary items_;
  IdDictionary types_;
  const size_t user_column_;
  const size_t item_column_;
  const size_t type_column_;
  const size_t impression_column_;
  const size_t recommendation_column_;
  ExposureCounter exposures_;
  std::string impression_;  // of the row that is being written
  Statement insert_;
  Statement update_;
  Statement delete_;
  Statement old_impression_;
  Statement last_place_;
  Statement data_version_;
  Statement mark_;
  std::unordered_map<int64_t, int64_t> next_place_;  // by user's code
  uint64_t rollbacks_ = 0;
  int64_t seen_data_version_ = -1;
  bool others_may_have_written_ = true;
};

}  // namespace personalize
