// One LMDB file as this process uses it: opened once whatever the number of connections, proven
// sound before that, guarded at every use against what LMDB would crash on or hang in (a truncated
// file, a fork, a map that is too small, another process that was stopped in the middle of a
// write).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>

#include "engine/status.h"
#include "engine/store/lmdb_env.h"
#include "engine/store/value_frame.h"
#include "engine/store/writer_lock.h"

namespace personalize {

// What is the same for all opens of a file. The pointers must live for ever.
struct StoreFileKind {
  std::span<const char* const> databases;
  std::span<const FrameKind> frames;  // of their values
  size_t map_size;
  bool may_grow;  // beyond map_size
  bool no_sync;
};

// Which file it is, whatever its name.
struct FileIdentity {
  dev_t device;
  ino_t inode;
  auto operator<=>(const FileIdentity&) const = default;
  static FileIdentity of(const struct stat& status) { return {status.st_dev, status.st_ino}; }
};

class SharedEnv {
 public:
  // A read transaction and what keeps the map in place during it. Must not be held while the same
  // thread calls another function of the same SharedEnv.
  class Reading {
   public:
    LmdbTxn& txn() { return txn_; }

   private:
    friend class SharedEnv;
    Reading(std::shared_lock<std::shared_mutex> lock, LmdbTxn txn)
        : lock_(std::move(lock)), txn_(std::move(txn)) {}
    std::shared_lock<std::shared_mutex> lock_;
    LmdbTxn txn_;
  };

  // Opens `path`. The caller has proven it sound, holds the directory's lock and sees to it that a
  // file is opened once a process (EnvRegistry). Must be destroyed by the process that opened it.
  static Result<std::unique_ptr<SharedEnv>> open(const std::string& path, const StoreFileKind& kind,
                                                 bool read_only, const std::string& like_file);
  ~SharedEnv();

  // Errors of all that follow: kInternal after fork(), kNotFound if the file was removed, kCorrupt
  // if it became shorter, and what LMDB says.

  Result<Reading> begin_read();
  // Runs `change` and commits; runs it again if the map had to grow. Nothing is stored unless OK
  // comes back. kFull if the map is full and may not grow.
  Status write(const std::function<Status(LmdbTxn&)>& change, WriterLock::Wait wait);
  // What who begins to read now sees at least.
  Result<uint64_t> last_transaction();

  // Opens the file anew for writing if it was opened for reading only.
  Status allow_writes();

  // Lets go of the file, which another one has replaced: two that are open with one lock file would
  // take LMDB's locks from each other. Who still uses it gets kNotFound.
  void retire();

  const std::string& path() const { return path_; }
  FileIdentity identity() const { return identity_; }

 private:
  SharedEnv(std::string path, const StoreFileKind& kind, bool read_only, std::string like_file);
  Status check_process() const;
  Status check_file();
  Status check_status(const struct stat& status, int64_t seen);
  Status open_env();
  // Whether another lock file, or none, lies where ours was: then who opens the store next knows
  // nothing of our locks, nor we of his. Asked before every write, by readers once a second.
  bool has_lost_lock_file(bool is_write);
  Status reopen(LmdbTrouble trouble, uint64_t generation);
  // A process that was killed while it read keeps pages from being used again: the file would grow
  // with every commit. Of the writer alone.
  void clear_readers_of_grown_file();
  Status write_once(const std::function<Status(LmdbTxn&)>& change, WriterLock::Wait wait,
                    LmdbTrouble& trouble, uint64_t& generation);

  const std::string path_;
  const StoreFileKind kind_;
  const std::string like_file_;
  const uint64_t process_;  // process_mark() of who opened it
  FileIdentity identity_ = {};
  std::atomic<bool> read_only_;
  size_t map_size_;

  // Shared by all who use env_, exclusive to who replaces it. Readers that come while somebody
  // waits to replace it wait at the gate, or there might always be one in the way.
  std::shared_lock<std::shared_mutex> use_env();
  std::unique_lock<std::shared_mutex> replace_env();
  std::shared_mutex mutex_;
  std::mutex gate_;
  std::atomic<int> replacing_ = 0;
  std::unique_ptr<LmdbEnv> env_;             // null after a failure to open it again
  std::optional<FileIdentity> lock_file_;    // of env_; none: it has none
  std::atomic<int64_t> lock_file_seen_ = 0;  // when it was looked at, in seconds
  uint64_t generation_ = 0;                  // counts the openings

  std::timed_mutex writer_;
  std::atomic<std::thread::id> writer_thread_ = {};
  std::atomic<int64_t> largest_size_ = 0;  // of the file, ever seen
  std::atomic<uint64_t> verified_transaction_ = 0;
  int64_t cleared_at_size_ = 0;  // of the writer
};

}  // namespace personalize
