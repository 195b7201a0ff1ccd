// LMDB behind handles that close themselves and errors that are values. engine/store/lmdb_env.cc is
// the only code that includes lmdb.h. Nothing here protects against damaged files, forks or a map
// that is too small: SharedEnv does.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

struct MDB_env;
struct MDB_txn;

namespace personalize {

// Of the library in use: "LMDB 0.9.24: (July 24, 2019)".
std::string_view lmdb_version();

struct LmdbOptions {
  bool read_only = false;
  bool no_lock = false;           // only for a file that nobody else can write or has yet seen
  bool no_sync = false;           // commits survive a kill, not a power cut
  bool create_databases = false;  // makes the file and its named databases
  size_t map_size = 0;            // bytes of address space; halved while there is not enough of it
  mode_t mode = 0644;
};

// What the caller can do about a failure of LMDB.
enum class LmdbTrouble {
  kNone,        // nothing: the Status says what happened
  kMapFull,     // abort, open the file again with a larger map, and do it all again
  kMapResized,  // another process made the file larger than our map: open it again
  kPanic,       // a write of the meta page failed: open it again
};

// An open file "path" (with its lock file "path-lock") and its named databases. Must be opened once
// per file and process, and not be used, nor destroyed, after fork() in the child.
class LmdbEnv {
 public:
  // `databases` are opened in this order; LmdbTxn names them by their index. Errors: kNotFound,
  // kCorrupt (also if one of the databases is missing), kReadOnly, kNoMemory, kFull, kIo.
  static Result<std::unique_ptr<LmdbEnv>> open(const std::string& path, const LmdbOptions& options,
                                               std::span<const char* const> databases);
  ~LmdbEnv();
  LmdbEnv(const LmdbEnv&) = delete;
  LmdbEnv& operator=(const LmdbEnv&) = delete;

  // Of the data file; owned by the environment.
  int fd() const;
  size_t map_size() const { return map_size_; }
  // Of the meta pages in the map. A commit is there before readers get it: while it is being
  // synced, they begin with the transaction before (LmdbTxn::id()).
  uint64_t last_transaction() const;
  // Bytes that the file must have if none of its pages is missing.
  uint64_t pages_end() const;
  // Frees the reader slots of processes that died.
  void clear_dead_readers();

 private:
  friend class LmdbTxn;
  LmdbEnv() = default;
  MDB_env* env_ = nullptr;
  std::string path_;
  size_t map_size_ = 0;
  size_t page_size_ = 0;
  std::vector<unsigned> databases_;
};

// One transaction; aborted unless committed. Must begin and end on one thread if it writes. Views
// that it gives live until its next write or its end, and are aligned to 2 bytes only.
class LmdbTxn {
 public:
  enum class Access { kRead, kWrite };
  // Waits for the writer's lock without limit if it is to write.
  static Result<LmdbTxn> begin(LmdbEnv& env, Access access, LmdbTrouble& trouble);
  LmdbTxn(LmdbTxn&& other) noexcept;
  LmdbTxn& operator=(LmdbTxn&&) = delete;
  ~LmdbTxn();

  // Of the commit that a reader sees.
  uint64_t id() const;
  Result<std::optional<std::span<const std::byte>>> get(size_t database, std::string_view key);
  // Copies the bytes of `value`, which get() gave, from `begin` on into `out`; any thread. A large
  // value is read from the file instead of the map: a page that cannot be read is an error then,
  // where it would be a SIGBUS in the map. kIo without a file name; kCorrupt if it is too short.
  Status copy(std::span<const std::byte> value, size_t begin, std::span<std::byte> out) const;
  // Calls `visit` for all keys that start with `prefix`, in order; ends at the first Status that is
  // not OK and returns it. `visit` must not write.
  using Visit = std::function<Status(std::string_view key, std::span<const std::byte> value)>;
  Status scan(size_t database, std::string_view prefix, const Visit& visit);
  // Room for the value of `key`, to be filled before the next call.
  Result<std::byte*> reserve(size_t database, std::string_view key, size_t size);
  // It is not an error if there is no such key.
  Status erase(size_t database, std::string_view key);
  // Ends the transaction, whatever comes back.
  Status commit();

  // What the first failure of this transaction needs.
  LmdbTrouble trouble() const { return trouble_; }

 private:
  LmdbTxn(LmdbEnv& env, MDB_txn* txn) : env_(&env), txn_(txn) {}
  Status failed(int code, const char* doing);
  LmdbEnv* env_;
  MDB_txn* txn_;
  LmdbTrouble trouble_ = LmdbTrouble::kNone;
};

}  // namespace personalize
