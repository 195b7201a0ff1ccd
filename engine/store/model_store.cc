#include "engine/store/model_store.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/store/env_registry.h"
#include "engine/store/payload_copy.h"
#include "engine/store/store_directory.h"
#include "engine/store/store_file.h"
#include "engine/store/value_frame.h"

namespace personalize {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLargePage = size_t{2} << 20;

FrameKind frame_of(StoreKind kind) {
  switch (kind) {
    case StoreKind::kVersion:
      return FrameKind::kVersion;
    case StoreKind::kModel:
      return FrameKind::kModel;
    case StoreKind::kMetrics:
      return FrameKind::kMetrics;
    case StoreKind::kLog:
      return FrameKind::kLog;
    case StoreKind::kOther:
      break;
  }
  return FrameKind::kOther;
}

// The order of kModelsFile's databases.
size_t database_of(StoreKind kind) { return 1 + static_cast<size_t>(kind); }

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The payload of a value that was read, or kCorrupt naming file and key.
Result<std::span<const std::byte>> checked(StoreKind kind, std::string_view key,
                                           std::span<const std::byte> value,
                                           const std::string& path) {
  auto payload = read_frame(frame_of(kind), key, value);
  if (payload.is_ok()) return payload;
  return damaged_file(path, fmt::format("'{}': {}", key, payload.status().message()));
}

Result<std::optional<std::string>> get_text(LmdbTxn& txn, StoreKind kind, std::string_view key,
                                            const std::string& path) {
  PERSONALIZE_ASSIGN_OR_RETURN(const auto value, txn.get(database_of(kind), key));
  if (!value) return std::optional<std::string>();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const std::byte> payload,
                               checked(kind, key, *value, path));
  return std::optional(text_of(payload));
}

class LmdbStoreWriter final : public StoreWriter {
 public:
  LmdbStoreWriter(LmdbTxn& txn, const std::string& path) : txn_(txn), path_(path) {}

  Result<std::optional<std::string>> get(StoreKind kind, std::string_view key) override {
    return get_text(txn_, kind, key, path_);
  }
  Status put(StoreKind kind, std::string_view key, std::span<const std::byte> value) override {
    return put_framed(txn_, database_of(kind), frame_of(kind), key, value);
  }
  Status erase(StoreKind kind, std::string_view key) override {
    return txn_.erase(database_of(kind), key);
  }
  Result<std::vector<std::string>> keys(StoreKind kind, std::string_view prefix) override {
    std::vector<std::string> keys;
    PERSONALIZE_RETURN_IF_ERROR(
        txn_.scan(database_of(kind), prefix, [&](std::string_view key, std::span<const std::byte>) {
          keys.emplace_back(key);
          return Status::ok();
        }));
    return keys;
  }

 private:
  LmdbTxn& txn_;
  const std::string& path_;
};

class LmdbModelStore final : public ModelStore {
 public:
  LmdbModelStore(std::string directory, std::shared_ptr<SharedEnv> env, bool read_only)
      : directory_(std::move(directory)), env_(std::move(env)), read_only_(read_only) {}

  Status write(const std::function<Status(StoreWriter&)>& change) override {
    if (read_only_)
      return {StatusCode::kReadOnly, fmt::format("{} was opened for reading only", env_->path())};
    return env_->write(
        [&](LmdbTxn& txn) {
          LmdbStoreWriter writer(txn, env_->path());
          return change(writer);
        },
        WriterLock::Wait::kPatient);
  }

  Result<std::optional<std::string>> get(StoreKind kind, std::string_view key) override {
    PERSONALIZE_ASSIGN_OR_RETURN(SharedEnv::Reading reading, env_->begin_read());
    return get_text(reading.txn(), kind, key, env_->path());
  }

  Result<std::shared_ptr<const AlignedBytes>> get_aligned(StoreKind kind,
                                                          std::string_view key) override;

  Result<std::vector<std::pair<std::string, std::string>>> list(StoreKind kind,
                                                                std::string_view prefix) override {
    PERSONALIZE_ASSIGN_OR_RETURN(SharedEnv::Reading reading, env_->begin_read());
    std::vector<std::pair<std::string, std::string>> found;
    PERSONALIZE_RETURN_IF_ERROR(reading.txn().scan(
        database_of(kind), prefix, [&](std::string_view key, std::span<const std::byte> value) {
          PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const std::byte> payload,
                                       checked(kind, key, value, env_->path()));
          found.emplace_back(key, text_of(payload));
          return Status::ok();
        }));
    return found;
  }

  Result<uint64_t> last_transaction() override { return env_->last_transaction(); }
  const std::string& directory() const override { return directory_; }
  bool read_only() const override { return read_only_; }

 private:
  const std::string directory_;
  const std::shared_ptr<SharedEnv> env_;
  const bool read_only_;
};

