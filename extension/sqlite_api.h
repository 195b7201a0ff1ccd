// The only way into SQLite's API. In the loadable extension every call goes through the host's
// table of routines, which may lack newer ones: what is newer than 3.38, or may be compiled out of
// a host (progress handlers, column metadata, unlock_notify), must be looked for before it is
// called.
#pragma once

#include <sqlite3ext.h>
#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT3
#endif

// Newer than the headers of some hosts' build machines; the values are part of SQLite's file format
// of plans.
#ifndef SQLITE_INDEX_CONSTRAINT_LIMIT
#define SQLITE_INDEX_CONSTRAINT_LIMIT 73
#define SQLITE_INDEX_CONSTRAINT_OFFSET 74
#endif
