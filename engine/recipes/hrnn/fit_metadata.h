// What a fit of a recipe that uses metadata knows besides the events: the columns of items, users
// and contexts, and which of them each item and event has.
#pragma once

#include <vector>

#include "engine/dataset/side_columns.h"
#include "engine/recipes/hrnn/column_bags.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

struct FitMetadata {
  MetadataEncoder items, context, users;
  SideColumns side;  // of the sequences, which must outlive it
  ColumnBags bags;   // one an item of the sequences

  // Learns the columns of what there is; `metadata` null: of the contexts alone.
  static FitMetadata learn(const Sequences& sequences, const Metadata* metadata);
  // With the columns of a stored model. Errors: kCorrupt.
  static Result<FitMetadata> of_model(const BlobView& blob, const Sequences& sequences,
                                      const Metadata* metadata);

  bool any_side() const { return side.size() > 0; }
  bool any_items() const { return !bags.columns.empty(); }
  // For a training on so many events. Views.
  TrainingMetadata for_training(size_t events) const;
  // Adds the encoders' sections.
  void write(BlobWriter& blob) const;
};

// Gives the events of `history`, which are the user's from event `begin` on, their side columns;
// they live in `room`, which is overwritten.
void add_side_columns(const SideColumns& side, size_t user, size_t begin,
                      std::vector<ModelEvent>& history, std::vector<ColumnIndex>& room);

}  // namespace personalize::hrnn
