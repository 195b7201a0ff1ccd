#include "engine/store/lmdb_env.h"

#include <fmt/format.h>
#include <lmdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/store/io_status.h"
#include "engine/store/page_format.h"

namespace personalize {
namespace {

constexpr unsigned kMaxReaders = 1024;
constexpr size_t kSmallestMap = 1 << 20;
// Opening can fail if another process opens or closes the file at that instant.
constexpr int kOpenAttempts = 5;

size_t whole_pages(size_t size) { return std::max(kSmallestMap, (size + 65535) / 65536 * 65536); }

Status lmdb_status(int code, const char* doing, const std::string& path) {
  if (code > 0) return io_status(code, doing, path);
  StatusCode status = StatusCode::kInternal;
  switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_NOTFOUND:  // of a named database; a missing key is no failure
      status = StatusCode::kCorrupt;
      break;
    case MDB_MAP_FULL:
      status = StatusCode::kFull;
      break;
    case MDB_READERS_FULL:
      status = StatusCode::kBusy;
      break;
    case MDB_BAD_VALSIZE:
      status = StatusCode::kInvalidInput;
      break;
    default:
      break;
  }
  return {status, fmt::format("cannot {} {}: {}", doing, path, mdb_strerror(code))};
}

LmdbTrouble trouble_of(int code) {
  switch (code) {
    case MDB_MAP_FULL:
      return LmdbTrouble::kMapFull;
    case MDB_MAP_RESIZED:
      return LmdbTrouble::kMapResized;
    case MDB_PANIC:
      return LmdbTrouble::kPanic;
    default:
      return LmdbTrouble::kNone;
  }
}

// LMDB does not write through an MDB_val that it is given to read.
MDB_val val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

std::string_view text_of(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

std::span<const std::byte> bytes_of(const MDB_val& val) {
  return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

int open_once(const std::string& path, const LmdbOptions& options, size_t map_size,
              size_t databases, MDB_env** env) {
  int code = mdb_env_create(env);
  if (code != 0) return code;
  mdb_env_set_maxreaders(*env, kMaxReaders);
  mdb_env_set_maxdbs(*env, static_cast<unsigned>(databases));
  code = mdb_env_set_mapsize(*env, map_size);
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
  if (options.read_only) flags |= MDB_RDONLY;
  if (options.no_lock) flags |= MDB_NOLOCK;
  if (options.no_sync) flags |= MDB_NOSYNC;
  if (code == 0) code = mdb_env_open(*env, path.c_str(), flags, options.mode);
  if (code != 0) {
    mdb_env_close(*env);
    *env = nullptr;
  }
  return code;
}

int open_databases(MDB_env* env, std::span<const char* const> names, bool create,
                   std::vector<unsigned>& databases) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env, nullptr, create ? 0 : MDB_RDONLY, &txn);
  if (code != 0) return code;
  for (const char* name : names) {
    MDB_dbi dbi = 0;
    code = mdb_dbi_open(txn, name, create ? MDB_CREATE : 0, &dbi);
    if (code != 0) break;
    databases.push_back(dbi);
  }
  if (code == 0) return mdb_txn_commit(txn);
  mdb_txn_abort(txn);
  return code;
}

}  // namespace

std::string_view lmdb_version() { return mdb_version(nullptr, nullptr, nullptr); }

Result<std::unique_ptr<LmdbEnv>> LmdbEnv::open(const std::string& path, const LmdbOptions& options,
                                               std::span<const char* const> databases) {
  std::unique_ptr<LmdbEnv> opened(new LmdbEnv);
  opened->path_ = path;
  size_t map_size = whole_pages(options.map_size);
  int code = 0;
  for (int attempt = 0; attempt < kOpenAttempts; attempt++) {
    code = open_once(path, options, map_size, databases.size(), &opened->env_);
    while (code == ENOMEM && map_size > kSmallestMap) {
      map_size = whole_pages(map_size / 2);
      code = open_once(path, options, map_size, databases.size(), &opened->env_);
    }
    if (code != EAGAIN && code != EBUSY) break;
  }
  if (code != 0) return lmdb_status(code, "open", path);
  opened->map_size_ = map_size;
  MDB_stat stat;
  mdb_env_stat(opened->env_, &stat);
  opened->page_size_ = stat.ms_psize;
  code = open_databases(opened->env_, databases, options.create_databases, opened->databases_);
  if (code != 0) return lmdb_status(code, "open", path);
  return opened;
}

LmdbEnv::~LmdbEnv() {
  if (env_ != nullptr) mdb_env_close(env_);
}

