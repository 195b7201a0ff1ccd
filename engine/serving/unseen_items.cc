#include "engine/serving/unseen_items.h"

#include <cmath>

#include "engine/serving/exploration.h"

namespace personalize {
namespace {

constexpr double kLatest = 9e18;  // of a time in seconds that fits into 64 bits

}  // namespace

bool places_unseen_items(const Model& model) {
  const ModelMetadata* metadata = model.metadata();
  return metadata != nullptr && metadata->items.size() > 0;
}

UnseenTable::UnseenTable(std::shared_ptr<const LoadedModel> model,
                         std::span<const MetadataField> fields)
    : model_(std::move(model)), places_(model_->model->metadata()->items.places_in(fields)) {
  for (size_t i = 0; i < fields.size(); i++)
    if (fields[i].name == "CREATION_TIMESTAMP" && fields[i].kind == FieldKind::kNumber)
      created_place_ = static_cast<int>(i);
}

Status UnseenTable::row(std::string_view id, std::span<const FieldValue> values) {
  if (model_->vocabulary.find(id) != kNoItem || ids_.find(id) != kNoItem) return Status::ok();
  ids_.add(id);
  model_->model->metadata()->items.encode(places_, values, 0, columns_);
  start_.push_back(static_cast<uint32_t>(columns_.size()));
  int64_t created = kNotCreated;
  if (created_place_ >= 0) {
    const FieldValue& value = values[static_cast<size_t>(created_place_)];
    if (value.type == FieldValue::Type::kNumber && std::fabs(value.number) < kLatest)
      created = static_cast<int64_t>(value.number);
  }
  created_.push_back(created);
  hash_.push_back(exploration_hash(id));
  return Status::ok();
}

ItemIndex UnseenTable::find(std::string_view id) const {
  const ItemIndex place = ids_.find(id);
  return place == kNoItem ? kNoItem : place + static_cast<ItemIndex>(model_->vocabulary.size());
}

size_t UnseenTable::bytes() const {
  constexpr size_t kPerItem = 64;  // id, creation time, hash and slots
  return size() * kPerItem + columns_.size() * sizeof(ColumnIndex);
}

ItemIndex find_item(const LoadedModel& model, const UnseenTable* unseen, std::string_view id) {
  const ItemIndex known = model.vocabulary.find(id);
  return known == kNoItem && unseen != nullptr ? unseen->find(id) : known;
}

std::string_view item_id_of(const LoadedModel& model, const UnseenTable* unseen, ItemIndex item) {
  const auto place = static_cast<size_t>(item);
  const size_t known = model.vocabulary.size();
  return place < known ? model.vocabulary.id(item) : unseen->id(place - known);
}

size_t item_count_of(const LoadedModel& model, const UnseenTable* unseen) {
  return model.model->item_count() + (unseen == nullptr ? 0 : unseen->size());
}

}  // namespace personalize
