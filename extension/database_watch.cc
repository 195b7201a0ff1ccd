#include "extension/database_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "extension/catalog.h"

namespace personalize {
namespace {

constexpr int64_t kUnreadable = -1;

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

Status DatabaseWatch::read_versions(Connection& connection, const Database& database, int64_t& data,
                                    int64_t& schema) {
  for (const auto& [query, version] :
       {std::pair(&database.data_query, &data), {&database.schema_query, &schema}}) {
    PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection.cached(*query));
    PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
    *version = statement.integer(0);
    if (sqlite3_stmt_status(statement.get(), SQLITE_STMTSTATUS_REPREPARE, 1) > 0)
      prepared_again_ = true;
  }
  return Status::ok();
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
  for (const Database& database : databases_) {
    if (database.file != file_of(db, database.name.c_str())) return false;
    int64_t data = kUnreadable, schema = kUnreadable;
    const Status read = read_versions(connection, database, data, schema);
    if (!read.is_ok() && database.has_catalog) return read;
    if (data != database.data_version || schema != database.schema_version) return false;
  }
  return !prepared_again_ && connection.catalog_changes() == catalog_changes_;
}

Result<DatabaseWatch::News> DatabaseWatch::look_anew(Connection& connection) {
  sqlite3* const db = connection.db();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, schemas_of(connection));
  std::vector<Database> databases;
  std::vector<Status> read;
  // Before the catalogs are looked for: what comes in between must be news the next time.
  for (const std::string& schema : schemas) {
    databases.push_back({schema, file_of(db, schema.c_str()), kUnreadable, kUnreadable,
                         pragma(schema, "data_version"), pragma(schema, "schema_version")});
    Database& database = databases.back();
    read.push_back(
        read_versions(connection, database, database.data_version, database.schema_version));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> catalogs,
                               catalog_schemas(connection));
  for (size_t i = 0; i < databases.size(); i++) {
    databases[i].has_catalog =
        std::find(catalogs.begin(), catalogs.end(), databases[i].name) != catalogs.end();
    if (databases[i].has_catalog) PERSONALIZE_RETURN_IF_ERROR(read[i]);
  }
  // What the application keeps there for itself changes often and without meaning to us.
  std::erase_if(databases, [](const Database& database) {
    return database.name == "temp" && !database.has_catalog;
  });
  News news = News::kNone;
  const uint64_t catalog_changes = connection.catalog_changes();
  if (catalog_changes != catalog_changes_) news = News::kCommits;
  if (!looked_ || prepared_again_ || databases.size() != databases_.size()) news = News::kFiles;
  for (size_t i = 0; i < databases.size() && news != News::kFiles; i++) {
    const Database &now = databases[i], &before = databases_[i];
    if (now.name != before.name || now.file != before.file)
      news = News::kFiles;
    else if (now.schema_version != before.schema_version || now.has_catalog != before.has_catalog)
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

Result<DatabaseWatch::News> DatabaseWatch::look(Connection& connection) {
  if (can_name_schemas() && looked_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool same, is_same(connection));
    if (same) return News::kNone;
  }
  return look_anew(connection);
}

}  // namespace personalize
