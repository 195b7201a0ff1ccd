#include "engine/dataset/contexts.h"

#include <cmath>
#include <cstring>
#include <limits>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

bool is_text(FieldKind kind) { return kind == FieldKind::kCategorical || kind == FieldKind::kText; }

}  // namespace

// The slot where a row is, or the free one where it would go. Rows are compared by their bytes:
// every missing value is the same NaN.
size_t Contexts::find_slot(std::span<const double> stored_row) const {
  const size_t mask = slot_.size() - 1;
  size_t place = XXH3_64bits(stored_row.data(), stored_row.size_bytes()) & mask;
  while (slot_[place] != 0 && std::memcmp(stored(slot_[place] - 1).data(), stored_row.data(),
                                          stored_row.size_bytes()) != 0)
    place = (place + 1) & mask;
  return place;
}

void Contexts::grow() {
  slot_.assign(slot_.empty() ? 16 : slot_.size() * 2, 0);
  for (size_t row = 0; row < size(); ++row)
    slot_[find_slot(stored(row))] = static_cast<uint32_t>(row + 1);
}

uint32_t Contexts::add(std::span<const FieldValue> values) {
  new_row_.assign(fields_.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t f = 0; f < fields_.size() && f < values.size(); ++f) {
    const FieldValue& value = values[f];
    if (value.type == FieldValue::Type::kMissing) continue;
    if (is_text(fields_[f].kind) != (value.type == FieldValue::Type::kText)) continue;
    new_row_[f] = value.type == FieldValue::Type::kText
                      ? static_cast<double>(texts_[f].add(value.text))
                      : value.number + 0.0;  // -0 is 0
  }
  if ((size() + 1) * 2 > slot_.size()) grow();
  uint32_t& slot = slot_[find_slot(new_row_)];
  if (slot == 0) {
    values_.insert(values_.end(), new_row_.begin(), new_row_.end());
    times_.push_back(0);
    slot = static_cast<uint32_t>(size());
  }
  ++times_[slot - 1];
  return slot - 1;
}

void Contexts::row(size_t row, std::vector<FieldValue>& values) const {
  values.clear();
  for (size_t f = 0; f < fields_.size(); ++f) {
    const double value = stored(row)[f];
    if (std::isnan(value))
      values.push_back(FieldValue::missing());
    else if (is_text(fields_[f].kind))
      values.push_back(FieldValue::of(texts_[f].id(static_cast<ItemIndex>(value))));
    else
      values.push_back(FieldValue::of(value));
  }
}

}  // namespace personalize
