// Tells whether the rows of a users or items dataset may be others than when they were read, so
// that what was made of them may be kept from question to question.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"

namespace personalize {

// While it is the same, no row of the schema has changed. Costs two pragmas.
struct DatasetStamp {
  int64_t data_version = 0, schema_version = 0;  // of the schema
  int64_t total_changes = 0;                     // of the connection
  uint64_t rollbacks = 0, catalog_changes = 0;
  bool writing = false;  // in a transaction that may be rolled back

  static Result<DatasetStamp> of(Connection& connection, const std::string& schema);
  // Whether datasets are still declared as they were.
  bool same_declarations(const DatasetStamp& other) const {
    return schema_version == other.schema_version && catalog_changes == other.catalog_changes;
  }
  bool operator==(const DatasetStamp&) const = default;
};

// Where a dataset stands.
struct DatasetPosition {
  std::optional<int64_t> last_row;  // nothing: the table is empty or has no row numbers
  int64_t changes = 0;              // native: updates and deletions so far
  bool operator==(const DatasetPosition&) const = default;
};

// One dataset, while it is declared as it is.
class DatasetWatch {
 public:
  // Errors: kInvalidInput if the business table of a content= dataset has lost a column or its
  // index.
  static Result<DatasetWatch> make(Connection& connection, const Dataset& dataset);

  // Rows are those of a business table: they change without a word to us.
  bool is_content() const { return is_content_; }
  // The ids of the rows after row ?1; "": rows have no numbers.
  const std::string& tail_query() const { return tail_query_; }
  // One look-up. Of a content= dataset `changes` is 0 always.
  Result<DatasetPosition> position(Connection& connection) const;

 private:
  bool is_content_ = false;
  std::string position_query_, tail_query_;
};

}  // namespace personalize
