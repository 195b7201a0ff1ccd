// From the rows of a CSV file to INSERTs into a dataset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"

namespace personalize {

struct ImportOptions {
  char delimiter = ',';
  bool is_full = false;  // the file's rows take the place of all rows that are there
  size_t room =
      size_t{256} << 20;  // bytes of events that are held at once, to be put in order of users
};

struct ImportSummary {
  int64_t rows = 0;
  int64_t deleted = 0;                       // that were there before a full import
  int64_t users = 0;                         // interactions: how many different ones the file has
  std::vector<std::string> ignored_columns;  // of the file, that the dataset does not have
};

// Reads the file and inserts its rows, all of them or none. Users and items replace the row of the
// same id. A full import that fails leaves the rows that were there. Errors: kInvalidInput with the
// line, column and value; kInterrupted; and what the INSERTs meet. Messages begin with the path.
Result<ImportSummary> import_csv(Connection& connection, const Dataset& dataset,
                                 const std::string& path, const ImportOptions& options);

}  // namespace personalize
