#include "engine/store/shared_env.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "engine/store/io_status.h"
#include "engine/store/process_mark.h"
#include "engine/store/store_directory.h"
#include "engine/store/store_file.h"

namespace personalize {
namespace {

constexpr auto kThreadPatience = std::chrono::seconds(60);
// How often a transaction is begun anew before its trouble is taken for permanent.
constexpr int kAttempts = 40;

// A host that lives under a limit of address space needs most of it for itself.
size_t affordable(size_t map_size) {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return map_size;
  return std::min<size_t>(map_size, limit.rlim_cur / 8);
}

// Remembers which thread writes, while it lives.
class WriterMark {
 public:
  explicit WriterMark(std::atomic<std::thread::id>& writer) : writer_(writer) {
    writer_.store(std::this_thread::get_id());
  }
  ~WriterMark() { writer_.store(std::thread::id()); }
  WriterMark(const WriterMark&) = delete;
  WriterMark& operator=(const WriterMark&) = delete;

 private:
  std::atomic<std::thread::id>& writer_;
};

}  // namespace

SharedEnv::SharedEnv(std::string path, const StoreFileKind& kind, bool read_only,
                     std::string like_file)
    : path_(std::move(path)),
      kind_(kind),
      like_file_(std::move(like_file)),
      process_(process_mark()),
      read_only_(read_only),
      map_size_(affordable(kind.map_size)) {}

SharedEnv::~SharedEnv() = default;

Result<std::unique_ptr<SharedEnv>> SharedEnv::open(const std::string& path,
                                                   const StoreFileKind& kind, bool read_only,
                                                   const std::string& like_file) {
  std::unique_ptr<SharedEnv> opened(new SharedEnv(path, kind, read_only, like_file));
  PERSONALIZE_RETURN_IF_ERROR(opened->open_env());
  return opened;
}

Status SharedEnv::open_env() {
  struct stat status;
  if (stat(path_.c_str(), &status) != 0) return io_status(errno, "open", path_);
  if (generation_ == 0) identity_ = FileIdentity::of(status);
  PERSONALIZE_RETURN_IF_ERROR(check_status(status, largest_size_.load()));
  LmdbOptions options;
  options.read_only = read_only_;
  options.no_sync = kind_.no_sync;
  options.map_size = map_size_;
  options.mode = mode_like(like_file_);
  const bool may_lock = faccessat(AT_FDCWD, lock_file_of(path_).c_str(), W_OK, AT_EACCESS) == 0;
  if (read_only_ && !may_lock && is_read_only_directory(directory_of(path_)))
    options.no_lock = true;
  else
    PERSONALIZE_RETURN_IF_ERROR(make_lock_file(path_, like_file_));
  PERSONALIZE_ASSIGN_OR_RETURN(env_, LmdbEnv::open(path_, options, kind_.databases));
  lock_file_.reset();
  if (!options.no_lock && stat(lock_file_of(path_).c_str(), &status) == 0)
    lock_file_ = FileIdentity::of(status);
  env_->clear_dead_readers();
  generation_++;
  return Status::ok();
}

bool SharedEnv::has_lost_lock_file(bool is_write) {
  if (!lock_file_) return false;
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  if (!is_write && lock_file_seen_.load() == now) return false;
  struct stat status;
  if (stat(lock_file_of(path_).c_str(), &status) != 0 || FileIdentity::of(status) != *lock_file_)
    return true;
  lock_file_seen_.store(now);
  return false;
}

void SharedEnv::retire() {
  const std::unique_lock lock = replace_env();
  env_.reset();
}

std::shared_lock<std::shared_mutex> SharedEnv::use_env() {
  // A read in the middle of a write has passed already.
  if (replacing_.load() > 0 && writer_thread_.load() != std::this_thread::get_id())
    const std::lock_guard wait(gate_);
  return std::shared_lock(mutex_);
}

std::unique_lock<std::shared_mutex> SharedEnv::replace_env() {
  replacing_++;
  std::unique_lock<std::shared_mutex> lock;
  {
    const std::lock_guard gate(gate_);
    lock = std::unique_lock(mutex_);
  }
  replacing_--;
  return lock;
}

Status SharedEnv::check_process() const {
  if (process_mark() == process_) return Status::ok();
  return {StatusCode::kInternal,
          fmt::format("{} was opened before this process was forked and cannot be used in it: open "
                      "the database connection after fork()",
                      path_)};
}

Status SharedEnv::check_file() {
  // Read before the size, which never falls: another thread may see it grow in between.
  const int64_t seen = largest_size_.load();
  struct stat status;
  if (fstat(env_->fd(), &status) != 0) return io_status(errno, "look at", path_);
  PERSONALIZE_RETURN_IF_ERROR(check_status(status, seen));
  if (static_cast<uint64_t>(status.st_size) >= env_->pages_end()) return Status::ok();
  // Either a page that was taken and given back at once was never written, or the file was cut
  // after another process had made it longer.
  const uint64_t transaction = env_->last_transaction();
  if (transaction == verified_transaction_.load()) return Status::ok();
  PERSONALIZE_RETURN_IF_ERROR(verify_store_file(path_, kind_));
  verified_transaction_.store(transaction);
  return Status::ok();
}

Status SharedEnv::check_status(const struct stat& status, int64_t seen) {
  if (status.st_nlink == 0 || FileIdentity::of(status) != identity_)
    return {StatusCode::kNotFound,
            fmt::format("{} was removed or replaced while it was in use", path_)};
  if (status.st_size < seen)
    return {StatusCode::kCorrupt,
            fmt::format("{} is damaged (it was cut from {} to {} bytes while it was in use): run "
                        "SELECT personalize_repair()",
                        path_, seen, status.st_size)};
  int64_t largest = largest_size_.load();
  while (status.st_size > largest &&
         !largest_size_.compare_exchange_weak(largest, status.st_size)) {
  }
  return Status::ok();
}

Status SharedEnv::reopen(LmdbTrouble trouble, uint64_t generation) {
  const std::unique_lock lock = replace_env();
  if (generation_ != generation && env_) return Status::ok();  // another thread has done it
  const size_t before = env_ ? env_->map_size() : 0;
  const bool grow = trouble == LmdbTrouble::kMapFull || trouble == LmdbTrouble::kMapResized;
  if (trouble == LmdbTrouble::kMapFull && !kind_.may_grow)
    return {StatusCode::kFull, fmt::format("{} is full ({} bytes)", path_, before)};
  if (grow) map_size_ = std::max(before * 2, static_cast<size_t>(largest_size_.load()) * 2);
  env_.reset();
  PERSONALIZE_ASSIGN_OR_RETURN(
      const DirectoryLock directory,
      DirectoryLock::take(directory_of(path_), DirectoryLock::Kind::kShared));
  PERSONALIZE_RETURN_IF_ERROR(open_env());
  if (grow && env_->map_size() <= before)
    return {StatusCode::kNoMemory,
            fmt::format("no address space to map more than {} bytes of {}", before, path_)};
  return Status::ok();
}

Result<SharedEnv::Reading> SharedEnv::begin_read() {
  Status last;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    PERSONALIZE_RETURN_IF_ERROR(check_process());
    LmdbTrouble trouble = LmdbTrouble::kNone;
    uint64_t generation = 0;
    {
      std::shared_lock lock = use_env();
      generation = generation_;
      if (env_ && !has_lost_lock_file(false)) {
        PERSONALIZE_RETURN_IF_ERROR(check_file());
        Result<LmdbTxn> txn = LmdbTxn::begin(*env_, LmdbTxn::Access::kRead, trouble);
        if (txn.is_ok()) return Reading(std::move(lock), std::move(txn).value());
        if (trouble == LmdbTrouble::kNone) return txn.status();
        last = txn.status();
      }
    }
    PERSONALIZE_RETURN_IF_ERROR(reopen(trouble, generation));
  }
  return last;
}

