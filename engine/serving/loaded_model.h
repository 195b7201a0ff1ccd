// A version's model, opened: its bytes, vocabulary, recipe and event filter.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/dataset/sequences.h"
#include "engine/dataset/vocabulary.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/model_store.h"
#include "engine/store/records.h"

namespace personalize {

// Immutable; shared by all connections of the process; safe from any number of threads.
struct LoadedModel {
  VersionRecord record;
  EventFilter filter;
  std::shared_ptr<const AlignedBytes> bytes;
  Vocabulary vocabulary;  // views into bytes
  std::span<const float>
      popularity;  // distinct users of each item (section "popularity"); what unknown users get
  const Recipe* recipe = nullptr;
  std::unique_ptr<const Model> model;
};

// The model of version 'solution/number', from the process's cache or opened from `store`. Errors:
// kNotFound (no such version, or it is not ACTIVE: the message says which state it is in and why),
// kCorrupt.
Result<std::shared_ptr<const LoadedModel>> load_model(ModelStore& store, std::string_view solution,
                                                      int number);

}  // namespace personalize
