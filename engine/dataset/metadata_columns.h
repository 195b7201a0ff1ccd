// What a MetadataEncoder holds; for its own files only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata_encoder.h"
#include "engine/dataset/number_buckets.h"
#include "engine/dataset/words.h"

namespace personalize {

struct MetadataEncoder::Columns {
  std::vector<MetadataField> fields;
  // fields + 1: field f has columns first[f] .. first[f+1] - 1.
  std::vector<uint32_t> first = {0};
  std::string text;                    // of all columns, one after the other
  std::vector<uint64_t> offset = {0};  // columns + 1, in text
  std::vector<NumberBucket> bucket;    // one a column; of numbers only

  size_t size() const { return bucket.size(); }
  // The texts of a field's columns stand in ascending order, each once; those of numbers are empty.
  std::string_view text_of(size_t column) const {
    return std::string_view(text).substr(offset[column], offset[column + 1] - offset[column]);
  }
  void add(std::string_view text_of_column, NumberBucket numbers) {
    text.append(text_of_column);
    offset.push_back(text.size());
    bucket.push_back(numbers);
  }
};

// Calls text(part) for each text under which a value of a field that is no number has its columns;
// the same text may come more than once. A value of another type than the field's has none.
template <typename Text>
void for_each_text(FieldKind kind, const FieldValue& value, const Text& text) {
  using Type = FieldValue::Type;
  if (kind == FieldKind::kBoolean && value.type == Type::kNumber) {
    text(std::string_view(value.number != 0 ? "true" : "false"));
  } else if (kind == FieldKind::kCategorical && value.type == Type::kText) {
    for_each_category(value.text, text);
  } else if (kind == FieldKind::kText && value.type == Type::kText) {
    std::string word;
    for (size_t place = 0, letters = 0; next_word(value.text, place, word, letters);)
      if (letters >= 2) text(std::string_view(word));
  }
}

}  // namespace personalize
