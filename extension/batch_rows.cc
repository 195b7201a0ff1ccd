#include "extension/batch_rows.h"

#include "extension/question_filter.h"

namespace personalize {

Status BatchRows::begin(Connection& connection) {
  PERSONALIZE_RETURN_IF_ERROR(blocks_.begin(connection));
  PERSONALIZE_RETURN_IF_ERROR(
      exploration_.prepare(connection, blocks_.responder(), blocks_.unseen().get()));
  blocks_.asks_for(k_, &allowed_);
  if (!filter_.empty()) blocks_.before_each([&] { return filter_block(connection); });
  begun_ = true;
  return Status::ok();
}

Status BatchRows::filter_block(Connection& connection) {
  auto& filters = connection.part<QuestionFilters>();
  allowed_.clear();
  for (const std::string& user : blocks_.users()) {
    PERSONALIZE_ASSIGN_OR_RETURN(std::shared_ptr<const ItemSet> set,
                                 filters.allowed(connection, blocks_.responder(), blocks_.unseen(),
                                                 {filter_, filter_values_, user, "", kName}));
    allowed_.push_back(std::move(set));
  }
  return Status::ok();
}

Result<bool> BatchRows::next(Connection& connection) {
  if (!begun_) {
    PERSONALIZE_RETURN_IF_ERROR(begin(connection));
  } else {
    row_++;
  }
  for (;;) {
    for (; user_ < blocks_.users().size(); user_++, row_ = 0)
      if (row_ < answers_[user_].size()) return true;
    PERSONALIZE_ASSIGN_OR_RETURN(
        const bool more, blocks_.next(connection, [this](size_t user, Answerer& answerer) {
          const ItemSet* allowed = allowed_.empty() ? nullptr : allowed_[user].get();
          answerer.best(k_, allowed, answers_[user]);
          exploration_.explore(blocks_.users()[user], blocks_.event_count(user), allowed, answerer,
                               answers_[user]);
        }));
    if (!more) return false;
    user_ = row_ = 0;
  }
}

}  // namespace personalize
