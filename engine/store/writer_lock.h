// The lock that writers of a store's file take before LMDB's own. LMDB's waits without limit for a
// process that was stopped in the middle of a write; this one can be tried, belongs to the open
// file, and goes when its process does.
#pragma once

#include <string>
#include <utility>

#include "engine/status.h"

namespace personalize {

class WriterLock {
 public:
  enum class Kind {
    kWrite,    // for one writer; `fd` is open for writing
    kKeepOut,  // for any number of readers that want no writer
  };
  enum class Wait {
    kPatient,  // up to a minute
    kNever,
  };
  // `fd` is the data file's and outlives the lock. Errors: kBusy, kIo.
  static Result<WriterLock> take(int fd, const std::string& path, Kind kind, Wait wait);

  WriterLock(WriterLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  WriterLock& operator=(WriterLock&&) = delete;
  ~WriterLock();

 private:
  explicit WriterLock(int fd) : fd_(fd) {}
  int fd_;
};

// Whether another process has the lock file `path` in use, by LMDB's own rule: all of them lock its
// first byte. This process must not have it open: closing it would drop its locks.
class LmdbUsers {
 public:
  // Keeps others from opening the file while it lives. kBusy if one has it open. It is well if
  // there is no lock file.
  static Result<LmdbUsers> keep_out(const std::string& lock_path);

  LmdbUsers(LmdbUsers&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LmdbUsers& operator=(LmdbUsers&&) = delete;
  ~LmdbUsers();

 private:
  explicit LmdbUsers(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace personalize
