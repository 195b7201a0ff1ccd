// How old the items of a model are: Model::item_ages as sections "hrnn.ages*" of its blob.
#pragma once

#include <span>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/sequences.h"
#include "engine/recipes/recipe.h"
#include "engine/store/blob.h"

namespace personalize::hrnn {

// The time of the newest event of `data`, which has one.
int64_t newest_event(const TrainingView& data);

// When each item of `data` was created: its CREATION_TIMESTAMP in `items` (null: none are known),
// else the time of its first event; of an item with neither, the newest event's.
std::vector<int64_t> creation_times(const TrainingView& data, const MetadataTable* items);

// `ages.created` and `ages.events` have one an item.
void write_item_ages(const ItemAges& ages, BlobWriter& blob);

// Empty where the blob has no such sections. Errors: kCorrupt.
Result<ItemAges> open_item_ages(const BlobView& blob, size_t items);

}  // namespace personalize::hrnn
