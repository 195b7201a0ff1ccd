#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "engine/store/env_registry.h"
#include "engine/store/io_status.h"
#include "engine/store/model_store.h"
#include "engine/store/records.h"
#include "engine/store/store_check.h"
#include "engine/store/store_directory.h"
#include "engine/store/store_file.h"
#include "engine/store/unique_fd.h"
#include "engine/store/writer_lock.h"

namespace personalize {
namespace {

// Everything in a damaged file that might still be worth something.
constexpr size_t kAllProblems = SIZE_MAX;

// The databases of kModelsFile by their index.
enum ModelsDatabase : size_t { kInfo, kVersion, kModel, kMetrics, kLog };

// What keeps everybody else away from the files while they are replaced.
struct Exclusion {
  EnvRegistry::Pause pause;
  DirectoryLock directory;
};

// "<path>.damaged-N", the first that is not taken.
std::string name_aside(const std::string& path) {
  for (int n = 1;; n++) {
    std::string name = fmt::format("{}.damaged-{}", path, n);
    if (access(name.c_str(), F_OK) != 0) return name;
  }
}

// Whether anything is wrong with the file; kCorrupt if it is sound but of another format.
Result<bool> is_damaged(int fd, const std::string& path, const StoreFileKind& kind) {
  PERSONALIZE_ASSIGN_OR_RETURN(const FileWalk walk, walk_store_file(fd, path, kind, true));
  return !walk.problems.empty() || !missing_databases(walk, kind).empty();
}

// kBusy if a process has the file open.
Result<LmdbUsers> keep_users_out(const Exclusion& exclusion, int fd, const std::string& path) {
  struct stat status;
  if (fstat(fd, &status) != 0) return io_status(errno, "look at", path);
  if (exclusion.pause.is_open(FileIdentity::of(status)))
    return Status(StatusCode::kBusy,
                  fmt::format("{} is open in this process: close its other database connections "
                              "first",
                              path));
  return LmdbUsers::keep_out(lock_file_of(path));
}

// Copies all sound values of the models.mdb open as `fd` into `txn`, whose info is written already.
Status salvage(int fd, std::string_view uuid, const std::string& path, LmdbTxn& txn) {
  Status stopped;
  walk_file(fd, kAllProblems, [&](const WalkedValue& value) -> Status {
    if (!stopped.is_ok()) return stopped;
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_walked(fd, value));
    WalkedValue whole = value;
    whole.start = bytes;
    PERSONALIZE_RETURN_IF_ERROR(check_walked_value(fd, whole, kModelsFile, true));
    const std::string_view payload(reinterpret_cast<const char*>(bytes.data()) + kFrameHeaderSize,
                                   bytes.size() - kFrameOverhead);
    const size_t index = *database_index(value.database, kModelsFile);
    if (index == kInfo && value.key == "uuid" && payload != uuid)
      stopped = {StatusCode::kInvalidInput,
                 fmt::format("{} belongs to another database (its uuid is {}, this database's {})",
                             path, payload, uuid)};
    if (index == kInfo) return Status::ok();
    const Result<std::byte*> out = txn.reserve(index, value.key, bytes.size());
    if (out.is_ok())
      std::copy(bytes.begin(), bytes.end(), *out);
    else
      stopped = out.status();
    return Status::ok();
  });
  return stopped;
}

// A version that says it is ACTIVE but whose model is gone would be chosen and could not answer.
Status drop_versions_without_model(LmdbTxn& txn) {
  std::vector<std::string> lost;
  PERSONALIZE_RETURN_IF_ERROR(
      txn.scan(kVersion, "", [&](std::string_view key, std::span<const std::byte> value) {
        const std::string_view json(reinterpret_cast<const char*>(value.data()) + kFrameHeaderSize,
                                    value.size() - kFrameOverhead);
        const Result<VersionRecord> record = decode_version(json);
        const auto model = txn.get(kModel, key);
        const bool has_model = model.is_ok() && model->has_value();
        if (!record.is_ok() || (record->status == kVersionActive && !has_model))
          lost.emplace_back(key);
        return Status::ok();
      }));
  for (const std::string& key : lost)
    for (const size_t database : {kVersion, kModel, kMetrics})
      PERSONALIZE_RETURN_IF_ERROR(txn.erase(database, key));
  return Status::ok();
}

// Writes a new file with what the damaged one still holds to `to`.
Status write_repaired(int fd, const std::string& path, const std::string& to, std::string_view uuid,
                      const std::string& like_file) {
  struct stat status;
  if (fstat(fd, &status) != 0) return io_status(errno, "look at", path);
  unlink(to.c_str());  // of a process that was killed here
  PERSONALIZE_RETURN_IF_ERROR(
      make_store_file(to, kModelsFile, {{"uuid", std::string(uuid)}}, like_file));
  LmdbOptions options;
  options.no_lock = true;
  options.map_size = static_cast<size_t>(status.st_size) * 2 + (size_t{16} << 20);
  PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<LmdbEnv> env,
                               LmdbEnv::open(to, options, kModelsFile.databases));
  LmdbTrouble trouble;
  PERSONALIZE_ASSIGN_OR_RETURN(LmdbTxn txn, LmdbTxn::begin(*env, LmdbTxn::Access::kWrite, trouble));
  PERSONALIZE_RETURN_IF_ERROR(salvage(fd, uuid, path, txn));
  PERSONALIZE_RETURN_IF_ERROR(drop_versions_without_model(txn));
  return txn.commit();
}

