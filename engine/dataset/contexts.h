// The contexts in which interactions happened (device, place, ...): the values of their contextual
// columns, each distinct row stored once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/vocabulary.h"

namespace personalize {

class Contexts {
 public:
  Contexts() = default;  // without fields: there are no contexts
  explicit Contexts(std::span<const MetadataField> fields)
      : fields_(fields.begin(), fields.end()), texts_(fields.size()) {}

  std::span<const MetadataField> fields() const { return fields_; }
  // Distinct rows.
  size_t size() const { return times_.size(); }
  // The number of a row, a new one if it was not there before. `values`: one a field.
  uint32_t add(std::span<const FieldValue> values);
  // How often a row was added.
  uint64_t times(size_t row) const { return times_[row]; }
  // Replaces `values` by those of a row; texts are views until the next add().
  void row(size_t row, std::vector<FieldValue>& values) const;

 private:
  std::span<const double> stored(size_t row) const {
    return std::span(values_).subspan(row * fields_.size(), fields_.size());
  }
  size_t find_slot(std::span<const double> stored_row) const;
  void grow();

  std::vector<MetadataField> fields_;
  // Rows x fields: the number, or a text's in texts_, or NaN: missing.
  std::vector<double> values_;
  std::vector<VocabularyBuilder> texts_;  // one a field
  std::vector<uint64_t> times_;           // one a row
  std::vector<uint32_t> slot_;            // open addressing, row + 1; 0: free; a power of two
  std::vector<double> new_row_;
};

}  // namespace personalize
