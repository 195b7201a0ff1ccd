// Asks a responder about a user: from what the connection kept of an earlier question where only
// new events have come since, from his events and his remembered state otherwise.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "engine/serving/answer.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/question_context.h"
#include "extension/responder.h"

namespace personalize {

// A question about a user.
struct UserQuestion {
  std::string_view user;
  std::string_view context;  // a JSON object; "": none
  std::string_view caller;   // leads messages
};

// The values of a question's context. Errors: kInvalidInput, also where the recipe reads none. The
// responder's history is open.
Result<QuestionContext> context_of(const Responder& responder, const UserQuestion& question);

// Scores all items for a user, in `answerer`, from the events that the caller's transaction sees.
// `unseen`: UnseenShelf::get() of this question. Gives the number of events.
Result<size_t> ask_for_user(Connection& connection, Responder& responder,
                            const UserQuestion& question,
                            const std::shared_ptr<const UnseenTable>& unseen, Answerer& answerer);

}  // namespace personalize
