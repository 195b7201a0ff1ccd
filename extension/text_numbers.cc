#include "extension/text_numbers.h"

#include <fmt/format.h>

namespace personalize {

int32_t TextNumbers::number(std::string_view text) {
  if (const auto found = numbers_.find(text); found != numbers_.end()) return found->second;
  const auto number = static_cast<int32_t>(texts_.size());
  numbers_.emplace(texts_.emplace_back(text), number);
  return number;
}

Result<std::string_view> TextNumbers::text(int32_t number) const {
  if (number < 0 || static_cast<size_t>(number) >= texts_.size())
    return Status(StatusCode::kInternal, fmt::format("no text has the number {}", number));
  return std::string_view(texts_[static_cast<size_t>(number)]);
}

}  // namespace personalize
