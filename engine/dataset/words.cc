#include "engine/dataset/words.h"

#include <cstdint>

namespace personalize {
namespace {

struct Letter {
  uint32_t code = 0;
  size_t bytes = 1;
  bool whole = true;  // false: a byte that is no UTF-8
};

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

Letter letter_at(std::string_view text, size_t place) {
  const auto lead = static_cast<unsigned char>(text[place]);
  if (lead < 0x80) return {lead, 1, true};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || place + bytes > text.size()) return {lead, 1, false};
  uint32_t code = lead & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if (!continues(text[place + i])) return {lead, 1, false};
    code = code << 6 | (static_cast<unsigned char>(text[place + i]) & 0x3Fu);
  }
  return {code, bytes, true};
}

bool separates(uint32_t code) {
  if (code < 0x80)
    return !((code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
             (code >= 'A' && code <= 'Z'));
  return (code <= 0xBF && code != 0xAA && code != 0xB5 && code != 0xBA) || code == 0xD7 ||
         code == 0xF7 || (code >= 0x2000 && code <= 0x206F) || (code >= 0x2190 && code <= 0x27BF) ||
         (code >= 0x3000 && code <= 0x3004) || (code >= 0x3008 && code <= 0x3020) ||
         (code >= 0xFF00 && code <= 0xFF0F) || code == 0xFEFF;
}

uint32_t lower(uint32_t code) {
  if ((code >= 'A' && code <= 'Z') || (code >= 0xC0 && code <= 0xDE) ||
      (code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F))
    return code + 32;
  if (code >= 0x400 && code <= 0x40F) return code + 80;
  return code;
}

}  // namespace

bool next_word(std::string_view text, size_t& place, std::string& word, size_t& letters) {
  word.clear();
  letters = 0;
  while (place < text.size()) {
    const Letter letter = letter_at(text, place);
    if (letter.whole && separates(letter.code)) {
      if (letters > 0) return true;
    } else {
      ++letters;
      const uint32_t code = letter.whole ? lower(letter.code) : letter.code;
      if (!letter.whole || code == letter.code) {
        word.append(text.substr(place, letter.bytes));
      } else if (code < 0x80) {
        word.push_back(static_cast<char>(code));
      } else {  // the letters that have a lower case here take two bytes in both
        word.push_back(static_cast<char>(0xC0 | code >> 6));
        word.push_back(static_cast<char>(0x80 | (code & 0x3F)));
      }
    }
    place += letter.bytes;
  }
  return letters > 0;
}

}  // namespace personalize
