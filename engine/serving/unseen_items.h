// The items of an items dataset that a model has not seen in training: they came later, or had no
// events. With a model that reads metadata they are answers like any other item. An answer, a
// history and a set of items name them by numbers that follow those of the vocabulary.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/vocabulary.h"
#include "engine/recipes/recipe.h"
#include "engine/serving/loaded_model.h"
#include "engine/status.h"

namespace personalize {

// Whether a model gives items that it has not seen their place.
bool places_unseen_items(const Model& model);

// Collects unseen items from the rows of a dataset. Growing moves what its views point to.
// Otherwise immutable: read by any number of threads.
class UnseenTable : public MetadataSink {
 public:
  static constexpr int64_t kNotCreated = std::numeric_limits<int64_t>::min();

  // `fields`: of the rows that will come. The model places unseen items.
  UnseenTable(std::shared_ptr<const LoadedModel> model, std::span<const MetadataField> fields);

  // Takes a row if its item is neither in the vocabulary nor here yet. Never fails.
  Status row(std::string_view id, std::span<const FieldValue> values) override;

  const LoadedModel& model() const { return *model_; }
  size_t size() const { return ids_.size(); }
  // The number of an item, counted on from the vocabulary's size; kNoItem if it is not here.
  ItemIndex find(std::string_view id) const;
  // By place, from 0 to size() - 1.
  std::string_view id(size_t place) const { return ids_.id(static_cast<ItemIndex>(place)); }
  std::span<const ColumnIndex> columns(size_t place) const { return items().of(place); }
  // CREATION_TIMESTAMP, or kNotCreated.
  int64_t created(size_t place) const { return created_[place]; }
  // exploration_hash of the id.
  uint64_t hash(size_t place) const { return hash_[place]; }
  // As the model wants them. A view.
  UnseenItems items() const { return {start_, columns_}; }
  // Bytes of memory, about.
  size_t bytes() const;

 private:
  std::shared_ptr<const LoadedModel> model_;
  FieldPlaces places_;
  int created_place_ = -1;  // of CREATION_TIMESTAMP among the fields
  VocabularyBuilder ids_;
  std::vector<uint32_t> start_ = {0};
  std::vector<ColumnIndex> columns_;
  std::vector<int64_t> created_;
  std::vector<uint64_t> hash_;
};

// The number of an item of a model or of its unseen ones (null: none), or kNoItem; and its id.
ItemIndex find_item(const LoadedModel& model, const UnseenTable* unseen, std::string_view id);
std::string_view item_id_of(const LoadedModel& model, const UnseenTable* unseen, ItemIndex item);
// How many such numbers there are.
size_t item_count_of(const LoadedModel& model, const UnseenTable* unseen);

}  // namespace personalize
