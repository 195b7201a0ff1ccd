#include "extension/question_shelf.h"

namespace personalize {
namespace {

// Of all questions of a connection: those of some hundred users.
constexpr size_t kMostBytes = 8 << 20;

size_t bytes_of(std::string_view user, const QuestionShelf::Kept& kept) {
  constexpr size_t kOverhead = 128;  // of the map and the blocks of memory
  return kOverhead + sizeof kept + user.size() + kept.question.y.size() * sizeof(float) +
         kept.question.terms.size() * sizeof(ScoreTerm);
}

}  // namespace

bool QuestionShelf::may_keep(const Connection& connection, const Responder& responder) {
  return responder.keeps_questions && !responder.reads_business_table &&
         sqlite3_txn_state(connection.db(), responder.schema.c_str()) != SQLITE_TXN_WRITE;
}

const QuestionShelf::Kept* QuestionShelf::find(Connection& connection, const Responder& responder,
                                               std::string_view user) {
  const Stamp now{connection.part<Responders>().stamp_number(),
                  sqlite3_total_changes64(connection.db()), connection.rollbacks()};
  if (now != stamp_) {
    kept_.clear();
    bytes_ = 0;
    stamp_ = now;
  }
  const auto of_model = kept_.find(responder.model.get());
  if (of_model == kept_.end()) return nullptr;
  const auto kept = of_model->second.users.find(user);
  return kept == of_model->second.users.end() ? nullptr : &kept->second;
}

void QuestionShelf::keep(const Responder& responder, std::string_view user, Kept kept) {
  if (bytes_ > kMostBytes) {
    kept_.clear();
    bytes_ = 0;
  }
  OfModel& of_model = kept_[responder.model.get()];
  of_model.model = responder.model;
  bytes_ += bytes_of(user, kept);
  of_model.users.insert_or_assign(std::string(user), std::move(kept));
}

}  // namespace personalize
