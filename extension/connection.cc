#include "extension/connection.h"

#include <fmt/format.h>

#include "extension/boundary.h"

namespace personalize {

Connection::Connection(sqlite3* db) : db_(db) {}

Connection::~Connection() {
  parts_.clear();
  drop_statements();
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), 0, &statement, nullptr);
  if (code != SQLITE_OK) return sqlite_failure(db_, code, "personalize");
  return Statement(statement, nullptr);
}

Result<Statement> Connection::cached(std::string_view sql) {
  const std::string key(sql);
  if (const auto found = idle_.find(key); found != idle_.end()) {
    sqlite3_stmt* statement = found->second;
    idle_.erase(found);
    return Statement(statement, this);
  }
  if (!anchored_) {
    // Connecting the anchor makes SQLite tell us when the connection closes.
    PERSONALIZE_RETURN_IF_ERROR(execute("SELECT 1 FROM personalize_anchor"));
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, key.data(), static_cast<int>(key.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return sqlite_failure(db_, code, "personalize");
  return Statement(statement, anchored_ ? this : nullptr);
}

Result<int64_t> Connection::number(std::string_view sql) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, cached(sql));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  return statement.integer(0);
}

void Connection::take_back(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (!anchored_) {
    sqlite3_finalize(statement);
    return;
  }
  try {
    idle_.emplace(sqlite3_sql(statement), statement);
  } catch (const std::bad_alloc&) {
    sqlite3_finalize(statement);
  }
}

void Connection::drop_statements() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  idle_.clear();
}

Status Connection::execute(const std::string& sql) {
  char* message = nullptr;
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message);
  if (code == SQLITE_OK) return Status::ok();
  sqlite3_free(message);
  return sqlite_failure(db_, code, "personalize");
}

uint64_t Connection::catalog_changes() {
  if (catalog_uncommitted_) {
    catalog_changes_++;
    // In autocommit the statement that changed it may still be running, and fail.
    catalog_uncommitted_ =
        sqlite3_get_autocommit(db_) == 0 || sqlite3_txn_state(db_, nullptr) == SQLITE_TXN_WRITE;
  }
  return catalog_changes_;
}

void Connection::count_catalog_change() {
  catalog_changes_++;
  catalog_uncommitted_ = true;
}

bool Connection::interrupted() {
  Result<Statement> probe = cached("SELECT 1");
  if (!probe.is_ok()) return probe.status().code() == StatusCode::kInterrupted;
  const Result<bool> row = probe->step();
  return !row.is_ok() && row.status().code() == StatusCode::kInterrupted;
}

namespace {

void free_context(void* aux) { delete static_cast<ModuleContext*>(aux); }

}  // namespace

Status register_scalar(const std::shared_ptr<Connection>& connection, const char* name,
                       int arguments, int flags,
                       void (*function)(sqlite3_context*, int, sqlite3_value**)) {
  const int code = sqlite3_create_function_v2(
      connection->db(), name, arguments, SQLITE_UTF8 | flags,
      new ModuleContext{connection, nullptr}, function, nullptr, nullptr, free_context);
  if (code != SQLITE_OK) return sqlite_failure(connection->db(), code, name);
  return Status::ok();
}

Status register_module(const std::shared_ptr<Connection>& connection, const char* name,
                       const sqlite3_module* module) {
  return register_module(connection, name, module, nullptr);
}

Status register_module(const std::shared_ptr<Connection>& connection, const char* name,
                       const sqlite3_module* module, const void* extra) {
  const int code = sqlite3_create_module_v2(connection->db(), name, module,
                                            new ModuleContext{connection, extra}, free_context);
  if (code != SQLITE_OK) return sqlite_failure(connection->db(), code, name);
  return Status::ok();
}

Connection& connection_of(sqlite3_context* context) {
  return connection_of(sqlite3_user_data(context));
}

}  // namespace personalize