Result<std::shared_ptr<const AlignedBytes>> LmdbModelStore::get_aligned(StoreKind kind,
                                                                        std::string_view key) {
  PERSONALIZE_ASSIGN_OR_RETURN(SharedEnv::Reading reading, env_->begin_read());
  PERSONALIZE_ASSIGN_OR_RETURN(const auto value, reading.txn().get(database_of(kind), key));
  if (!value)
    return Status(StatusCode::kNotFound, fmt::format("{} has no '{}'", env_->path(), key));
  const size_t size = value->size() - std::min(value->size(), kFrameOverhead);
  auto copy = std::make_shared<AlignedBytes>(size);
  if (copy->data() == nullptr)
    return Status(StatusCode::kNoMemory,
                  fmt::format("no memory for the {} bytes of '{}'", size, key));
  const Status read =
      copy_payload(reading.txn(), frame_of(kind), key, *value, {copy->data(), size});
  if (!read.is_ok())
    return damaged_file(env_->path(), fmt::format("'{}': {}", key, read.message()));
  return std::shared_ptr<const AlignedBytes>(std::move(copy));
}

Status make_missing(const std::string& directory, const std::string& path, std::string_view uuid,
                    const std::string& like_file) {
  PERSONALIZE_RETURN_IF_ERROR(make_store_directory(directory, like_file));
  if (access(path.c_str(), F_OK) == 0) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const DirectoryLock lock,
                               DirectoryLock::take(directory, DirectoryLock::Kind::kExclusive));
  const Status made = make_store_file(path, kModelsFile, {{"uuid", std::string(uuid)}}, like_file);
  return made.code() == StatusCode::kAlreadyExists ? Status::ok() : made;
}

Status check_uuid(SharedEnv& env, std::string_view uuid) {
  PERSONALIZE_ASSIGN_OR_RETURN(SharedEnv::Reading reading, env.begin_read());
  PERSONALIZE_ASSIGN_OR_RETURN(const auto found, read_info(reading.txn(), "uuid", env.path()));
  if (!found) return damaged_file(env.path(), "it does not say which database it belongs to");
  if (*found == uuid) return Status::ok();
  return {StatusCode::kInvalidInput,
          fmt::format("{} belongs to another database (its uuid is {}, this database's {}): move "
                      "it away, or put this database's own directory back",
                      env.path(), *found, uuid)};
}

}  // namespace

AlignedBytes::AlignedBytes(size_t size) : size_(size) {
  const size_t alignment = size < kLargePage ? kAlignment : kLargePage;
  const size_t room = (size / alignment + 1) * alignment;
  data_ = static_cast<std::byte*>(std::aligned_alloc(alignment, room));
  // The first touches of so many small pages would take longer than reading the bytes does.
  if (alignment == kLargePage && data_ != nullptr) (void)madvise(data_, room, MADV_HUGEPAGE);
}

AlignedBytes::~AlignedBytes() { std::free(data_); }

Result<std::shared_ptr<ModelStore>> ModelStore::open(const std::string& directory,
                                                     std::string_view uuid, OpenMode mode,
                                                     const std::string& like_file) {
  const std::string path = fmt::format("{}/{}", directory, kModelsFileName);
  if (mode == OpenMode::kCreate)
    PERSONALIZE_RETURN_IF_ERROR(make_missing(directory, path, uuid, like_file));
  const bool read_only = mode == OpenMode::kReadOnly;
  auto env = EnvRegistry::instance().open(path, kModelsFile, read_only, like_file);
  if (!env.is_ok()) {
    if (env.status().code() != StatusCode::kNotFound) return env.status();
    return Status(
        StatusCode::kNotFound,
        fmt::format("no model here: there is no {}; SELECT personalize_train(...)", path));
  }
  PERSONALIZE_RETURN_IF_ERROR(check_uuid(**env, uuid));
  return std::shared_ptr<ModelStore>(
      std::make_shared<LmdbModelStore>(directory, std::move(env).value(), read_only));
}

std::string version_key(std::string_view solution, int number) {
  return fmt::format("{}/{:08}", solution, number);
}

std::string version_prefix(std::string_view solution) { return fmt::format("{}/", solution); }

std::string log_key(std::string_view solution, int number, int64_t sequence) {
  return fmt::format("{}/{:08}/{:08}", solution, number, sequence);
}

}  // namespace personalize
