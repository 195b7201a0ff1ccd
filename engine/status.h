// Errors as values. Everything in the engine that can fail returns a Status or a Result<T>; nothing
// in the engine throws. The extension turns a Status into an SQLite error code and message.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace personalize {

// What kind of failure it is; decides the SQLite result code and, where Amazon Personalize has a
// name for it, the exception name that leads the message.
enum class StatusCode {
  kOk,
  kInvalidInput,   // InvalidInputException: an argument, a row or a file is wrong
  kNotFound,       // ResourceNotFoundException: no such solution, campaign, version, ...
  kAlreadyExists,  // ResourceAlreadyExistsException
  kInUse,          // ResourceInUseException: e.g. a version that a campaign serves
  kLimitExceeded,  // LimitExceededException
  kThrottling,     // ThrottlingException: over a campaign's capacity
  kMismatch,       // a value of the wrong type for its column
  kConstraint,     // a duplicate or missing key
  kInterrupted,    // the user asked to stop
  kBusy,           // somebody else holds what is needed; may succeed later
  kReadOnly,
  kFull,  // disk full
  kIo,
  kCorrupt,  // a stored file or value is damaged
  kNoMemory,
  kInternal,
};

// A failure with a sentence for the user, or OK. The sentence says what was wrong, with what value,
// and what would be right. Cheap to return when OK.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status ok() { return {}; }
  bool is_ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

// Either a value or the Status that says why there is none. value() may be called only if is_ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool is_ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace personalize

// Returns the Status of `expression` from the calling function if it is not OK.
#define PERSONALIZE_RETURN_IF_ERROR(expression)                                                   \
  do {                                                                                            \
    if (::personalize::Status status_of_expression = (expression); !status_of_expression.is_ok()) \
      return status_of_expression;                                                                \
  } while (false)

#define PERSONALIZE_CONCAT_INNER(a, b) a##b
#define PERSONALIZE_CONCAT(a, b) PERSONALIZE_CONCAT_INNER(a, b)

// `PERSONALIZE_ASSIGN_OR_RETURN(auto x, f());` declares x from the value of f()'s Result, or
// returns its Status.
#define PERSONALIZE_ASSIGN_OR_RETURN(declaration, expression) \
  PERSONALIZE_ASSIGN_OR_RETURN_INNER(PERSONALIZE_CONCAT(result_, __LINE__), declaration, expression)
#define PERSONALIZE_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                               \
  if (!result.is_ok()) return result.status();                              \
  declaration = std::move(result).value()