// The new name of `path`, whose place `replacement` takes (if it is not empty).
Result<std::string> set_aside(const std::string& path, const std::string& replacement) {
  const std::string aside = name_aside(path);
  // A second name, where the file system knows them: a file lies at `path` whenever we are killed.
  const bool linked = !replacement.empty() && link(path.c_str(), aside.c_str()) == 0;
  if (!linked && rename(path.c_str(), aside.c_str()) != 0)
    return io_status(errno, "set aside", path);
  unlink(lock_file_of(path).c_str());
  if (!replacement.empty())
    PERSONALIZE_RETURN_IF_ERROR(linked ? put_over(replacement, path)
                                       : put_in_place(replacement, path));
  return aside;
}

// What `path` is named after it was set aside, if it was damaged.
Result<std::optional<std::string>> repair_file(const std::string& path, const StoreFileKind& kind,
                                               const Exclusion& exclusion, std::string_view uuid,
                                               const std::string& like_file) {
  const UniqueFd fd = UniqueFd::open(path, O_RDONLY);
  if (!fd.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>();
  if (!fd.is_open()) return io_status(errno, "read", path);
  PERSONALIZE_ASSIGN_OR_RETURN(const bool damaged, is_damaged(fd.get(), path, kind));
  if (!damaged) return std::optional<std::string>();
  PERSONALIZE_ASSIGN_OR_RETURN(const LmdbUsers users, keep_users_out(exclusion, fd.get(), path));
  std::string replacement;
  if (&kind == &kModelsFile) {  // states are folded again from the events
    replacement = path + ".repaired";
    const Status written = write_repaired(fd.get(), path, replacement, uuid, like_file);
    if (!written.is_ok()) {
      unlink(replacement.c_str());
      return written;
    }
  }
  PERSONALIZE_ASSIGN_OR_RETURN(std::string aside, set_aside(path, replacement));
  return std::optional(std::move(aside));
}

}  // namespace

Result<std::vector<std::string>> repair_store(const std::string& directory, std::string_view uuid,
                                              const std::string& like_file) {
  std::vector<std::string> aside;
  EnvRegistry::Pause pause = EnvRegistry::instance().pause();
  Result<DirectoryLock> lock = DirectoryLock::take(directory, DirectoryLock::Kind::kExclusive);
  if (lock.status().code() == StatusCode::kNotFound) return aside;
  if (!lock.is_ok()) return lock.status();
  const Exclusion exclusion = {std::move(pause), std::move(lock).value()};
  for (const auto& [name, kind] :
       {std::pair(kModelsFileName, &kModelsFile), std::pair(kStatesFileName, &kStatesFile)}) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        std::optional<std::string> set_aside,
        repair_file(fmt::format("{}/{}", directory, name), *kind, exclusion, uuid, like_file));
    if (set_aside) aside.push_back(std::move(*set_aside));
  }
  return aside;
}

}  // namespace personalize
