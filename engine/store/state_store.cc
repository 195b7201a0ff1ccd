#include "engine/store/state_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/store/memo_file.h"
#include "engine/store/value_frame.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

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
      : memo_(std::move(directory), std::move(like_file)) {}

  bool get(const StateKey& key, StoredState& state) override;
  void put(const StateKey& key, uint64_t event_count, uint64_t chain_hash,
           std::span<const float> state) override;
  Status forget(std::string_view user_id, uint64_t secret,
                std::span<const uint64_t> model_ids) override;
  bool enabled() const override { return memo_.file() != nullptr; }

 private:
  MemoFile memo_;
};

bool LmdbStateStore::get(const StateKey& key, StoredState& state) {
  const std::shared_ptr<SharedEnv> file = memo_.file_if_worthwhile();
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
  memo_.lose(file, failure);
  return false;
}

void LmdbStateStore::put(const StateKey& key, uint64_t event_count, uint64_t chain_hash,
                         std::span<const float> state) {
  const std::shared_ptr<SharedEnv> file = memo_.file_if_worthwhile();
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
  if (!written.is_ok()) memo_.lose(file, written);
}

Status LmdbStateStore::forget(std::string_view user_id, uint64_t secret,
                              std::span<const uint64_t> model_ids) {
  const std::shared_ptr<SharedEnv> file = memo_.file();
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
  memo_.lose(file, done);
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
  if (mode == OpenMode::kReadOnly || remembering_is_switched_off())
    return std::make_shared<NoStateStore>();
  return std::make_shared<LmdbStateStore>(directory, like_file);
}

}  // namespace personalize
