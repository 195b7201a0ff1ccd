#include "extension/database_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "extension/catalog.h"

namespace personalize {
namespace {

std::string pragma(const std::string& schema, std::string_view name) {
  return fmt::format("PRAGMA {}.{}", sql_name(schema), name);
}

// From SQLite 3.39 on.
bool can_name_schemas() { return sqlite3_libversion_number() >= 3'039'000; }

const char* file_of(sqlite3* db, const char* schema) {
  const char* file = sqlite3_db_filename(db, schema);
  return file == nullptr ? "" : file;
}

}  // namespace

Result<std::pair<int64_t, int64_t>> DatabaseWatch::versions(Connection& connection,
                                                            const Database& database) {
  std::pair<int64_t, int64_t> versions;
  for (const auto& [query, version] : {std::pair(&database.data_query, &versions.first),
                                       {&database.schema_query, &versions.second}}) {
    PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection.cached(*query));
    PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
    *version = statement.integer(0);
    if (sqlite3_stmt_status(statement.get(), SQLITE_STMTSTATUS_REPREPARE, 1) > 0)
      prepared_again_ = true;
  }
  return versions;
}

Result<DatabaseWatch::Database> DatabaseWatch::read(Connection& connection,
                                                    const std::string& schema) {
  Database database{schema, file_of(connection.db(), schema.c_str()),
                    pragma(schema, "data_version"), pragma(schema, "schema_version")};
  PERSONALIZE_ASSIGN_OR_RETURN(const std::pair now, versions(connection, database));
  database.data_version = now.first;
  database.schema_version = now.second;
  return database;
}

Result<bool> DatabaseWatch::is_same(Connection& connection) {
  sqlite3* const db = connection.db();
  for (size_t i = 0;; i++) {
    const char* name = sqlite3_db_name(db, static_cast<int>(i));
    if (i == names_.size()) {
      if (name != nullptr) return false;
      break;
    }
    if (name == nullptr || names_[i] != name) return false;
  }
  for (const Database& before : databases_) {
    if (before.file != file_of(db, before.name.c_str())) return false;
    PERSONALIZE_ASSIGN_OR_RETURN(const std::pair now, versions(connection, before));
    if (now != std::pair(before.data_version, before.schema_version)) return false;
  }
  return !prepared_again_ && connection.catalog_changes() == catalog_changes_;
}

Result<DatabaseWatch::News> DatabaseWatch::look_anew(Connection& connection) {
  sqlite3* const db = connection.db();
  std::vector<Database> databases;
  // Before its catalog is looked for: one that comes in between must be news the next time.
  PERSONALIZE_ASSIGN_OR_RETURN(Database main, read(connection, "main"));
  databases.push_back(std::move(main));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> catalogs,
                               catalog_schemas(connection));
  for (const std::string& schema : catalogs) {
    if (schema == "main") continue;
    PERSONALIZE_ASSIGN_OR_RETURN(Database database, read(connection, schema));
    databases.push_back(std::move(database));
  }
  News news = News::kNone;
  const uint64_t catalog_changes = connection.catalog_changes();
  if (catalog_changes != catalog_changes_ || catalogs != catalogs_) news = News::kCommits;
  if (!looked_ || prepared_again_ || databases.size() != databases_.size()) news = News::kFiles;
  for (size_t i = 0; i < databases.size() && news != News::kFiles; i++) {
    const Database &now = databases[i], &before = databases_[i];
    if (now.name != before.name || now.file != before.file)
      news = News::kFiles;
    else if (now.schema_version != before.schema_version)
      news = News::kSchemas;
    else if (now.data_version != before.data_version)
      news = std::max(news, News::kCommits);
  }
  databases_ = std::move(databases);
  catalogs_ = catalogs;
  catalog_changes_ = catalog_changes;
  prepared_again_ = false;
  looked_ = true;
  names_.clear();
  if (can_name_schemas())
    while (const char* name = sqlite3_db_name(db, static_cast<int>(names_.size())))
      names_.emplace_back(name);
  return news;
}

Result<DatabaseWatch::News> DatabaseWatch::look(Connection& connection, bool thorough) {
  if (can_name_schemas() && looked_ && !thorough) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool same, is_same(connection));
    if (same) return News::kNone;
  }
  return look_anew(connection);
}

}  // namespace personalize
