#include "engine/store/state_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "engine/store/env_registry.h"
#include "engine/store/store_directory.h"
#include "engine/store/store_file.h"
#include "engine/store/value_frame.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

constexpr size_t kStateDatabase = 1;
constexpr std::string_view kBootKey = "boot";
// Another process may put a new file in the place of ours again and again, but not for ever.
constexpr int kAttempts = 3;

// The key as it is stored: the user first, so that all states of a user are neighbours.
struct StoredKey {
  uint64_t user_hash[2];
  uint64_t model_id;

  static StoredKey of(const StateKey& key) {
    return {{key.user_hash[0], key.user_hash[1]}, key.model_id};
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
  std::string_view user() const {
    return {reinterpret_cast<const char*>(user_hash), sizeof user_hash};
  }
};

// What a state's value starts with; the floats follow.
struct Header {
  uint64_t event_count;
  uint64_t chain_hash;
};

// Names the time since the machine was started; empty if it cannot be told.
std::string boot_id() {
  const int file = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[64];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size <= 0 ? std::string() : std::string(text, static_cast<size_t>(size));
}

bool is_switched_off() {
  const char* const value = std::getenv("PERSONALIZE_NO_STATE");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

bool parse_state(std::span<const std::byte> payload, StoredState& state) {
  Header header;
  if (payload.size() < sizeof header || (payload.size() - sizeof header) % sizeof(float) != 0)
    return false;
  std::memcpy(&header, payload.data(), sizeof header);
  state.event_count = header.event_count;
  state.chain_hash = header.chain_hash;
  state.state.resize((payload.size() - sizeof header) / sizeof(float));
  if (!state.state.empty())
    std::memcpy(state.state.data(), payload.data() + sizeof header,
                state.state.size() * sizeof(float));
  return std::all_of(state.state.begin(), state.state.end(),
                     [](float value) { return std::isfinite(value); });
}

class NoStateStore final : public StateStore {
 public:
  bool get(const StateKey&, StoredState&) override { return false; }
  void put(const StateKey&, uint64_t, uint64_t, std::span<const float>) override {}
  Status forget(std::string_view, uint64_t, std::span<const uint64_t>) override {
    return Status::ok();
  }
  bool enabled() const override { return false; }
};

class LmdbStateStore final : public StateStore {
 public:
  LmdbStateStore(std::string directory, std::string like_file)
      : directory_(std::move(directory)),
        path_(fmt::format("{}/{}", directory_, kStatesFileName)),
        like_file_(std::move(like_file)) {}

  bool get(const StateKey& key, StoredState& state) override;
  void put(const StateKey& key, uint64_t event_count, uint64_t chain_hash,
           std::span<const float> state) override;
  Status forget(std::string_view user_id, uint64_t secret,
                std::span<const uint64_t> model_ids) override;
  bool enabled() const override { return file() != nullptr; }

 private:
  std::shared_ptr<SharedEnv> file() const;
  void lose(const std::shared_ptr<SharedEnv>& file, const Status& why);
  Result<std::shared_ptr<SharedEnv>> open_file() const;
  Status make_file() const;
  Status throw_away(const FileIdentity& identity) const;

  const std::string directory_, path_, like_file_;
  // Opened by the first call that needs it, whichever that is.
  mutable std::mutex mutex_;                 // of what follows
  mutable std::shared_ptr<SharedEnv> file_;  // null before the first use and after it was lost
  mutable bool given_up_ = false;
};

std::shared_ptr<SharedEnv> LmdbStateStore::file() const {
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

// After a failure: a file that was removed or damaged is opened or made anew at the next use.
void LmdbStateStore::lose(const std::shared_ptr<SharedEnv>& file, const Status& why) {
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

Status LmdbStateStore::make_file() const {
  PERSONALIZE_ASSIGN_OR_RETURN(const DirectoryLock lock,
                               DirectoryLock::take(directory_, DirectoryLock::Kind::kExclusive));
  const Status made =
      make_store_file(path_, kStatesFile, {{std::string(kBootKey), boot_id()}}, like_file_);
  return made.code() == StatusCode::kAlreadyExists ? Status::ok() : made;
}

// Removes the file if it still is that one. Who has it open sees that it was removed.
Status LmdbStateStore::throw_away(const FileIdentity& identity) const {
  PERSONALIZE_ASSIGN_OR_RETURN(const DirectoryLock lock,
                               DirectoryLock::take(directory_, DirectoryLock::Kind::kExclusive));
  struct stat status;
  if (stat(path_.c_str(), &status) != 0 || FileIdentity::of(status) != identity)
    return Status::ok();
  if (unlink(path_.c_str()) != 0) return {StatusCode::kIo, fmt::format("cannot remove {}", path_)};
  unlink(lock_file_of(path_).c_str());
  return Status::ok();
}

Result<std::shared_ptr<SharedEnv>> LmdbStateStore::open_file() const {
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

bool LmdbStateStore::get(const StateKey& key, StoredState& state) {
  const std::shared_ptr<SharedEnv> file = this->file();
  if (!file) return false;
  Status failure;
  {
    Result<SharedEnv::Reading> reading = file->begin_read();
    if (reading.is_ok()) {
      const StoredKey stored = StoredKey::of(key);
      const auto value = reading->txn().get(kStateDatabase, stored.bytes());
      if (value.is_ok()) {
        if (!*value) return false;
        const auto payload = read_frame(FrameKind::kState, stored.bytes(), **value);
        return payload.is_ok() && parse_state(*payload, state);
      }
      failure = value.status();
    } else {
      failure = reading.status();
    }
  }
  lose(file, failure);
  return false;
}

void LmdbStateStore::put(const StateKey& key, uint64_t event_count, uint64_t chain_hash,
                         std::span<const float> state) {
  const std::shared_ptr<SharedEnv> file = this->file();
  if (!file) return;
  const StoredKey stored = StoredKey::of(key);
  const Header header = {event_count, chain_hash};
  const size_t payload_size = sizeof header + state.size_bytes();
  const Status written = file->write(
      [&](LmdbTxn& txn) {
        PERSONALIZE_ASSIGN_OR_RETURN(
            std::byte* const out,
            txn.reserve(kStateDatabase, stored.bytes(), kFrameOverhead + payload_size));
        std::byte* const payload = out + kFrameHeaderSize;
        std::memcpy(payload, &header, sizeof header);
        if (!state.empty()) std::memcpy(payload + sizeof header, state.data(), state.size_bytes());
        write_frame(FrameKind::kState, stored.bytes(), {payload, payload_size}, out);
        return Status::ok();
      },
      WriterLock::Wait::kNever);
  if (!written.is_ok()) lose(file, written);
}

Status LmdbStateStore::forget(std::string_view user_id, uint64_t secret,
                              std::span<const uint64_t> model_ids) {
  const std::shared_ptr<SharedEnv> file = this->file();
  if (!file) return Status::ok();
  const StoredKey user = StoredKey::of(StateKey::make(0, user_id, secret));
  const Status done = file->write(
      [&](LmdbTxn& txn) {
        std::vector<std::string> keys;
        PERSONALIZE_RETURN_IF_ERROR(txn.scan(
            kStateDatabase, user.user(), [&](std::string_view key, std::span<const std::byte>) {
              uint64_t model_id = 0;
              if (key.size() == sizeof(StoredKey))
                std::memcpy(&model_id, key.data() + sizeof user.user_hash, sizeof model_id);
              if (model_ids.empty() ||
                  std::find(model_ids.begin(), model_ids.end(), model_id) != model_ids.end())
                keys.emplace_back(key);
              return Status::ok();
            }));
        for (const std::string& key : keys)
          PERSONALIZE_RETURN_IF_ERROR(txn.erase(kStateDatabase, key));
        return Status::ok();
      },
      WriterLock::Wait::kPatient);
  if (done.is_ok()) return done;
  lose(file, done);
  // A file that was thrown away remembers nobody.
  const bool gone = done.code() == StatusCode::kCorrupt || done.code() == StatusCode::kNotFound;
  return gone ? Status::ok() : done;
}

}  // namespace

StateKey StateKey::make(uint64_t model_id, std::string_view user_id, uint64_t secret) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(user_id.data(), user_id.size(), secret);
  return {model_id, {hash.low64, hash.high64}};
}

std::shared_ptr<StateStore> StateStore::open(const std::string& directory, OpenMode mode,
                                             const std::string& like_file) {
  if (mode == OpenMode::kReadOnly || is_switched_off()) return std::make_shared<NoStateStore>();
  return std::make_shared<LmdbStateStore>(directory, like_file);
}

}  // namespace personalize
