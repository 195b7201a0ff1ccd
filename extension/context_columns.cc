#include "extension/context_columns.h"

#include <fmt/format.h>

#include <limits>

#include "extension/business_table.h"

namespace personalize {

ContextColumns::ContextColumns(const DatasetConfig& config)
    : is_content_(!config.content.empty()),
      columns_(metadata_columns(config)),
      texts_(columns_.size()) {
  for (const MetadataColumn& column : columns_) fields_.push_back(column.field);
}

std::string ContextColumns::select_list() const {
  std::string list;
  if (!wanted()) return list;
  for (const MetadataColumn& column : columns_)
    list += is_content_ ? fmt::format(", {}", content_expression(column.column))
                        : fmt::format(", e.{}", sql_name(column.column.name));
  return list;
}

void ContextColumns::read(std::span<sqlite3_value*> values) {
  if (!wanted()) return;
  for (size_t f = 0; f < columns_.size(); ++f) {
    const FieldValue value =
        field_value(columns_[f], DatasetKind::kInteractions, values[f], storage_);
    double number = std::numeric_limits<double>::quiet_NaN();
    if (value.type == FieldValue::Type::kNumber) number = value.number;
    if (value.type == FieldValue::Type::kText) number = texts_[f].number(value.text);
    numbers_.push_back(number);
  }
}

Result<std::string_view> ContextColumns::text(size_t field, double number) const {
  if (field >= texts_.size())
    return Status(StatusCode::kInternal, fmt::format("no contextual column {}", field));
  return texts_[field].text(static_cast<int32_t>(number));
}

}  // namespace personalize
