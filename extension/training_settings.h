// What a training and its estimate share on the side of SQL: the memory it may take, and whether it
// was interrupted.
#pragma once

#include <chrono>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

// The setting max_training_memory of `schema`, in bytes; half of the machine's memory where it is
// not set, 0 (no limit) where that is not known either.
Result<uint64_t> max_training_memory(Connection& connection, std::string_view schema);

// Asks the connection whether it was interrupted, at most every 10 ms: that costs a statement.
class InterruptProbe {
 public:
  explicit InterruptProbe(Connection& connection) : connection_(connection) {}
  bool interrupted();

 private:
  Connection& connection_;
  std::chrono::steady_clock::time_point next_;
  bool interrupted_ = false;
};

}  // namespace personalize
