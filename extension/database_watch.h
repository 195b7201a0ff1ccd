// Whether the databases of a connection are the ones that were there, and hold what they held: what
// everything that a connection keeps of their catalogs rests on.
#pragma once

#include <cstdint>
#include <string>
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

  // Looks again. The first look has kFiles. Costs two small statements a database where SQLite can
  // name them (3.39), and the list of them elsewhere. Errors: those of reading a database that has
  // a catalog, or main; any other that cannot be read counts as one without.
  Result<News> look(Connection& connection);

  // The schemas that have a catalog, as of the last look that had news.
  const std::vector<std::string>& catalogs() const { return catalogs_; }
  // Connection::catalog_changes() then.
  uint64_t catalog_changes() const { return catalog_changes_; }

 private:
  struct Database {
    std::string name;
    std::string file;  // behind it: another may be attached under an old name
    int64_t data_version = 0, schema_version = 0;
    std::string data_query, schema_query;  // that ask for them
    bool has_catalog = false;
  };

  Result<bool> is_same(Connection& connection);
  Result<News> look_anew(Connection& connection);
  Status read_versions(Connection& connection, const Database& database, int64_t& data,
                       int64_t& schema);

  std::vector<Database> databases_;
  std::vector<std::string> names_;  // of all schemas, as SQLite counts them
  std::vector<std::string> catalogs_;
  uint64_t catalog_changes_ = 0;
  // DETACH makes SQLite prepare all statements again, whatever is attached next.
  bool prepared_again_ = false;
  bool looked_ = false;
};

}  // namespace personalize
