#include "extension/user_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "engine/math/parallel.h"
#include "engine/serving/user_state.h"
#include "extension/event_reader.h"
#include "extension/unseen_shelf.h"

namespace personalize {
namespace {

// Users that a thread takes at a time.
constexpr size_t kTaken = 8;

}  // namespace

Status UserBlocks::begin(Connection& connection) {
  PERSONALIZE_ASSIGN_OR_RETURN(unseen_,
                               connection.part<UnseenShelf>().get(connection, *responder_));
  return Status::ok();
}

Result<bool> UserBlocks::next(Connection& connection,
                              const std::function<void(size_t, Answerer&)>& take) {
  PERSONALIZE_RETURN_IF_ERROR(read(connection));
  if (users_.empty()) return false;
  if (prepare_) PERSONALIZE_RETURN_IF_ERROR(prepare_());
  PERSONALIZE_RETURN_IF_ERROR(score(connection, take));
  return true;
}

Status UserBlocks::read(Connection& connection) {
  if (begun_ && users_.empty()) return Status::ok();  // there were no more
  const std::string after = begun_ ? users_.back() : "";
  begun_ = true;
  PERSONALIZE_RETURN_IF_ERROR(connection.part<Responders>().open_history(connection, *responder_));
  PERSONALIZE_RETURN_IF_ERROR(list_users(connection, responder_->schema,
                                         responder_->model->record.dataset_group, after, block_,
                                         users_));
  block_ = std::min(block_ * 2, kLargestBlock);
  histories_.resize(std::max(histories_.size(), users_.size()));
  for (size_t i = 0; i < users_.size(); i++)
    PERSONALIZE_RETURN_IF_ERROR(responder_->history->read(users_[i], unseen_, {}, histories_[i]));
  return Status::ok();
}

Status UserBlocks::score(Connection& connection,
                         const std::function<void(size_t, Answerer&)>& take) {
  const LoadedModel& model = *responder_->model;
  const int threads = thread_count(0);
  struct Worker {
    Answerer answerer;
    UserState state;
  };
  std::vector<Worker> workers(static_cast<size_t>(threads));
  std::atomic<bool> no_memory = false;
  const auto answer = [&](size_t begin, size_t end, size_t number) {
    try {
      Worker& worker = workers[number];
      for (size_t i = begin; i < end; i++) {
        const UserHistory& history = histories_[i];
        const UserMemo memo{
            responder_->states.get(),
            StateKey::make(model.record.model_id, users_[i], responder_->state_secret)};
        std::span<const float> state;
        if (!history.events.empty()) state = worker.state.after(*model.model, history.events, memo);
        worker.answerer.ask_for_user(model, history.question(state), unseen_.get());
        take(i, worker.answerer);
      }
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  };
  const auto stop = [&] { return no_memory || connection.interrupted(); };
  const bool done = parallel_blocks(users_.size(), kTaken, threads, stop, answer);
  if (no_memory) return {StatusCode::kNoMemory, fmt::format("{}: no memory", caller_)};
  if (!done) return {StatusCode::kInterrupted, fmt::format("{}: interrupted", caller_)};
  return Status::ok();
}

}  // namespace personalize
