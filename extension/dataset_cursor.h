// SELECT on a dataset: one statement over the shadow tables or the business table, with codes and
// ids turned into texts on the way.
#pragma once

#include "extension/sqlite_api.h"

namespace personalize {

// Sets xBestIndex, xOpen, xClose, xFilter, xNext, xEof, xColumn and xRowid of a module whose tables
// are DatasetTables.
void set_cursor_methods(sqlite3_module& module);

}  // namespace personalize
