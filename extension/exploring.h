// Exploration as the question tables do it: which items are new to a responder, and what the draws
// of a list depend on.
#pragma once

#include <string_view>
#include <vector>

#include "engine/serving/answer.h"
#include "engine/serving/new_items.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/responder.h"

namespace personalize {

// One statement's exploration. prepare() on the connection's thread; then explore() on any.
class Exploration {
 public:
  // Finds the new items, and how often each was shown. `unseen`: those of the question. A recipe
  // that does not explore, or weight 0: nothing is done. Errors: those of reading exposures.
  Status prepare(Connection& connection, const Responder& responder, const UnseenTable* unseen);
  // Whether explore() may change a list.
  bool explores() const { return !fresh_.empty(); }
  // Gives new items their share of `answers`, what answerer.best() gave for the user, who has so
  // many events.
  void explore(std::string_view user, size_t events, const ItemSet* allowed, Answerer& answerer,
               std::vector<Answer>& answers) const;

 private:
  ExplorationDraw draw_;
  std::vector<NewItem> fresh_;
};

}  // namespace personalize
