// personalize_import(table, path [, options]): a CSV file into a dataset, all of it or nothing.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

// options: {"delimiter": ";"}. Columns are found by the names in the file's first line, in any case
// and order; those the dataset does not have are left out. Gives JSON: {"table": "interactions",
// "rows": 100000, "users": 943, "seconds": 0.41, "ignored_columns": ["ZIP_CODE"]}.
Status register_import_function(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