int LmdbEnv::fd() const {
  int fd = -1;
  mdb_env_get_fd(env_, &fd);
  return fd;
}

uint64_t LmdbEnv::last_transaction() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_last_txnid;
}

uint64_t LmdbEnv::pages_end() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return (info.me_last_pgno + 1) * page_size_;
}

void LmdbEnv::clear_dead_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

Result<LmdbTxn> LmdbTxn::begin(LmdbEnv& env, Access access, LmdbTrouble& trouble) {
  MDB_txn* txn = nullptr;
  const bool writes = access == Access::kWrite;
  const int code = mdb_txn_begin(env.env_, nullptr, writes ? 0 : MDB_RDONLY, &txn);
  trouble = trouble_of(code);
  if (code != 0) return lmdb_status(code, writes ? "write" : "read", env.path_);
  return LmdbTxn(env, txn);
}

LmdbTxn::LmdbTxn(LmdbTxn&& other) noexcept
    : env_(other.env_), txn_(std::exchange(other.txn_, nullptr)), trouble_(other.trouble_) {}

LmdbTxn::~LmdbTxn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

uint64_t LmdbTxn::id() const { return mdb_txn_id(txn_); }

Status LmdbTxn::failed(int code, const char* doing) {
  // What comes after a full map fails for that reason.
  if (trouble_ == LmdbTrouble::kNone) trouble_ = trouble_of(code);
  return lmdb_status(code, doing, env_->path_);
}

Result<std::optional<std::span<const std::byte>>> LmdbTxn::get(size_t database,
                                                               std::string_view key) {
  MDB_val key_val = val(key), value = {};
  const int code = mdb_get(txn_, env_->databases_[database], &key_val, &value);
  if (code == MDB_NOTFOUND) return std::optional<std::span<const std::byte>>();
  if (code != 0) return failed(code, "read");
  return std::optional(bytes_of(value));
}

Status LmdbTxn::copy(std::span<const std::byte> value, size_t begin,
                     std::span<std::byte> out) const {
  if (begin > value.size() || out.size() > value.size() - begin)
    return {StatusCode::kCorrupt, "it is too short"};
  if (value.size() < env_->page_size_) {
    if (!out.empty()) std::memcpy(out.data(), value.data() + begin, out.size());
    return Status::ok();
  }
  // Such a value follows the header of its first page, which starts with the page's number.
  uint64_t page;
  std::memcpy(&page, value.data() - lmdb_page::kPageHeaderSize, sizeof page);
  const uint64_t offset = page * env_->page_size_ + lmdb_page::kPageHeaderSize;
  if (read_at(env_->fd(), offset + begin, out)) return Status::ok();
  return {StatusCode::kIo, "its pages cannot be read"};
}

Status LmdbTxn::scan(size_t database, std::string_view prefix, const Visit& visit) {
  MDB_cursor* raw = nullptr;
  int code = mdb_cursor_open(txn_, env_->databases_[database], &raw);
  if (code != 0) return failed(code, "read");
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(raw, mdb_cursor_close);
  MDB_val key = val(prefix), value = {};
  code = mdb_cursor_get(raw, &key, &value, prefix.empty() ? MDB_FIRST : MDB_SET_RANGE);
  while (code == 0 && text_of(key).starts_with(prefix)) {
    PERSONALIZE_RETURN_IF_ERROR(visit(text_of(key), bytes_of(value)));
    code = mdb_cursor_get(raw, &key, &value, MDB_NEXT);
  }
  return code == 0 || code == MDB_NOTFOUND ? Status::ok() : failed(code, "read");
}

Result<std::byte*> LmdbTxn::reserve(size_t database, std::string_view key, size_t size) {
  MDB_val key_val = val(key), value = {size, nullptr};
  const int code = mdb_put(txn_, env_->databases_[database], &key_val, &value, MDB_RESERVE);
  if (code != 0) return failed(code, "write");
  return static_cast<std::byte*>(value.mv_data);
}

Status LmdbTxn::erase(size_t database, std::string_view key) {
  MDB_val key_val = val(key);
  const int code = mdb_del(txn_, env_->databases_[database], &key_val, nullptr);
  return code == 0 || code == MDB_NOTFOUND ? Status::ok() : failed(code, "write");
}

Status LmdbTxn::commit() {
  const int code = mdb_txn_commit(std::exchange(txn_, nullptr));
  return code == 0 ? Status::ok() : failed(code, "write");
}

}  // namespace personalize
