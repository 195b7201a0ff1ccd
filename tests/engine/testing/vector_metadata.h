// A MetadataSource over vectors.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "engine/dataset/metadata.h"

namespace personalize {

class VectorMetadata : public MetadataSource {
 public:
  explicit VectorMetadata(std::vector<MetadataField> fields) : fields_(std::move(fields)) {}

  // Copies the texts.
  void add(std::string_view id, std::vector<FieldValue> values) {
    for (FieldValue& value : values)
      if (value.type == FieldValue::Type::kText) value.text = texts_.emplace_back(value.text);
    rows_.emplace_back(id, std::move(values));
  }
  Status fail_with;  // of scan(), after the rows

  std::span<const MetadataField> fields() const override { return fields_; }
  Status scan(MetadataSink& sink) override {
    for (const auto& [id, values] : rows_) PERSONALIZE_RETURN_IF_ERROR(sink.row(id, values));
    return fail_with;
  }
  Result<bool> row(std::string_view id, std::vector<FieldValue>& values) override {
    for (const auto& [known, found] : rows_) {
      if (known != id) continue;
      values = found;
      return true;
    }
    return false;
  }

 private:
  std::vector<MetadataField> fields_;
  std::vector<std::pair<std::string, std::vector<FieldValue>>> rows_;
  std::deque<std::string> texts_;
};

}  // namespace personalize
