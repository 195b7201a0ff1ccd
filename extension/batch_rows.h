// The rows of batch_recommend: every user of a dataset group, a block of them at a time. The events
// of a block are read on the connection's thread; then it is scored on all cores by threads that
// have ended before the next row is given.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/serving/answer.h"
#include "engine/serving/user_state.h"
#include "engine/status.h"
#include "extension/responder.h"

namespace personalize {

class BatchRows {
 public:
  BatchRows(std::shared_ptr<Responder> responder, size_t k)
      : responder_(std::move(responder)), k_(k) {}

  // Goes to the first or the next row; false: there is none. Errors: those of reading events;
  // kInterrupted.
  Result<bool> next(Connection& connection);

  // The current row.
  const std::string& user_id() const { return users_[user_]; }
  size_t rank() const { return row_ + 1; }
  std::string_view item_id() const {
    return responder_->model->vocabulary.id(answers_[user_][row_].item);
  }
  double score() const { return answers_[user_][row_].score; }

 private:
  Status read_block(Connection& connection);
  Status score_block(Connection& connection);

  std::shared_ptr<Responder> responder_;
  size_t k_;
  size_t block_ = 16;  // grows: LIMIT may end it soon
  bool begun_ = false;
  std::vector<std::string> users_;
  std::vector<std::vector<ModelEvent>> histories_;
  std::vector<std::vector<Answer>> answers_;  // one a user
  size_t user_ = 0, row_ = 0;
};

}  // namespace personalize
