// Finds datasets in the catalog, with their configuration.
#pragma once

#include <optional>
#include <string_view>

#include "engine/status.h"
#include "extension/catalog.h"
#include "extension/connection.h"
#include "extension/dataset_config.h"

namespace personalize {

struct Dataset {
  DatasetEntry entry;
  DatasetConfig config;
};

// The group's dataset of a kind, or nothing; also where the schema has no catalog.
Result<std::optional<Dataset>> find_dataset_of_group(Connection& connection,
                                                     std::string_view schema,
                                                     std::string_view group, DatasetKind kind);

// The group's interactions. Errors: kNotFound with the statement that makes them.
Result<Dataset> find_interactions(Connection& connection, std::string_view schema,
                                  std::string_view group);

// The dataset that is the virtual table `name`, or 'schema.name', whatever its case. Errors:
// kNotFound listing the datasets there are. `caller` leads the message.
Result<Dataset> find_dataset_table(Connection& connection, std::string_view name,
                                   std::string_view caller);

}  // namespace personalize
