// models.mdb: everything the engine makes and must keep. Durable, shared by all processes that use
// the database, and trusted by none: the file is proven sound before LMDB opens it, and every value
// carries a checksum seeded with the hash of its key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/status.h"

namespace personalize {

enum class OpenMode {
  kReadOnly,   // a missing directory or file is kNotFound
  kReadWrite,  // the same, but writes are allowed
  kCreate,     // makes what is missing
};

// The kinds of values; each is a named LMDB database of its own.
enum class StoreKind : uint8_t {
  kVersion,  // key 'solution/00000007' (8 digits, so that keys sort by number), value VersionRecord
  kModel,    // the same key, value the blob
  kMetrics,  // the same key, value MetricRow's
  kLog,      // key 'solution/00000007/00000042', value LogRow
  kOther,    // whatever else is small, by name
};

// Bytes in memory of this process's own, 64-byte aligned: a copy, so that nothing that happens to
// the file can pull them away from under a reader.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t size);  // not zeroed; data() is nullptr if there was no memory
  ~AlignedBytes();
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  std::byte* data() { return data_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_;
  size_t size_;
};

// A write transaction as the callback of ModelStore::write sees it. Reads see its own writes.
class StoreWriter {
 public:
  virtual ~StoreWriter() = default;
  virtual Result<std::optional<std::string>> get(StoreKind kind, std::string_view key) = 0;
  virtual Status put(StoreKind kind, std::string_view key, std::span<const std::byte> value) = 0;
  Status put(StoreKind kind, std::string_view key, std::string_view value) {
    return put(kind, key, std::as_bytes(std::span<const char>(value)));
  }
  // It is not an error if the key did not exist.
  virtual Status erase(StoreKind kind, std::string_view key) = 0;
  // All keys that start with `prefix`, in order.
  virtual Result<std::vector<std::string>> keys(StoreKind kind, std::string_view prefix) = 0;
};

// Safe from any number of threads. One per file and process, whatever the number of connections
// (LMDB must not open a file twice in a process); a child of fork() gets kInternal with a sentence
// from every call.
class ModelStore {
 public:
  virtual ~ModelStore() = default;

  // The store in `directory` (created, with the mode of `like_file`, if mode is kCreate). `uuid` is
  // the database's, from its catalog. Errors:
  //   kNotFound  no directory or no models.mdb ("no model here: SELECT personalize_train(...)")
  //   kInvalidInput  its uuid is another: the directory belongs to another database
  //   kCorrupt   damaged, or of another format number; the message names SELECT
  //   personalize_repair() kReadOnly, kFull, kIo, kNoMemory as they say.
  static Result<std::shared_ptr<ModelStore>> open(const std::string& directory,
                                                  std::string_view uuid, OpenMode mode,
                                                  const std::string& like_file);

  // Runs `change` in one durable transaction. If it returns a Status that is not OK, or if the
  // commit fails, nothing of it is stored and that Status comes back. `change` may run twice (after
  // the map has grown), must be short and must not call SQLite: it holds the writer lock of all
  // processes.
  virtual Status write(const std::function<Status(StoreWriter&)>& change) = 0;

  // A value, checked. kCorrupt if its checksum is wrong.
  virtual Result<std::optional<std::string>> get(StoreKind kind, std::string_view key) = 0;
  // A large value (a model), checked and copied into memory of its own. kNotFound if there is none.
  virtual Result<std::shared_ptr<const AlignedBytes>> get_aligned(StoreKind kind,
                                                                  std::string_view key) = 0;
  // All (key, value) whose key starts with `prefix`, in order of the keys.
  virtual Result<std::vector<std::pair<std::string, std::string>>> list(
      StoreKind kind, std::string_view prefix) = 0;

  // Changes with every committed write of any process. Takes less than a microsecond: to see
  // whether a cached value still holds. What is read after the call is at least that new.
  virtual Result<uint64_t> last_transaction() = 0;

  virtual const std::string& directory() const = 0;
  virtual bool read_only() const = 0;
};

// Key of a version for StoreKind::kVersion, kModel and kMetrics, and the prefix of all versions of
// a solution.
std::string version_key(std::string_view solution, int number);
std::string version_prefix(std::string_view solution);
std::string log_key(std::string_view solution, int number, int64_t sequence);

}  // namespace personalize
