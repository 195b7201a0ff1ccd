// One question while it is answered: takes a slot of the campaign it is a request of, and counts
// itself and the time it took when it goes.
#pragma once

#include <memory>
#include <string_view>

#include "engine/serving/usage.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/responder.h"

namespace personalize {

class Request {
 public:
  // The time counts from here.
  explicit Request(QuestionKind kind);
  // Counts it as served if it was admitted, whether an answer came of it or not.
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Takes a slot of the responder's campaign; nothing to take without one. With on_throttle =
  // 'wait' it waits its turn. `caller` leads messages. Errors: kThrottling saying when the next
  // slot is, kInterrupted.
  Status admit(Connection& connection, std::shared_ptr<const Responder> responder,
               std::string_view caller);
  // For what is no campaign's request, whoever answers: admitted at once.
  void pass(std::shared_ptr<const Responder> responder);

 private:
  Status take_slot(Connection& connection, const Responder& responder,
                   std::string_view caller) const;

  const QuestionKind kind_;
  const int64_t start_;
  uint64_t campaign_ = 0;
  std::shared_ptr<const Responder> responder_;  // null: not admitted
};

}  // namespace personalize
