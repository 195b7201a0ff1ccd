// What belongs to one sqlite3 connection: its statement cache and what the parts of the extension
// keep for it. All modules and functions of a connection share one, by reference count through
// their pAux; it dies with the last. Used on the connection's thread only (SQLite serialises
// callbacks).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "engine/status.h"
#include "extension/sqlite_api.h"
#include "extension/statement.h"

namespace personalize {

class Connection {
 public:
  explicit Connection(sqlite3* db);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* db() const { return db_; }

  // A statement of its own, finalized when it goes.
  Result<Statement> prepare(std::string_view sql);
  // The same from the cache: prepared once, given back when it goes. Re-entrant: a second loan of
  // the same SQL while the first is out prepares another. The cache is emptied when the host closes
  // the connection (see extension/anchor_table.cc), so that sqlite3_close does not find unfinalized
  // statements.
  Result<Statement> cached(std::string_view sql);
  // The number in the first column of the first row of a cached statement without parameters.
  Result<int64_t> number(std::string_view sql);
  // Runs one or several statements without results.
  Status execute(const std::string& sql);

  // True once after sqlite3_interrupt while a statement of the host runs: steps a tiny statement,
  // which 3.38 and later answer with SQLITE_INTERRUPT. About 3 us: ask every few ms, from the
  // connection's thread.
  bool interrupted();

  // A number that changes whenever this connection may have taken uncommitted dataset rows back
  // (ROLLBACK, ROLLBACK TO): what was cached from uncommitted rows must be dropped. Bumped by the
  // dataset tables.
  uint64_t rollbacks() const { return rollbacks_; }
  void count_rollback() { rollbacks_++; }

  // A number that changes whenever this connection has changed a catalog table or a dataset's
  // definition. With PRAGMA data_version (changes of others) it tells whether anything cached from
  // the catalog still holds. While such a change is uncommitted, every call gives a new number: a
  // ROLLBACK may take it back without a word to us.
  uint64_t catalog_changes();
  void count_catalog_change();

  // A T of this connection, made at first use: the place for a part's own caches (`struct
  // AnswerCache {...}`), which no other part then needs to know of. Destroyed with the connection,
  // before the database handle is gone.
  template <typename T>
  T& part() {
    std::shared_ptr<void>& slot = parts_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

  // Of Statement and the anchor table only.
  void take_back(sqlite3_stmt* statement);
  void drop_statements();
  void anchored(bool is) { anchored_ = is; }

 private:
  sqlite3* db_;
  std::unordered_multimap<std::string, sqlite3_stmt*> idle_;
  std::map<std::type_index, std::shared_ptr<void>> parts_;
  uint64_t rollbacks_ = 0;
  uint64_t catalog_changes_ = 0;
  bool catalog_uncommitted_ = false;
  bool anchored_ = false;
};

// Registration. Each gives the module or function `connection` as its pAux and keeps it alive as
// long.
Status register_scalar(const std::shared_ptr<Connection>& connection, const char* name,
                       int arguments, int flags,
                       void (*function)(sqlite3_context*, int, sqlite3_value**));
Status register_module(const std::shared_ptr<Connection>& connection, const char* name,
                       const sqlite3_module* module);
// For one module struct under several names or descriptors: `extra` is given beside the connection
// and must live for ever.
struct ModuleContext {
  std::shared_ptr<Connection> connection;
  const void* extra = nullptr;
};
Status register_module(const std::shared_ptr<Connection>& connection, const char* name,
                       const sqlite3_module* module, const void* extra);

// The connection behind a scalar function's context, or behind a module's pAux (which is a
// ModuleContext*).
Connection& connection_of(sqlite3_context* context);
inline Connection& connection_of(void* aux) {
  return *static_cast<ModuleContext*>(aux)->connection;
}

}  // namespace personalize
