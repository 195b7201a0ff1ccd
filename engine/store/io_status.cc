#include "engine/store/io_status.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace personalize {
namespace {

// Less than this and a write that failed has failed for want of room.
constexpr uint64_t kAlmostNothing = 256 << 10;

bool disk_is_full(const std::string& path) {
  struct statvfs fs;
  return statvfs(path.c_str(), &fs) == 0 &&
         static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize < kAlmostNothing;
}

StatusCode code_of(int error, const std::string& path) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return StatusCode::kFull;
    case EIO:
      return disk_is_full(path) ? StatusCode::kFull : StatusCode::kIo;
    case ENOENT:
    case ENOTDIR:
      return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return StatusCode::kReadOnly;
    case ENOMEM:
      return StatusCode::kNoMemory;
    case EAGAIN:
    case EBUSY:
      return StatusCode::kBusy;
    default:
      return StatusCode::kIo;
  }
}

}  // namespace

Status io_status(int error, std::string_view doing, const std::string& path) {
  const StatusCode code = code_of(error, path);
  const std::string reason = code == StatusCode::kFull && error == EIO
                                 ? "the disk is full"
                                 : std::generic_category().message(error);
  return {code, fmt::format("cannot {} {}: {}", doing, path, reason)};
}

bool read_at(int fd, uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return true;
}

}  // namespace personalize
