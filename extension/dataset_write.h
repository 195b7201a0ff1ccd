// INSERT, UPDATE and DELETE on a dataset: from xUpdate's arguments to rows of shadow tables.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_config.h"

namespace personalize {

// Writes one dataset for one connection. Keeps prepared statements and, for interactions, what it
// knows of the dictionaries; everything runs in the caller's transaction. A refused row is
// kConstraint, and nothing of it is in: the statement's OR clause then decides.
class DatasetWriter {
 public:
  virtual ~DatasetWriter() = default;

  // `values` holds one value a column, in the order of DatasetConfig::columns. `conflict` is
  // sqlite3_vtab_on_conflict's answer. Gives the new row's rowid.
  virtual Result<int64_t> insert(std::span<sqlite3_value*> values, int conflict) = 0;
  virtual Status update(int64_t rowid, std::span<sqlite3_value*> values, int conflict) = 0;
  virtual Status remove(int64_t rowid) = 0;

  // A transaction begins: other connections may have written since the last one.
  virtual void begin() = 0;
  // Gives its statements back, so that the shadow tables can be renamed or dropped.
  virtual void release() = 0;
};

// The writer for `table` in `schema`. A dataset with content= has one that refuses everything and
// names the business table. `config` must outlive it.
std::unique_ptr<DatasetWriter> make_dataset_writer(Connection& connection, std::string_view schema,
                                                   std::string_view table,
                                                   const DatasetConfig& config);

}  // namespace personalize
