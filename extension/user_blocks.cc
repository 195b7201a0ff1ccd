#include "extension/user_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "engine/math/parallel.h"
#include "extension/event_reader.h"
#include "extension/unseen_shelf.h"

namespace personalize {
namespace {

// Users that a thread takes at a time: of a batch, so many that a tile of items is used often, and
// so few that an interrupt does not wait for longer than some tens of milliseconds.
constexpr size_t kTaken = 8;
constexpr size_t kLargestBatch = 128;
constexpr size_t kBatchScores = 8'000'000;
// A block of fewer users is answered one by one: a LIMIT may want no more.
constexpr size_t kWorthBatch = 64;

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

void UserBlocks::answer(size_t begin, size_t end, Worker& worker,
                        const std::function<void(size_t, Answerer&)>& take) {
  const LoadedModel& model = *responder_->model;
  const bool alone = !bounds_;
  worker.places.clear();
  for (size_t i = begin; i < end; i++) {
    const UserHistory& history = histories_[i];
    const UserMemo memo{responder_->states.get(),
                        StateKey::make(model.record.model_id, users_[i], responder_->state_secret)};
    std::span<const float> state;
    if (!history.events.empty()) state = worker.state.after(*model.model, history.events, memo);
    if (alone || history.events.empty()) {
      worker.answerer.ask_for_user(model, history.question(state), unseen_.get());
      take(i, worker.answerer);
      continue;
    }
    model.model->reduce(history.question(state), worker.reduced);
    if (worker.batch.size() == worker.places.size()) worker.batch.emplace_back();
    BatchQuestion& question = worker.batch[worker.places.size()];
    worker.reduced.keep(question.question);
    const bool some = allowed_ != nullptr && !allowed_->empty() && (*allowed_)[i] != nullptr;
    question.allowed = some ? (*allowed_)[i]->words() : nullptr;
    worker.places.push_back(i);
  }
  if (worker.places.empty()) return;
  const std::span<BatchQuestion> batch = std::span(worker.batch).first(worker.places.size());
  worker.search.run(*model.model->vectors(), *bounds_, k_, batch);
  for (size_t i = 0; i < batch.size(); i++) {
    worker.answerer.take_answer(model, batch[i], k_);
    take(worker.places[i], worker.answerer);
  }
}

Status UserBlocks::score(Connection& connection,
                         const std::function<void(size_t, Answerer&)>& take) {
  const int threads = thread_count(0);
  workers_.resize(static_cast<size_t>(threads));
  const ItemVectors* vectors = responder_->model->model->vectors();
  const bool has_unseen = unseen_ != nullptr && unseen_->size() > 0;
  if (vectors != nullptr && !has_unseen && !bounds_ && users_.size() >= kWorthBatch)
    bounds_ = VectorBounds::of(*vectors);
  const size_t taken =
      bounds_ ? std::clamp(kBatchScores / vectors->items, kTaken, kLargestBatch) : kTaken;
  std::atomic<bool> no_memory = false;
  const auto stop = [&] { return no_memory || connection.interrupted(); };
  const auto answer_some = [&](size_t begin, size_t end, size_t number) {
    try {
      answer(begin, end, workers_[number], take);
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  };
  const bool done = parallel_blocks(users_.size(), taken, threads, stop, answer_some);
  if (no_memory) return {StatusCode::kNoMemory, fmt::format("{}: no memory", caller_)};
  if (!done) return {StatusCode::kInterrupted, fmt::format("{}: interrupted", caller_)};
  return Status::ok();
}

}  // namespace personalize
