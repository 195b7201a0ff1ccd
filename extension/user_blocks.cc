#include "extension/user_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "engine/math/parallel.h"
#include "extension/event_reader.h"
#include "extension/unseen_shelf.h"
#include "extension/user_question.h"

namespace personalize {
namespace {

// Users that a thread takes at a time where each is answered alone: so few that an interrupt does
// not wait for longer than some tens of milliseconds.
constexpr size_t kTaken = 8;
// A block of fewer users is answered one by one, and none is read ahead of what it takes: a LIMIT
// may want no more.
constexpr size_t kWorthBatch = 64;

}  // namespace

Status UserBlocks::begin(Connection& connection) {
  PERSONALIZE_ASSIGN_OR_RETURN(unseen_,
                               connection.part<UnseenShelf>().get(connection, *responder_));
  return Status::ok();
}

Result<bool> UserBlocks::next(Connection& connection,
                              const std::function<void(size_t, Answerer&)>& take) {
  if (begun_ && users().empty()) return false;  // there were no more
  if (has_ahead_) {
    std::swap(block_, ahead_);
  } else {
    block_.status = read(connection, block_);
  }
  begun_ = true;
  has_ahead_ = false;
  PERSONALIZE_RETURN_IF_ERROR(block_.status);
  if (users().empty()) return false;
  if (prepare_) PERSONALIZE_RETURN_IF_ERROR(prepare_());
  PERSONALIZE_RETURN_IF_ERROR(score(connection, take));
  return true;
}

Status UserBlocks::read(Connection& connection, Block& block) {
  PERSONALIZE_RETURN_IF_ERROR(connection.part<Responders>().open_history(connection, *responder_));
  PERSONALIZE_RETURN_IF_ERROR(list_users(connection, responder_->schema,
                                         responder_->model->record.dataset_group, size_, place_,
                                         block.users));
  size_ = std::min(size_ * 2, kLargestBlock);
  block.histories.resize(std::max(block.histories.size(), block.users.size()));
  for (size_t i = 0; i < block.users.size(); i++)
    PERSONALIZE_RETURN_IF_ERROR(
        responder_->history->read(block.users[i], unseen_, {}, block.histories[i]));
  return Status::ok();
}

void UserBlocks::answer(size_t begin, size_t end, Worker& worker,
                        const std::function<void(size_t, Answerer&)>& take) {
  const LoadedModel& model = *responder_->model;
  const bool alone = !batched_;
  worker.asked.clear();
  for (size_t i = begin; i < end; i++)
    if (const auto& events = block_.histories[i].events; !events.empty())
      worker.asked.push_back(
          {events,
           {responder_->states.get(),
            StateKey::make(model.record.model_id, users()[i], responder_->state_secret)}});
  worker.states.after(*model.model, worker.asked);
  worker.places.clear();
  size_t known = 0;  // users with events, so far
  for (size_t i = begin; i < end; i++) {
    const UserHistory& history = block_.histories[i];
    std::span<const float> state;
    if (!history.events.empty()) state = worker.states.state(known++);
    if (alone || history.events.empty()) {
      worker.answerer.ask_for_user(model, history.question(state), unseen_.get());
      take(i, worker.answerer);
      continue;
    }
    model.model->reduce(history.question(state), worker.reduced);
    if (worker.batch.size() == worker.places.size()) worker.batch.emplace_back();
    BatchQuestion& question = worker.batch[worker.places.size()];
    worker.reduced.give(question.question);
    const bool some = allowed_ != nullptr && !allowed_->empty() && (*allowed_)[i] != nullptr;
    question.allowed = some ? (*allowed_)[i]->words() : nullptr;
    worker.places.push_back(i);
  }
  if (worker.places.empty()) return;
  const std::span<BatchQuestion> batch = std::span(worker.batch).first(worker.places.size());
  worker.search.run(*model.model->vectors(), *batched_, k_, batch);
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
  const size_t count = users().size();
  if (vectors != nullptr && !has_unseen && !batched_ && count >= kWorthBatch)
    batched_ = BatchVectors::of(*vectors);
  const size_t taken = batched_ ? batched_->questions : kTaken;
  std::atomic<bool> no_memory = false;
  bool interrupted = false;  // while the next block was read
  const auto stop = [&] { return no_memory || interrupted || connection.interrupted(); };
  const auto guarded = [&](const auto& act) {
    try {
      act();
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  };
  const auto answer_some = [&](size_t begin, size_t end, size_t number) {
    guarded([&] { answer(begin, end, workers_[number], take); });
  };
  const auto read_ahead = [&] {
    guarded([&] {
      ahead_.status = read(connection, ahead_);
      interrupted = ahead_.status.code() == StatusCode::kInterrupted;
      has_ahead_ = true;
    });
  };
  const bool done =
      parallel_blocks(count, taken, threads, stop, answer_some,
                      count < kWorthBatch ? std::function<void()>() : std::function(read_ahead));
  if (no_memory) return {StatusCode::kNoMemory, fmt::format("{}: no memory", caller_)};
  if (!done) return {StatusCode::kInterrupted, fmt::format("{}: interrupted", caller_)};
  return Status::ok();
}

}  // namespace personalize
