// Proves an LMDB data file sound before LMDB opens it: LMDB trusts its files, and aborts, crashes
// or answers wrongly on a damaged one. Reads with pread alone, so that not even a file that shrinks
// meanwhile does harm. About a microsecond a page, in pieces of a megabyte; values on pages of
// their own cost one small read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace personalize {

// A value as the walk meets it, in the order of the file; views live during the call.
struct WalkedValue {
  std::string_view database;
  std::string_view key;
  size_t size = 0;
  // All of the value if it lies in a leaf, its first bytes if it has pages of its own.
  std::span<const std::byte> start;
  uint64_t file_offset = 0;  // of the value

  bool is_whole() const { return start.size() == size; }
};

// What a walk through all trees of the newest snapshot found.
struct FileWalk {
  std::vector<std::string> problems;  // none: the file is sound
  uint64_t transaction = 0;           // of the snapshot
  size_t page_size = 0;
  std::vector<std::string> databases;  // their names, in order
};

// A judgement about one value: a Status that is not OK is a problem, reported with the value's
// database and key.
using ValueCheck = std::function<Status(const WalkedValue&)>;

// Walks the file open as `fd`: page numbers, types, bounds, keys and their order, overflow pages,
// counts, and that every page has one use, the free ones included. Goes on after a problem (past
// the page or value that has it) until there are `most_problems`.
FileWalk walk_file(int fd, size_t most_problems, const ValueCheck& check);

// The same while other processes may commit: a walk that found something while the file went on to
// another snapshot is repeated, at last with writers kept out. `path` is for messages. kBusy if a
// writer is in the way for a minute.
Result<FileWalk> walk_file_in_use(int fd, const std::string& path, size_t most_problems,
                                  const ValueCheck& check);

// Reads the whole of `value` of the file open as `fd`.
Result<std::vector<std::byte>> read_walked(int fd, const WalkedValue& value);

}  // namespace personalize
