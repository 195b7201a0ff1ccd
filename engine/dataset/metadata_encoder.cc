#include "engine/dataset/metadata_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/dataset/metadata_columns.h"

namespace personalize {
namespace {

// An entry of section "<prefix>.fields".
struct StoredField {
  uint64_t name_end;    // in "<prefix>.names"
  uint32_t column_end;  // the field's columns begin where those of the field before end
  uint32_t kind;        // FieldKind
};

std::string section(std::string_view prefix, std::string_view name) {
  return fmt::format("{}.{}", prefix, name);
}

Status damaged(std::string_view prefix, std::string_view what) {
  return {StatusCode::kCorrupt, fmt::format("the model's {} are damaged: {}", prefix, what)};
}

// Whether `ends` rise (or stay) from `least` to `last`, by projection.
template <typename T, typename End>
bool ends_rise(std::span<const T> values, uint64_t least, uint64_t last, const End& end) {
  for (const T& value : values) {
    if (end(value) < least) return false;
    least = end(value);
  }
  return least == last;
}

}  // namespace

size_t MetadataEncoder::size() const { return columns_ ? columns_->size() : 0; }

std::span<const MetadataField> MetadataEncoder::fields() const {
  if (!columns_) return {};
  return columns_->fields;
}

FieldPlaces MetadataEncoder::places_in(std::span<const MetadataField> fields) const {
  FieldPlaces found;
  for (const MetadataField& field : this->fields()) {
    const auto place = std::find(fields.begin(), fields.end(), field);
    found.places.push_back(place == fields.end() ? -1 : static_cast<int>(place - fields.begin()));
  }
  return found;
}

void MetadataEncoder::encode(const FieldPlaces& places, std::span<const FieldValue> values,
                             ColumnIndex first, std::vector<ColumnIndex>& columns) const {
  if (!columns_) return;
  const Columns& known = *columns_;
  const auto begin = static_cast<std::ptrdiff_t>(columns.size());
  for (size_t f = 0; f < known.fields.size() && f < places.places.size(); ++f) {
    const int place = places.places[f];
    if (place < 0 || static_cast<size_t>(place) >= values.size()) continue;
    const FieldValue& value = values[static_cast<size_t>(place)];
    const ColumnIndex from = known.first[f], to = known.first[f + 1];
    if (known.fields[f].kind == FieldKind::kNumber) {
      if (value.type != FieldValue::Type::kNumber) continue;
      for (ColumnIndex column = from; column < to; ++column)
        if (known.bucket[column].holds(value.number)) columns.push_back(first + column);
      continue;
    }
    for_each_text(known.fields[f].kind, value, [&](std::string_view text) {
      ColumnIndex low = from, high = to;
      while (low < high) {
        const ColumnIndex middle = low + (high - low) / 2;
        if (known.text_of(middle) < text)
          low = middle + 1;
        else
          high = middle;
      }
      if (low < to && known.text_of(low) == text) columns.push_back(first + low);
    });
  }
  std::sort(columns.begin() + begin, columns.end());
  columns.erase(std::unique(columns.begin() + begin, columns.end()), columns.end());
}

std::string MetadataEncoder::name(ColumnIndex column) const {
  if (column >= size()) return {};
  const auto field =
      static_cast<size_t>(std::upper_bound(columns_->first.begin(), columns_->first.end(), column) -
                          columns_->first.begin() - 1);
  const std::string& name = columns_->fields[field].name;
  if (columns_->fields[field].kind != FieldKind::kNumber)
    return fmt::format("{} {}", name, columns_->text_of(column));
  const NumberBucket& bucket = columns_->bucket[column];
  if (std::isinf(bucket.low) && std::isinf(bucket.below)) return fmt::format("{} any", name);
  if (std::isinf(bucket.low)) return fmt::format("{} under {:.15g}", name, bucket.below);
  if (std::isinf(bucket.below)) return fmt::format("{} from {:.15g}", name, bucket.low);
  return fmt::format("{} {:.15g} to under {:.15g}", name, bucket.low, bucket.below);
}

void MetadataEncoder::write(std::string_view prefix, BlobWriter& blob) const {
  if (!columns_) return;
  std::vector<StoredField> fields;
  std::string names;
  for (size_t f = 0; f < columns_->fields.size(); ++f) {
    names.append(columns_->fields[f].name);
    fields.push_back(
        {names.size(), columns_->first[f + 1], static_cast<uint32_t>(columns_->fields[f].kind)});
  }
  blob.add(section(prefix, "fields"), fields);
  blob.add_text(section(prefix, "names"), names);
  blob.add_text(section(prefix, "text"), columns_->text);
  blob.add(section(prefix, "offset"), columns_->offset);
  blob.add(section(prefix, "bucket"), columns_->bucket);
}

Result<MetadataEncoder> MetadataEncoder::open(std::string_view prefix, const BlobView& blob) {
  if (!blob.has(section(prefix, "fields"))) return MetadataEncoder();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const StoredField> fields,
                               blob.section<StoredField>(section(prefix, "fields")));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view names, blob.text(section(prefix, "names")));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view text, blob.text(section(prefix, "text")));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const NumberBucket> bucket,
                               blob.section<NumberBucket>(section(prefix, "bucket")));
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::span<const uint64_t> offset,
      blob.section<uint64_t>(section(prefix, "offset"), bucket.size() + 1));
  if (bucket.size() > kMostColumns) return damaged(prefix, "there are too many columns");
  if (!ends_rise(fields, 0, names.size(), [](const StoredField& f) { return f.name_end; }))
    return damaged(prefix, "the fields' names do not fill their text");
  if (!ends_rise(fields, 0, bucket.size(),
                 [](const StoredField& f) { return uint64_t{f.column_end}; }))
    return damaged(prefix, "the fields do not span the columns");
  if (offset.front() != 0 || !ends_rise(offset, 0, text.size(), [](uint64_t end) { return end; }))
    return damaged(prefix, "the columns' texts do not fill their text");

  auto columns = std::make_shared<Columns>();
  columns->text = text;
  columns->offset.assign(offset.begin(), offset.end());
  columns->bucket.assign(bucket.begin(), bucket.end());
  uint64_t name_begin = 0;
  for (const StoredField& field : fields) {
    if (field.kind > static_cast<uint32_t>(FieldKind::kBoolean))
      return damaged(prefix, "a field has an unknown kind");
    const auto kind = static_cast<FieldKind>(field.kind);
    for (uint32_t column = columns->first.back(); column < field.column_end; ++column) {
      const bool sound =
          kind == FieldKind::kNumber
              ? bucket[column].low < bucket[column].below && columns->text_of(column).empty()
              : !columns->text_of(column).empty() &&
                    (column == columns->first.back() ||
                     columns->text_of(column - 1) < columns->text_of(column));
      if (!sound) return damaged(prefix, "a column is out of order");
    }
    columns->fields.push_back(
        {std::string(names.substr(name_begin, field.name_end - name_begin)), kind});
    columns->first.push_back(field.column_end);
    name_begin = field.name_end;
  }
  MetadataEncoder encoder;
  encoder.columns_ = std::move(columns);
  return encoder;
}

}  // namespace personalize
