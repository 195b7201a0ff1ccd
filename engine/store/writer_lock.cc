#include "engine/store/writer_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "engine/store/io_status.h"

namespace personalize {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kPause = std::chrono::milliseconds(1);
// The byte of the data file that stands for the writer: far beyond its end, where nothing is.
constexpr off_t kWriterByte = off_t{1} << 60;

// Sets or removes a lock of one byte that belongs to the open file.
bool set_lock(int fd, off_t byte, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool somebody_has_it(int error) { return error == EAGAIN || error == EACCES; }

}  // namespace

Result<WriterLock> WriterLock::take(int fd, const std::string& path, Kind kind, Wait wait) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!set_lock(fd, kWriterByte, kind == Kind::kWrite ? F_WRLCK : F_RDLCK)) {
    if (!somebody_has_it(errno) && errno != EINTR) return io_status(errno, "lock", path);
    if (wait == Wait::kNever || std::chrono::steady_clock::now() > give_up)
      return Status(StatusCode::kBusy,
                    fmt::format("another process is writing {}; try again", path));
    std::this_thread::sleep_for(kPause);
  }
  return WriterLock(fd);
}

WriterLock::~WriterLock() {
  if (fd_ >= 0) set_lock(fd_, kWriterByte, F_UNLCK);
}

Result<LmdbUsers> LmdbUsers::keep_out(const std::string& lock_path) {
  const int fd = ::open(lock_path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return LmdbUsers(-1);
  if (fd < 0) return io_status(errno, "open", lock_path);
  LmdbUsers users(fd);
  if (set_lock(fd, 0, F_WRLCK)) return users;
  if (!somebody_has_it(errno)) return io_status(errno, "lock", lock_path);
  return Status(StatusCode::kBusy,
                fmt::format("another process has {} in use: close its database connections first",
                            lock_path));
}

LmdbUsers::~LmdbUsers() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace personalize
