#include "extension/question_shelf.h"

namespace personalize {
namespace {

// Of all questions of a connection: those of some hundred users.
constexpr size_t kMostBytes = 8 << 20;

size_t bytes_of(std::string_view user, const QuestionShelf::Kept& kept) {
  constexpr size_t kOverhead = 128;  // of the map and the blocks of memory
  return kOverhead + sizeof kept + user.size() + kept.question.asked.y.size() * sizeof(float) +
         kept.question.asked.terms.size() * sizeof(ScoreTerm) +
         (kept.history ? kept.history->bytes() : 0);
}

}  // namespace

KeptHistory::KeptHistory(UserPosition position, std::span<const ModelEvent> events,
                         std::span<const float> state, size_t remembered)
    : position(position), state(state.begin(), state.end()), remembered(remembered) {
  events_.reserve(events.size());
  for (const ModelEvent& event : events)
    events_.push_back({event.timestamp, event.item, event.value});
}

void KeptHistory::give(UserHistory& history) const {
  history.events.clear();
  history.asked.clear();
  history.unseen.reset();
  for (const Plain& event : events_)
    history.events.push_back({event.timestamp, event.item, event.value});
}

size_t KeptHistory::bytes() const {
  return events_.size() * sizeof(Plain) + state.size() * sizeof(float);
}

bool QuestionShelf::may_keep(const Responder& responder) {
  return responder.keeps_questions && !responder.reads_business_table;
}

void QuestionShelf::confirm(const UserPosition& position) {
  found_->stamp = stamp_;
  found_->kept.history->position = position;
}

void QuestionShelf::clear() {
  kept_.clear();
  found_ = nullptr;
  bytes_ = 0;
}

void QuestionShelf::drop_old_models() {
  for (auto of_model = kept_.begin(); of_model != kept_.end();) {
    if (of_model->second.model.use_count() > 1) {
      ++of_model;
      continue;
    }
    for (const auto& [user, entry] : of_model->second.users) bytes_ -= bytes_of(user, entry.kept);
    of_model = kept_.erase(of_model);
  }
}

QuestionShelf::Found QuestionShelf::find(Connection& connection, const Responder& responder,
                                         std::string_view user) {
  const Stamp now{connection.part<Responders>().stamp_number(),
                  sqlite3_total_changes64(connection.db()), connection.rollbacks()};
  found_ = nullptr;
  const auto of_model = kept_.find(key_of(responder));
  if (now != stamp_ || of_model == kept_.end()) drop_old_models();
  stamp_ = now;
  if (of_model == kept_.end()) return {};
  const auto user_found = of_model->second.users.find(user);
  if (user_found == of_model->second.users.end()) return {};
  // Events that were taken back may have been among his.
  if (user_found->second.stamp.rollbacks != now.rollbacks) return {};
  found_ = &user_found->second;
  return {&found_->kept, found_->stamp == now};
}

void QuestionShelf::keep(const Responder& responder, std::string_view user, Kept kept) {
  found_ = nullptr;
  if (bytes_ > kMostBytes) clear();
  OfModel& of_model = kept_[key_of(responder)];
  of_model.model = responder.model;
  const size_t bytes = bytes_of(user, kept);
  const auto [place, is_new] = of_model.users.try_emplace(std::string(user));
  if (!is_new) bytes_ -= bytes_of(user, place->second.kept);
  bytes_ += bytes;
  place->second = {std::move(kept), stamp_};
}

}  // namespace personalize
