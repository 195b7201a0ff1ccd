// states.mdb: each user's recurrent state, as a memo. Never a source of truth: whatever is missing,
// damaged or old is folded again from the user's events. Written without a sync (6 us instead of 8
// ms) and thrown away when the machine was rebooted since (boot id), or when it is full.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "engine/store/model_store.h"

namespace personalize {

// Names a (model, user) without naming the user: hash of the user's id, keyed by a secret that lies
// in the database.
struct StateKey {
  uint64_t model_id = 0;
  std::array<uint64_t, 2> user_hash = {};
  static StateKey make(uint64_t model_id, std::string_view user_id, uint64_t secret);
};

// A state and what it is the state after: the first `event_count` events of the history, whose
// chain hash (serving/user_state.h) is `chain_hash`.
struct StoredState {
  uint64_t event_count = 0;
  uint64_t chain_hash = 0;
  std::vector<float> state;
};

// Safe from any number of threads. Every failure is silent: a memo that cannot be read is not
// there, one that cannot be written is not written. Disabled as a whole by PERSONALIZE_NO_STATE=1.
class StateStore {
 public:
  virtual ~StateStore() = default;

  // Never fails for want of a file: gives a store that remembers nothing if the directory is
  // read-only, the file damaged beyond being made anew, or PERSONALIZE_NO_STATE is set.
  static std::shared_ptr<StateStore> open(const std::string& directory, OpenMode mode,
                                          const std::string& like_file);

  // Fills `state` (its vector is reused: no allocation in steady state). False if there is none.
  virtual bool get(const StateKey& key, StoredState& state) = 0;
  // Best effort; never waits for another writer longer than a few microseconds where that can be
  // known.
  virtual void put(const StateKey& key, uint64_t event_count, uint64_t chain_hash,
                   std::span<const float> state) = 0;
  // Removes the user's states of these models; of all models if the span is empty. The one call
  // whose failure counts: kBusy, kFull or kIo if something may still be there.
  virtual Status forget(std::string_view user_id, uint64_t secret,
                        std::span<const uint64_t> model_ids) = 0;
  // False if nothing is remembered: the file is opened by the first call that needs it.
  virtual bool enabled() const = 0;
};

}  // namespace personalize
