#include "engine/store/store_directory.h"

#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/store/io_status.h"

namespace personalize {
namespace {

constexpr auto kLockPatience = std::chrono::seconds(10);
// Room for the slots of more readers than LMDB is told of (lmdb_env.cc), 64 bytes each, and its
// header.
constexpr off_t kLockFileSize = 17 * 4096;
constexpr auto kLockPause = std::chrono::milliseconds(2);

// From linux/magic.h and the file systems' own headers: those whose mapped files are not coherent
// between machines.
constexpr uint32_t kNetworkFileSystems[] = {
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2
    0x01021997,  // 9P
    0x5346414F,  // AFS
    0x00C36400,  // Ceph
};

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, Kind kind) {
  UniqueFd fd = UniqueFd::open(directory, O_RDONLY | O_DIRECTORY);
  if (!fd.is_open()) return io_status(errno, "open", directory);
  const int operation = (kind == Kind::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  const auto give_up = std::chrono::steady_clock::now() + kLockPatience;
  while (flock(fd.get(), operation) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return io_status(errno, "lock", directory);
    if (std::chrono::steady_clock::now() > give_up)
      return Status(StatusCode::kBusy,
                    fmt::format("another process is making or repairing the files in {}; try again",
                                directory));
    std::this_thread::sleep_for(kLockPause);
  }
  return DirectoryLock(std::move(fd));
}

Status refuse_network_file_system(const std::string& directory) {
  struct statfs fs;
  if (statfs(directory.c_str(), &fs) != 0) return io_status(errno, "look at", directory);
  for (const uint32_t magic : kNetworkFileSystems)
    if (static_cast<uint32_t>(fs.f_type) == magic)
      return {StatusCode::kIo,
              fmt::format("{} lies on a network file system, where models cannot be shared safely: "
                          "set store_path in personalize_settings, or the environment variable "
                          "PERSONALIZE_STORE, to a local directory",
                          directory)};
  return Status::ok();
}

Status make_store_directory(const std::string& directory, const std::string& like_file) {
  const mode_t mode = mode_like(like_file);
  if (mkdir(directory.c_str(), mode | ((mode & 0444) >> 2)) == 0) {
    struct stat like;
    if (!like_file.empty() && stat(like_file.c_str(), &like) == 0) {
      // The umask was applied; SQLite's own side files do not care for it either.
      (void)!chmod(directory.c_str(), mode | ((mode & 0444) >> 2));
      if (geteuid() == 0) (void)!chown(directory.c_str(), like.st_uid, like.st_gid);
    }
  } else if (errno != EEXIST) {
    return io_status(errno, "make the directory", directory);
  }
  return refuse_network_file_system(directory);
}

bool is_read_only_directory(const std::string& directory) {
  struct statvfs fs;
  if (statvfs(directory.c_str(), &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0) return true;
  return faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0;
}

mode_t mode_like(const std::string& like_file) {
  struct stat like;
  if (like_file.empty() || stat(like_file.c_str(), &like) != 0) return 0644;
  return (like.st_mode & 0666) | 0600;
}

void make_like(const std::string& path, const std::string& like_file) {
  struct stat like;
  if (like_file.empty() || stat(like_file.c_str(), &like) != 0) return;
  (void)!chmod(path.c_str(), mode_like(like_file));
  if (geteuid() == 0) (void)!chown(path.c_str(), like.st_uid, like.st_gid);
}

void make_file_like(const std::string& path, const std::string& like_file) {
  struct stat like;
  const bool has_like = !like_file.empty() && stat(like_file.c_str(), &like) == 0;
  const UniqueFd fd = UniqueFd::open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
                                     has_like ? mode_like(like_file) : 0600);
  // Beyond what the umask allows.
  if (fd.is_open()) make_like(path, like_file);
}

Status make_lock_file(const std::string& path, const std::string& like_file) {
  const std::string lock = lock_file_of(path);
  UniqueFd fd = UniqueFd::open(lock, O_RDWR | O_CREAT | O_EXCL, mode_like(like_file));
  if (fd.is_open())
    make_like(lock, like_file);
  else if (errno == EEXIST)
    fd = UniqueFd::open(lock, O_RDWR);
  if (!fd.is_open()) return io_status(errno, "open", lock);
  // Where this is known, it does nothing to a file that has its blocks.
  if (fallocate(fd.get(), 0, 0, kLockFileSize) == 0) return Status::ok();
  if (errno != EOPNOTSUPP && errno != ENOSYS) return io_status(errno, "make", lock);
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return io_status(errno, "look at", lock);
  if (status.st_size >= kLockFileSize) return Status::ok();
  const std::vector<char> zeros(kLockFileSize);
  const ssize_t written = pwrite(fd.get(), zeros.data(), zeros.size(), 0);
  if (written == kLockFileSize) return Status::ok();
  return io_status(written < 0 ? errno : ENOSPC, "make", lock);
}

namespace {

Status make_entry_durable(const std::string& path) {
  const UniqueFd directory = UniqueFd::open(directory_of(path), O_RDONLY | O_DIRECTORY);
  if (!directory.is_open() || fsync(directory.get()) != 0)
    return io_status(errno, "make durable", path);
  return Status::ok();
}

}  // namespace

Status put_in_place(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return {StatusCode::kAlreadyExists, fmt::format("{} exists already", to)};
    // A file system that cannot do that atomically: we hold the directory's lock.
    if (errno != EINVAL && errno != ENOSYS) return io_status(errno, "make", to);
    if (access(to.c_str(), F_OK) == 0)
      return {StatusCode::kAlreadyExists, fmt::format("{} exists already", to)};
    if (rename(from.c_str(), to.c_str()) != 0) return io_status(errno, "make", to);
  }
  return make_entry_durable(to);
}

Status put_over(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return io_status(errno, "make", to);
  return make_entry_durable(to);
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string lock_file_of(const std::string& path) { return path + "-lock"; }

}  // namespace personalize
