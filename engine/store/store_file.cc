#include "engine/store/store_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "engine/store/io_status.h"
#include "engine/store/store_directory.h"

namespace personalize {
namespace {

constexpr const char* kModelsDatabases[] = {"info", "version", "model", "metrics", "log", "other"};
constexpr const char* kStatesDatabases[] = {"info", "state"};

}  // namespace

// Address space only, not memory and not disk.
const StoreFileKind kModelsFile = {kModelsDatabases, size_t{64} << 30, true, false};
const StoreFileKind kStatesFile = {kStatesDatabases, size_t{1} << 30, false, true};

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
