// What personalize_check says about the datasets of a schema.
#pragma once

#include <string>
#include <vector>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

struct DatasetFinding {
  std::string table;
  std::string problem;
};

// Whether the datasets of the catalog are there, with all their tables, and every event has its
// user, item and event type. Reads every event of native datasets. No findings: sound.
Result<std::vector<DatasetFinding>> check_datasets(Connection& connection,
                                                   const std::string& schema);

}  // namespace personalize
