// Texts numbered in order of first sight.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/status.h"
#include "extension/id_dictionary.h"

namespace personalize {

// Numbers count from 0 and never change their text; views of texts live as long as it does.
class TextNumbers {
 public:
  int32_t number(std::string_view text);
  // Errors: kInternal if no text has the number.
  Result<std::string_view> text(int32_t number) const;

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, int32_t, TextHash, std::equal_to<>> numbers_;
};

}  // namespace personalize
