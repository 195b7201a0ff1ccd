#include "extension/batch_rows.h"

namespace personalize {

Result<bool> BatchRows::next(Connection& connection) {
  if (!begun_) {
    PERSONALIZE_RETURN_IF_ERROR(blocks_.begin(connection));
    PERSONALIZE_RETURN_IF_ERROR(
        exploration_.prepare(connection, blocks_.responder(), blocks_.unseen()));
    begun_ = true;
  } else {
    row_++;
  }
  for (;;) {
    for (; user_ < blocks_.users().size(); user_++, row_ = 0)
      if (row_ < answers_[user_].size()) return true;
    PERSONALIZE_ASSIGN_OR_RETURN(
        const bool more, blocks_.next(connection, [this](size_t user, Answerer& answerer) {
          answerer.best(k_, nullptr, answers_[user]);
          exploration_.explore(blocks_.users()[user], blocks_.event_count(user), nullptr, answerer,
                               answers_[user]);
        }));
    if (!more) return false;
    user_ = row_ = 0;
  }
}

}  // namespace personalize
