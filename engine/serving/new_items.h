// Which items are new, so that too little is known to rank them by what users did: the candidates
// for exploration.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/serving/exploration.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/unseen_items.h"

namespace personalize {

struct NewItemRule {
  double cut_off_days = 30;  // of the campaign: holds where the model has no number of days itself
  int64_t now = 0;           // Unix seconds
};

// Replaces `fresh` by the new items, ascending, with no impressions: unseen ones, and those of the
// vocabulary that had few events in training, as far as Model::item_ages() says what is few; of
// both only those that are young enough or of unknown age. `unseen`: a table of this model, or
// null. Without item_ages() there are none. About a nanosecond an item.
void find_new_items(const LoadedModel& model, const UnseenTable* unseen, const NewItemRule& rule,
                    std::vector<NewItem>& fresh);

}  // namespace personalize
