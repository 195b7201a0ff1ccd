#include "engine/store/memo_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "engine/store/env_registry.h"
#include "engine/store/store_directory.h"
#include "engine/store/store_file.h"

namespace personalize {
namespace {

constexpr std::string_view kBootKey = "boot";
// What is opened at once, in a millisecond or two; and how much of a file is proven sound in half
// of the 200 us or so that a remembered state saves a question, which makes two calls.
constexpr int64_t kOpenedAtOnce = 4 << 20, kProvenPerCall = 256 << 10;
// Another process may put a new file in the place of ours again and again, but not for ever.
constexpr int kAttempts = 3;

// Names the time since the machine was started; empty if it cannot be told.
std::string boot_id() {
  const int file = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[64];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size <= 0 ? std::string() : std::string(text, static_cast<size_t>(size));
}

}  // namespace

bool remembering_is_switched_off() {
  const char* const value = std::getenv("PERSONALIZE_NO_STATE");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

MemoFile::MemoFile(std::string directory, std::string like_file)
    : directory_(std::move(directory)),
      path_(fmt::format("{}/{}", directory_, kStatesFileName)),
      like_file_(std::move(like_file)) {}

std::shared_ptr<SharedEnv> MemoFile::file() const {
  const std::lock_guard lock(mutex_);
  for (int attempt = 0; attempt < kAttempts && !file_ && !given_up_; attempt++) {
    Result<std::shared_ptr<SharedEnv>> opened = open_file();
    if (opened.is_ok())
      file_ = std::move(opened).value();
    else if (opened.status().code() != StatusCode::kNotFound || attempt + 1 == kAttempts)
      given_up_ = true;
  }
  return file_;
}

std::shared_ptr<SharedEnv> MemoFile::file_if_worthwhile() const {
  {
    const std::lock_guard lock(mutex_);
    struct stat status;
    if (!file_ && !given_up_ && stat(path_.c_str(), &status) == 0 &&
        status.st_size > kOpenedAtOnce + kProvenPerCall * done_without_ &&
        !EnvRegistry::instance().pause().is_open(FileIdentity::of(status))) {
      done_without_++;
      return nullptr;
    }
  }
  return file();
}

void MemoFile::lose(const std::shared_ptr<SharedEnv>& file, const Status& why) {
  const bool full = why.code() == StatusCode::kFull;
  if (full) {
    // A full disk is no reason to throw away what is there.
    struct stat status;
    if (stat(path_.c_str(), &status) != 0 ||
        static_cast<size_t>(status.st_size) < kStatesFile.map_size / 2)
      return;
  }
  if (!full && why.code() != StatusCode::kCorrupt && why.code() != StatusCode::kNotFound) return;
  const std::lock_guard lock(mutex_);
  if (file_ != file) return;  // another thread was first
  file_.reset();
  if (why.code() != StatusCode::kNotFound && !throw_away(file->identity()).is_ok())
    given_up_ = true;
}

Status MemoFile::make_file() const {
  PERSONALIZE_ASSIGN_OR_RETURN(const DirectoryLock lock,
                               DirectoryLock::take(directory_, DirectoryLock::Kind::kExclusive));
  const Status made =
      make_store_file(path_, kStatesFile, {{std::string(kBootKey), boot_id()}}, like_file_);
  return made.code() == StatusCode::kAlreadyExists ? Status::ok() : made;
}

// Removes the file if it still is that one. Who has it open sees that it was removed.
Status MemoFile::throw_away(const FileIdentity& identity) const {
  PERSONALIZE_ASSIGN_OR_RETURN(const DirectoryLock lock,
                               DirectoryLock::take(directory_, DirectoryLock::Kind::kExclusive));
  struct stat status;
  if (stat(path_.c_str(), &status) != 0 || FileIdentity::of(status) != identity)
    return Status::ok();
  if (unlink(path_.c_str()) != 0) return {StatusCode::kIo, fmt::format("cannot remove {}", path_)};
  unlink(lock_file_of(path_).c_str());
  return Status::ok();
}

Result<std::shared_ptr<SharedEnv>> MemoFile::open_file() const {
  struct stat status;
  if (stat(path_.c_str(), &status) != 0) {
    PERSONALIZE_RETURN_IF_ERROR(make_file());
    if (stat(path_.c_str(), &status) != 0)
      return Status(StatusCode::kNotFound, fmt::format("there is no {}", path_));
  }
  auto file = EnvRegistry::instance().open(path_, kStatesFile, false, like_file_);
  Status wrong = file.status();
  if (file.is_ok()) {
    PERSONALIZE_ASSIGN_OR_RETURN(SharedEnv::Reading reading, (*file)->begin_read());
    const auto boot = read_info(reading.txn(), kBootKey, path_);
    if (boot.is_ok() && *boot && **boot == boot_id() && !(*boot)->empty()) return file;
    // It was written without a sync: after a restart of the machine anything may be missing.
    wrong = Status(StatusCode::kCorrupt, "the machine was started again since it was written");
  }
  if (wrong.code() != StatusCode::kCorrupt) return wrong;
  PERSONALIZE_RETURN_IF_ERROR(throw_away(FileIdentity::of(status)));
  return Status(StatusCode::kNotFound, wrong.message());
}

}  // namespace personalize
