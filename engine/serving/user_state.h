// The recurrent state of a user, kept between questions as a memo: (number of events, hash of those
// events, state). A memo is believed only if its hash matches the events the question itself sees,
// so that late, changed and deleted events, ROLLBACK and old snapshots need no care of their own:
// what does not match is folded again from the first event. The state is the same, bit for bit,
// with and without a memo.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/recipes/recipe.h"
#include "engine/serving/loaded_model.h"
#include "engine/store/state_store.h"

namespace personalize {

// The chain hash of a history: equal for equal events in equal order, on one instruction set.
uint64_t history_hash(std::span<const ModelEvent> history);

// Where a user's memo lies.
struct UserMemo {
  StateStore* store = nullptr;  // null: none
  StateKey key;
};

// Gives the state after `history`: from the memo forward if it is one of this history's, else from
// the start. Writes the memo back, at best effort, when several events had to be folded. The
// buffers are kept from call to call. Used by one thread.
class UserState {
 public:
  // The view lives until the next call.
  std::span<const float> after(const Model& model, std::span<const ModelEvent> history,
                               const UserMemo& memo);
  // The state after `history` from `state`, that after its first `folded` events. Neither reads nor
  // writes a memo. The view lives until the next call.
  std::span<const float> from(const Model& model, std::span<const ModelEvent> history,
                              size_t folded, std::span<const float> state);

 private:
  StoredState stored_;
};

// UserState for many users at a time, whose events are folded side by side. Used by one thread.
class UserStates {
 public:
  struct Asked {
    std::span<const ModelEvent> history;
    UserMemo memo;
  };
  // What UserState::after gives each of `users`, bit for bit, is then in state(its place).
  void after(const Model& model, std::span<const Asked> users);
  std::span<const float> state(size_t place) const { return stored_[place].state; }

 private:
  std::vector<StoredState> stored_;
  std::vector<bool> recalled_;
  std::vector<Folding> foldings_;
};

}  // namespace personalize
