// A user's events as a model sees them: only those that pass the solution's filter, only items of
// the model's vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/dataset/event_filter.h"
#include "engine/dataset/sources.h"
#include "engine/recipes/recipe.h"
#include "engine/serving/loaded_model.h"
#include "engine/status.h"

namespace personalize {

// Reads histories from one source for one model. Remembers what each of the source's item and event
// type codes is to the model, so that an event costs an array access once its codes are known; the
// memory is bounded by the number of codes. Used by one thread.
class HistoryReader {
 public:
  // `source` must outlive the reader.
  HistoryReader(EventSource& source, std::shared_ptr<const LoadedModel> model)
      : source_(source), model_(std::move(model)), check_(source, model_->filter) {}

  // Replaces `history` by the user's events in order. A user the source does not know has none: no
  // error.
  Status read(std::string_view user_id, std::vector<ModelEvent>& history);

 private:
  Result<ItemIndex> item_of(ItemCode code);

  EventSource& source_;
  std::shared_ptr<const LoadedModel> model_;
  FilterCheck check_;
  std::vector<Event> events_;
  std::vector<ItemIndex> item_;  // by item code
  uint64_t generation_ = 0;
};

}  // namespace personalize
