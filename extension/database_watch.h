// Whether the databases of a connection are the ones that were there, and hold what they held: what
// everything that a connection keeps of their catalogs rests on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

class DatabaseWatch {
 public:
  // What has come since the last look, the farthest-reaching of it.
  enum class News {
    kNone,
    kCommits,  // of others, or changes of catalogs by this connection
    kSchemas,  // tables may be others, also because a backup was restored into this connection
    kFiles,    // databases are attached or detached; the file behind a name may be another
  };

  // Looks again. The first look has kFiles. Costs two small statements for main and for each other
  // database that has a catalog, where SQLite can name them (3.39), and the list of them elsewhere.
  // The others are not read: somebody may hold a lock on them that is nothing to us. Whether they
  // have got a catalog since is seen with `thorough`. Errors: those of reading main or a catalog.
  Result<News> look(Connection& connection, bool thorough);

  // The schemas that have a catalog, as of the last look that had news.
  const std::vector<std::string>& catalogs() const { return catalogs_; }
  bool has_catalog(std::string_view schema) const {
    return std::find(catalogs_.begin(), catalogs_.end(), schema) != catalogs_.end();
  }
  // Connection::catalog_changes() then.
  uint64_t catalog_changes() const { return catalog_changes_; }

 private:
  struct Database {
    std::string name;
    std::string file;                      // behind it: another may be attached under an old name
    std::string data_query, schema_query;  // that ask for the versions
    int64_t data_version = 0, schema_version = 0;
  };

  Result<bool> is_same(Connection& connection);
  Result<News> look_anew(Connection& connection);
  Result<Database> read(Connection& connection, const std::string& schema);
  // Its data version and its schema version now.
  Result<std::pair<int64_t, int64_t>> versions(Connection& connection, const Database& database);

  std::vector<Database> databases_;  // main, and those that have a catalog
  std::vector<std::string> names_;   // of all schemas, as SQLite counts them
  std::vector<std::string> catalogs_;
  uint64_t catalog_changes_ = 0;
  // DETACH makes SQLite prepare all statements again, whatever is attached next.
  bool prepared_again_ = false;
  bool looked_ = false;
};

}  // namespace personalize
