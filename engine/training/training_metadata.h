// What a training learns from besides the interactions: the items and users datasets.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/sequences.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"

namespace personalize {

// Copies the datasets; null: there is none. `stop` is asked once a row. Errors: kInterrupted when
// it says so, those of the scans.
Result<Metadata> read_training_metadata(MetadataSource* items, MetadataSource* users,
                                        const std::function<bool()>& stop);

// Errors: kInvalidInput, with what to declare, if `recipe` can make nothing of this group:
// hrnn-coldstart without fields of items, hrnn-metadata without fields of items and users and
// without contextual columns. Other recipes do without.
Status check_metadata(const Recipe& recipe, const Metadata& metadata, const Sequences& sequences);

// What the training's log says of each dataset and of the contexts.
std::vector<std::string> metadata_notes(const Metadata& metadata, const Sequences& sequences);

}  // namespace personalize
