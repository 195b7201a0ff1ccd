#include "engine/dataset/metadata.h"

namespace personalize {
namespace {

class TableFiller : public MetadataSink {
 public:
  explicit TableFiller(MetadataTable& table) : table_(table) {}
  Status row(std::string_view id, std::span<const FieldValue> values) override {
    table_.add(id, values);
    return Status::ok();
  }

 private:
  MetadataTable& table_;
};

}  // namespace

void MetadataTable::add(std::string_view id, std::span<const FieldValue> values) {
  if (ids_.find(id) != kNoItem) return;
  ids_.add(id);
  for (const FieldValue& value : values) {
    Stored stored{value.type, static_cast<uint32_t>(value.text.size()), value.number, text_.size()};
    text_.append(value.text);
    values_.push_back(stored);
  }
}

void MetadataTable::row(size_t row, std::vector<FieldValue>& values) const {
  values.clear();
  for (size_t f = 0; f < fields_.size(); ++f) {
    const Stored& stored = values_[row * fields_.size() + f];
    values.push_back({stored.type, stored.number,
                      std::string_view(text_).substr(stored.text_begin, stored.size)});
  }
}

Result<MetadataTable> read_metadata(MetadataSource& source) {
  MetadataTable table(source.fields());
  TableFiller filler(table);
  PERSONALIZE_RETURN_IF_ERROR(source.scan(filler));
  return table;
}

}  // namespace personalize
