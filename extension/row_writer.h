// Writes a native users or items table.
#pragma once

#include <string>

#include "extension/dataset_write.h"
#include "extension/statement.h"

namespace personalize {

class RowWriter : public DatasetWriter {
 public:
  RowWriter(Connection& connection, std::string_view schema, std::string_view table,
            const DatasetConfig& config);

  Result<int64_t> insert(std::span<sqlite3_value*> values, int conflict) override;
  Status update(int64_t rowid, std::span<sqlite3_value*> values, int conflict) override;
  Status remove(int64_t rowid) override;
  void begin() override {}
  void release() override;

 private:
  // Binds column i to parameter i + 1, the id to what lies in id_.
  Status bind_row(Statement& statement, std::span<sqlite3_value*> values);
  // Counts the change of a row that was there.
  Status count_change();
  // Whether the id of the last bind_row is there.
  Result<bool> is_there();
  // "the id is there already", with a message like a plain table's.
  Status explain(const Status& status) const;

  Connection& connection_;
  const DatasetConfig& config_;
  const std::string table_;  // for messages
  const std::string rows_;
  const std::string changes_;  // of items, else ""
  const size_t id_column_;
  std::string id_;
  Statement insert_;
  Statement replace_;
  Statement update_;
  Statement update_or_replace_;
  Statement delete_;
  Statement find_;
  Statement count_;
};

}  // namespace personalize
