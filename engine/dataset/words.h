// Cuts texts of metadata into what becomes a column.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace personalize {

// The values of a categorical text "a|b|c": calls value(piece) for each piece, without the spaces
// around it; empty pieces are left out. The views are into `text`.
template <typename Value>
void for_each_category(std::string_view text, const Value& value) {
  constexpr std::string_view kSpaces = " \t\r\n";
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    std::string_view piece = text.substr(begin, end - begin);
    piece.remove_prefix(std::min(piece.find_first_not_of(kSpaces), piece.size()));
    piece = piece.substr(0, piece.find_last_not_of(kSpaces) + 1);
    if (!piece.empty()) value(piece);
    begin = end + 1;
  }
}

// Takes the next word of a text: skips what is neither letter nor digit from `place` on, replaces
// `word` by the letters and digits that follow, in lower case, and moves `place` behind them. False
// if there is none left. UTF-8: lower case is known of Latin (but its extensions), Greek and
// Cyrillic letters; whatever is not known as space or punctuation counts as a letter, as do bytes
// that are no UTF-8. `letters` is their number.
bool next_word(std::string_view text, size_t& place, std::string& word, size_t& letters);

}  // namespace personalize
