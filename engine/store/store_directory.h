// The directory '<database>.personalize': makes it and the files in it with the rights of the
// database file, all or nothing, and lets one process at a time make or replace a file.
#pragma once

#include <sys/file.h>

#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "engine/store/unique_fd.h"

namespace personalize {

// Held while a file in the directory is opened (kShared) or made, replaced or set aside
// (kExclusive): LMDB opens a data file and a lock file, which must belong together.
class DirectoryLock {
 public:
  enum class Kind { kShared, kExclusive };
  // kNotFound if there is no directory; kBusy if another process holds it for ten seconds.
  static Result<DirectoryLock> take(const std::string& directory, Kind kind);
  DirectoryLock(DirectoryLock&&) = default;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  // Closing alone would leave the lock to a child that was forked meanwhile.
  ~DirectoryLock() {
    if (fd_.is_open()) flock(fd_.get(), LOCK_UN);
  }

 private:
  explicit DirectoryLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// Makes `directory` if it is missing, with the rights of `like_file` (and the right to search where
// that has the right to read). kReadOnly, kFull, kIo as they say; kIo with a sentence if it lies on
// a network file system, where a mapped file is not the same for all.
Status make_store_directory(const std::string& directory, const std::string& like_file);

// kIo with a sentence if `directory` lies on a network file system.
Status refuse_network_file_system(const std::string& directory);

// Whether nothing can be written in `directory`.
bool is_read_only_directory(const std::string& directory);

// Rights of a file like `like_file` (an empty or missing one: 0644).
mode_t mode_like(const std::string& like_file);

// Gives `path` the rights of `like_file`, and if this process may, its owner: the next user of the
// database must be able to write what root has made. Best effort.
void make_like(const std::string& path, const std::string& like_file);

// Makes an empty file with the rights of `like_file` (of a missing one: 0600) if there is none at
// `path`. Best effort.
void make_file_like(const std::string& path, const std::string& like_file);

// Makes the lock file of `path` if there is none, with the rights of `like_file` (LMDB would apply
// the umask) and with all its blocks on the disk: LMDB maps it and writes to it, which on a full
// disk would be a SIGBUS. This process must not have it open. Errors: kFull, kReadOnly, kIo.
Status make_lock_file(const std::string& path, const std::string& like_file);

// Puts `from` in the place of `to`, which must not exist, and makes that durable. Errors:
// kAlreadyExists, kReadOnly, kFull, kIo.
Status put_in_place(const std::string& from, const std::string& to);

// Puts `from` in the place of `to`, whatever lies there, and makes that durable. Errors: kReadOnly,
// kFull, kIo.
Status put_over(const std::string& from, const std::string& to);

// The directory that `path` lies in.
std::string directory_of(const std::string& path);

// The lock file that LMDB keeps beside `path`.
std::string lock_file_of(const std::string& path);

}  // namespace personalize
