// Every user of a dataset group as a model answers them (batch_recommend, user_segment): a block of
// users at a time, whose events are read on the connection's thread and which are then scored on
// all cores, by threads that have ended when a block is given.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/serving/answer.h"
#include "engine/serving/history.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/responder.h"

namespace personalize {

class UserBlocks {
 public:
  static constexpr size_t kLargestBlock = 512;  // users

  // Blocks grow from `first` users: a LIMIT may end the reading soon. `caller` leads messages and
  // must outlive the blocks.
  UserBlocks(std::shared_ptr<Responder> responder, std::string_view caller, size_t first)
      : responder_(std::move(responder)), caller_(caller), block_(first) {}

  // To be called once, first: finds the unseen items. Errors: those of reading the items dataset.
  Status begin(Connection& connection);
  // What is to be done on the connection's thread with the users() of each block before they are
  // asked.
  void before_each(std::function<Status()> prepare) { prepare_ = std::move(prepare); }
  // Goes to the next block, and calls take(place, answerer) for each users()[place], whose question
  // `answerer` was asked: on any thread, for any number of users at once, one call a user. False:
  // there are no more users. Errors: those of reading events; kInterrupted, kNoMemory.
  Result<bool> next(Connection& connection, const std::function<void(size_t, Answerer&)>& take);

  const std::vector<std::string>& users() const { return users_; }
  const Responder& responder() const { return *responder_; }
  // The unseen items that answers may name, as they were when the blocks began; null: none.
  const std::shared_ptr<const UnseenTable>& unseen() const { return unseen_; }
  // How many events users()[place] has.
  size_t event_count(size_t place) const { return histories_[place].events.size(); }

 private:
  Status read(Connection& connection);
  Status score(Connection& connection, const std::function<void(size_t, Answerer&)>& take);

  std::shared_ptr<Responder> responder_;
  std::string_view caller_;
  size_t block_;
  bool begun_ = false;
  std::function<Status()> prepare_;
  std::vector<std::string> users_;
  std::shared_ptr<const UnseenTable> unseen_;
  std::vector<UserHistory> histories_;
};

}  // namespace personalize
