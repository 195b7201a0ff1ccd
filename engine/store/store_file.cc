#include "engine/store/store_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/store/io_status.h"
#include "engine/store/store_directory.h"

namespace personalize {
namespace {

constexpr const char* kModelsDatabases[] = {"info", "version", "model", "metrics", "log", "other"};
constexpr FrameKind kModelsFrames[] = {FrameKind::kInfo,    FrameKind::kVersion, FrameKind::kModel,
                                       FrameKind::kMetrics, FrameKind::kLog,     FrameKind::kOther};
constexpr const char* kStatesDatabases[] = {"info", "state", "recommendation"};
constexpr FrameKind kStatesFrames[] = {FrameKind::kInfo, FrameKind::kState,
                                       FrameKind::kRecommendation};

// The format number that a sound record of `info` has; ours if there is none.
int format_of(int fd, const StoreFileKind& kind) {
  int format = kStoreFormat;
  walk_file(fd, SIZE_MAX, [&](const WalkedValue& value) {
    if (value.database == kind.databases[kInfoDatabase] && value.is_whole())
      format = frame_format(value.start).value_or(format);
    return Status::ok();
  });
  return format;
}

// Of a file that another version of this software made.
Status foreign_format(const std::string& path, int format) {
  return {StatusCode::kCorrupt,
          fmt::format("{} is of format {}, this build reads and writes format {}: use the version "
                      "that made it, or move the file away and train again",
                      path, format, kStoreFormat)};
}

}  // namespace

// Address space only, not memory and not disk.
const StoreFileKind kModelsFile = {kModelsDatabases, kModelsFrames, size_t{64} << 30, true, false};
const StoreFileKind kStatesFile = {kStatesDatabases, kStatesFrames, size_t{1} << 30, false, true};

Status make_store_file(const std::string& path, const StoreFileKind& kind, const InfoRecords& info,
                       const std::string& like_file) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());  // of a process that was killed here
  LmdbOptions options;
  options.no_lock = true;
  options.create_databases = true;
  options.map_size = 1 << 20;
  options.mode = mode_like(like_file);
  {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<LmdbEnv> env,
                                 LmdbEnv::open(temporary, options, kind.databases));
    LmdbTrouble trouble;
    PERSONALIZE_ASSIGN_OR_RETURN(LmdbTxn txn,
                                 LmdbTxn::begin(*env, LmdbTxn::Access::kWrite, trouble));
    for (const auto& [key, value] : info)
      PERSONALIZE_RETURN_IF_ERROR(put_framed(txn, kInfoDatabase, FrameKind::kInfo, key,
                                             std::as_bytes(std::span<const char>(value))));
    PERSONALIZE_RETURN_IF_ERROR(txn.commit());
  }
  make_like(temporary, like_file);
  // A lock file that is left of an older file may still be in use with that.
  if (access(path.c_str(), F_OK) != 0) unlink(lock_file_of(path).c_str());
  const Status placed = put_in_place(temporary, path);
  if (!placed.is_ok()) unlink(temporary.c_str());
  return placed;
}

std::optional<size_t> database_index(std::string_view name, const StoreFileKind& kind) {
  for (size_t i = 0; i < kind.databases.size(); i++)
    if (kind.databases[i] == name) return i;
  return std::nullopt;
}

Status check_walked_value(int fd, const WalkedValue& value, const StoreFileKind& kind, bool whole) {
  const std::optional<size_t> index = database_index(value.database, kind);
  if (!index) return {StatusCode::kCorrupt, "there is no such database"};
  const FrameKind frame = kind.frames[*index];
  if (value.is_whole()) return read_frame(frame, value.key, value.start).status();
  if (!whole) return check_frame_header(frame, value.key, value.start, value.size);
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_walked(fd, value));
  return read_frame(frame, value.key, bytes).status();
}

std::vector<std::string> missing_databases(const FileWalk& walk, const StoreFileKind& kind) {
  std::vector<std::string> missing;
  for (const char* name : kind.databases)
    if (std::find(walk.databases.begin(), walk.databases.end(), name) == walk.databases.end())
      missing.emplace_back(name);
  return missing;
}

Result<FileWalk> walk_store_file(int fd, const std::string& path, const StoreFileKind& kind,
                                 bool whole) {
  PERSONALIZE_ASSIGN_OR_RETURN(FileWalk walk,
                               walk_file_in_use(fd, path, 1, [&](const WalkedValue& value) {
                                 return check_walked_value(fd, value, kind, whole);
                               }));
  if (walk.problems.empty()) return walk;
  // The wrong value that was met first may be too large to be at hand as a whole.
  const int format = format_of(fd, kind);
  if (format != kStoreFormat) return foreign_format(path, format);
  return walk;
}

Status verify_store_file(const std::string& path, const StoreFileKind& kind) {
  const UniqueFd fd = UniqueFd::open(path, O_RDONLY);
  if (!fd.is_open()) return io_status(errno, "open", path);
  PERSONALIZE_ASSIGN_OR_RETURN(const FileWalk walk, walk_store_file(fd.get(), path, kind, false));
  if (!walk.problems.empty()) return damaged_file(path, walk.problems[0]);
  const std::vector<std::string> missing = missing_databases(walk, kind);
  if (missing.empty()) return Status::ok();
  return damaged_file(path, fmt::format("it has no database '{}'", missing[0]));
}

Status put_framed(LmdbTxn& txn, size_t database, FrameKind kind, std::string_view key,
                  std::span<const std::byte> payload) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::byte* const out,
                               txn.reserve(database, key, kFrameOverhead + payload.size()));
  write_frame(kind, key, payload, out);
  return Status::ok();
}

Result<std::optional<std::string>> read_info(LmdbTxn& txn, std::string_view key,
                                             const std::string& path) {
  PERSONALIZE_ASSIGN_OR_RETURN(const auto value, txn.get(kInfoDatabase, key));
  if (!value) return std::optional<std::string>();
  const auto payload = read_frame(FrameKind::kInfo, key, *value);
  if (!payload.is_ok())
    return damaged_file(path, fmt::format("info '{}': {}", key, payload.status().message()));
  return std::optional(
      std::string(reinterpret_cast<const char*>(payload->data()), payload->size()));
}

Status damaged_file(const std::string& path, std::string_view what) {
  return {StatusCode::kCorrupt,
          fmt::format("{} is damaged ({}): run SELECT personalize_repair()", path, what)};
}

}  // namespace personalize