void SharedEnv::clear_readers_of_grown_file() {
  constexpr int64_t kGrowth = 256 << 10;
  const int64_t size = largest_size_.load();
  if (size - cleared_at_size_ < kGrowth) return;
  env_->clear_dead_readers();
  cleared_at_size_ = size;
}

Status SharedEnv::write_once(const std::function<Status(LmdbTxn&)>& change, WriterLock::Wait wait,
                             LmdbTrouble& trouble, uint64_t& generation) {
  const std::shared_lock lock = use_env();
  generation = generation_;
  if (!env_ || has_lost_lock_file(true)) {
    trouble = LmdbTrouble::kPanic;
    return Status(StatusCode::kIo, fmt::format("{} could not be opened again", path_));
  }
  PERSONALIZE_RETURN_IF_ERROR(check_file());
  clear_readers_of_grown_file();
  PERSONALIZE_ASSIGN_OR_RETURN(const WriterLock writer,
                               WriterLock::take(env_->fd(), path_, WriterLock::Kind::kWrite, wait));
  PERSONALIZE_ASSIGN_OR_RETURN(LmdbTxn txn,
                               LmdbTxn::begin(*env_, LmdbTxn::Access::kWrite, trouble));
  Status done = change(txn);
  if (done.is_ok()) done = txn.commit();
  trouble = txn.trouble();
  return done;
}

Status SharedEnv::write(const std::function<Status(LmdbTxn&)>& change, WriterLock::Wait wait) {
  PERSONALIZE_RETURN_IF_ERROR(check_process());
  if (writer_thread_.load() == std::this_thread::get_id())
    return {StatusCode::kInternal, fmt::format("{}: a write inside a write", path_)};
  std::unique_lock writer(writer_, std::defer_lock);
  // By the system clock: what try_lock_for() waits with is unknown to GCC 12's ThreadSanitizer.
  const auto give_up = std::chrono::system_clock::now() + kThreadPatience;
  if (wait == WriterLock::Wait::kNever ? !writer.try_lock() : !writer.try_lock_until(give_up))
    return {StatusCode::kBusy, fmt::format("another thread is writing {}; try again", path_)};
  const WriterMark mark(writer_thread_);
  Status done;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    LmdbTrouble trouble = LmdbTrouble::kNone;
    uint64_t generation = 0;
    done = write_once(change, wait, trouble, generation);
    if (done.is_ok() || trouble == LmdbTrouble::kNone) break;
    PERSONALIZE_RETURN_IF_ERROR(reopen(trouble, generation));
  }
  return done;
}

Result<uint64_t> SharedEnv::last_transaction() {
  PERSONALIZE_ASSIGN_OR_RETURN(Reading reading, begin_read());
  return reading.txn().id();
}

Status SharedEnv::allow_writes() {
  PERSONALIZE_RETURN_IF_ERROR(check_process());
  // Waiting for a writer here would make all readers of the process wait behind us.
  if (!read_only_) return Status::ok();
  const std::unique_lock lock = replace_env();
  if (!read_only_) return Status::ok();
  env_.reset();
  read_only_ = false;
  const Status opened = open_env();
  if (!opened.is_ok()) read_only_ = true;
  return opened;
}

}  // namespace personalize
