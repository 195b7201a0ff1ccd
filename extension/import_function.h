// personalize_import(table, path [, options]): a CSV file into a dataset, all of it or nothing.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

// options: {"delimiter": ";", "mode": "FULL"}. FULL: the file takes the place of all rows;
// INCREMENTAL, which goes without saying: it is added to them, users and items replace those of the
// same id. Columns are found by the names in the file's first line, in any case
// and order; those the dataset does not have are left out. Gives JSON: {"table": "interactions",
// "rows": 100000, "deleted": 90000, "users": 943, "seconds": 0.41, "ignored_columns":
// ["ZIP_CODE"]}.
Status register_import_function(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
