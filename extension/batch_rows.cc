#include "extension/batch_rows.h"

#include <algorithm>
#include <atomic>

#include "engine/math/parallel.h"
#include "extension/event_reader.h"

namespace personalize {
namespace {

constexpr size_t kLargestBlock = 512;
// Users that a thread takes at a time.
constexpr size_t kTaken = 8;

}  // namespace

Result<bool> BatchRows::next(Connection& connection) {
  if (begun_ && user_ < users_.size()) {
    row_++;
    while (user_ < users_.size() && row_ >= answers_[user_].size()) {
      user_++;
      row_ = 0;
    }
  }
  while (!begun_ || user_ >= users_.size()) {
    PERSONALIZE_RETURN_IF_ERROR(read_block(connection));
    if (users_.empty()) return false;
    PERSONALIZE_RETURN_IF_ERROR(score_block(connection));
    user_ = row_ = 0;
    while (user_ < users_.size() && answers_[user_].empty()) user_++;
  }
  return true;
}

Status BatchRows::read_block(Connection& connection) {
  const std::string after = begun_ ? users_.back() : "";
  begun_ = true;
  PERSONALIZE_RETURN_IF_ERROR(connection.part<Responders>().open_history(connection, *responder_));
  PERSONALIZE_RETURN_IF_ERROR(list_users(connection, responder_->schema,
                                         responder_->model->record.dataset_group, after, block_,
                                         users_));
  block_ = std::min(block_ * 2, kLargestBlock);
  histories_.resize(std::max(histories_.size(), users_.size()));
  for (size_t i = 0; i < users_.size(); i++)
    PERSONALIZE_RETURN_IF_ERROR(responder_->history->read(users_[i], histories_[i]));
  return Status::ok();
}

Status BatchRows::score_block(Connection& connection) {
  const LoadedModel& model = *responder_->model;
  const int threads = thread_count(0);
  struct Worker {
    Answerer answerer;
    UserState state;
  };
  std::vector<Worker> workers(static_cast<size_t>(threads));
  answers_.resize(std::max(answers_.size(), users_.size()));
  std::atomic<bool> no_memory = false;
  const auto score = [&](size_t begin, size_t end, size_t number) {
    try {
      Worker& worker = workers[number];
      for (size_t i = begin; i < end; i++) {
        const std::vector<ModelEvent>& history = histories_[i];
        const UserMemo memo{
            responder_->states.get(),
            StateKey::make(model.record.model_id, users_[i], responder_->state_secret)};
        Question question{history, {}};
        if (!history.empty()) question.state = worker.state.after(*model.model, history, memo);
        worker.answerer.ask_for_user(model, question);
        worker.answerer.best(k_, nullptr, answers_[i]);
      }
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  };
  const auto stop = [&] { return no_memory || connection.interrupted(); };
  if (!parallel_blocks(users_.size(), kTaken, threads, stop, score))
    return {no_memory ? StatusCode::kNoMemory : StatusCode::kInterrupted,
            no_memory ? "batch_recommend: no memory" : "batch_recommend: interrupted"};
  if (no_memory) return {StatusCode::kNoMemory, "batch_recommend: no memory"};
  return Status::ok();
}

}  // namespace personalize
