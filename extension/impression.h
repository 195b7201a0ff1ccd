// IMPRESSION of an interaction: the items its user was shown.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace personalize {

// The ids in an impression, each once: "a|b|c" as in Amazon's CSV files, without the spaces around
// them, or a JSON array of texts and whole numbers. What can be no id (empty, more than 2,048
// bytes) is left out.
std::vector<std::string> items_of_impression(std::string_view impression);

// The same ids as an impression.
std::string impression_of(std::span<const std::string> items);

}  // namespace personalize
