// The files models.mdb and states.mdb: their names, their named databases, how one is made, and the
// small facts about itself that each carries (its `info` database).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/status.h"
#include "engine/store/file_verifier.h"
#include "engine/store/shared_env.h"
#include "engine/store/value_frame.h"

namespace personalize {

inline constexpr std::string_view kModelsFileName = "models.mdb";
inline constexpr std::string_view kStatesFileName = "states.mdb";

// Database 0 of both files is `info`.
inline constexpr size_t kInfoDatabase = 0;
extern const StoreFileKind kModelsFile;
extern const StoreFileKind kStatesFile;

using InfoRecords = std::vector<std::pair<std::string, std::string>>;

// Makes `path` with its databases empty and `info` in it: whoever sees the file sees it whole. The
// caller holds the directory's exclusive lock. Errors: kAlreadyExists, kReadOnly, kFull, kIo.
Status make_store_file(const std::string& path, const StoreFileKind& kind, const InfoRecords& info,
                       const std::string& like_file);

// Walks the file open as `fd`, until one problem was found, while other processes may use it.
// `whole`: as of check_walked_value. kCorrupt if what is wrong is that it is of another format
// number; kBusy.
Result<FileWalk> walk_store_file(int fd, const std::string& path, const StoreFileKind& kind,
                                 bool whole);

// Proves the file sound while other processes may use it. kCorrupt if it is not, or is of another
// format number; kNotFound if there is none; kBusy.
Status verify_store_file(const std::string& path, const StoreFileKind& kind);

// Which of the kind's databases it is.
std::optional<size_t> database_index(std::string_view name, const StoreFileKind& kind);

// Whether a value that a walk meets is one of ours at its place. `whole` reads values that have
// pages of their own; without, only their headers are looked at.
Status check_walked_value(int fd, const WalkedValue& value, const StoreFileKind& kind, bool whole);

// The databases that a file of this kind must have and does not.
std::vector<std::string> missing_databases(const FileWalk& walk, const StoreFileKind& kind);

// Writes a framed value.
Status put_framed(LmdbTxn& txn, size_t database, FrameKind kind, std::string_view key,
                  std::span<const std::byte> payload);

// A record of `info`. kCorrupt if it is damaged.
Result<std::optional<std::string>> read_info(LmdbTxn& txn, std::string_view key,
                                             const std::string& path);

// The Status of a damaged file: names `path`, `what`, and the way out.
Status damaged_file(const std::string& path, std::string_view what);

}  // namespace personalize
