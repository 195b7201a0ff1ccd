// Every user of a dataset group as a model answers them (batch_recommend, user_segment): a block of
// users at a time, whose events are read on the connection's thread and which are then scored on
// all cores, by threads that have ended when a block is given. While they score, the connection's
// thread reads the next block.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/serving/answer.h"
#include "engine/serving/history.h"
#include "engine/serving/unseen_items.h"
#include "engine/serving/user_state.h"
#include "engine/status.h"
#include "extension/event_reader.h"
#include "extension/responder.h"

namespace personalize {

class UserBlocks {
 public:
  static constexpr size_t kLargestBlock = 512;  // users

  // Blocks grow from `first` users: a LIMIT may end the reading soon. `caller` leads messages and
  // must outlive the blocks.
  UserBlocks(std::shared_ptr<Responder> responder, std::string_view caller, size_t first)
      : responder_(std::move(responder)), caller_(caller), size_(first) {}

  // To be called once, first: finds the unseen items. Errors: those of reading the items dataset.
  Status begin(Connection& connection);
  // How many items each user will be asked for, and from which set of the block's users' sets on,
  // as `prepare` leaves them (null or empty: all items). To be called once, first.
  void asks_for(size_t k, const std::vector<std::shared_ptr<const ItemSet>>* allowed) {
    k_ = k;
    allowed_ = allowed;
  }
  // What is to be done on the connection's thread with the users() of each block before they are
  // asked.
  void before_each(std::function<Status()> prepare) { prepare_ = std::move(prepare); }
  // Goes to the next block, and calls take(place, answerer) for each users()[place], whose question
  // `answerer` was asked: on any thread, for any number of users at once, one call a user. False:
  // there are no more users. Errors: those of reading events; kInterrupted, kNoMemory.
  Result<bool> next(Connection& connection, const std::function<void(size_t, Answerer&)>& take);

  const std::vector<std::string>& users() const { return block_.users; }
  const Responder& responder() const { return *responder_; }
  // The unseen items that answers may name, as they were when the blocks began; null: none.
  const std::shared_ptr<const UnseenTable>& unseen() const { return unseen_; }
  // How many events users()[place] has.
  size_t event_count(size_t place) const { return block_.histories[place].events.size(); }

 private:
  // What a thread keeps from block to block.
  struct Worker {
    Answerer answerer;
    std::vector<UserStates::Asked> asked;
    UserStates states;
    VectorQuestion reduced;
    BatchSearch search;
    std::vector<BatchQuestion> batch;
    std::vector<size_t> places;  // of the batch's users
  };
  // Users and what they had. Keeps its buffers from block to block.
  struct Block {
    std::vector<std::string> users;  // none: there are no more
    std::vector<UserHistory> histories;
    Status status;  // of reading it
  };
  // Reads the next users.
  Status read(Connection& connection, Block& block);
  // Answers users begin .. end - 1.
  void answer(size_t begin, size_t end, Worker& worker,
              const std::function<void(size_t, Answerer&)>& take);
  Status score(Connection& connection, const std::function<void(size_t, Answerer&)>& take);

  std::shared_ptr<Responder> responder_;
  std::string_view caller_;
  size_t size_;  // of the next block to be read
  bool begun_ = false;
  UserPlace place_;  // of the last one that was read
  std::function<Status()> prepare_;
  std::shared_ptr<const UnseenTable> unseen_;
  Block block_;
  Block ahead_;  // the next one
  bool has_ahead_ = false;
  size_t k_ = 0;
  const std::vector<std::shared_ptr<const ItemSet>>* allowed_ = nullptr;
  std::vector<Worker> workers_;
  std::optional<BatchVectors> batched_;
};

}  // namespace personalize
