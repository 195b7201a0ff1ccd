// A directory for the stores of a database that has no file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/status.h"

namespace personalize {

// Removed, with all that is in it, when the last that holds it lets go; never by a child of fork().
class TemporaryDirectory {
 public:
  // One for each `uuid` and process, so that connections which share a ':memory:' database share
  // its models. Lies in $TMPDIR, else in /tmp. Errors: kFull, kReadOnly, kIo. Safe from any thread.
  static Result<std::shared_ptr<TemporaryDirectory>> of(std::string_view uuid);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path);
  std::string path_;
  int owner_;  // process
};

}  // namespace personalize
