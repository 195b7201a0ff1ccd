// Why an item is recommended to a user: what each of his events adds to its score.
//
// Everything is measured on ln(score), score being what recommend() gives the item (the softmax
// over all items, or a share of all popularity): unlike the model's own numbers before the softmax
// it can be compared between histories, the empty one included, whose score is the item's share of
// all popularity. With L(H) = ln(score given the history H), n events and the last m = min(n, 30):
//
//   event e of the last m    L(all events) - L(all events but e)
//   the n - m earlier ones   L(all events) - L(the last m alone)
//   interplay                L(all events) - L(no event) - the sum of the others
//
// so the parts sum up to L(all events) - L(no event), and exp(a part) is the factor by which the
// score would fall without it. Each is the model's own answer to another history, in which the
// events next to a missing one are as far apart in time as they then are; nothing is approximated.
// Interplay is what leaving out one thing at a time cannot tell apart: positive where several
// events say the same, since each of them alone can be missed.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "engine/recipes/recipe.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"

namespace personalize {

inline constexpr size_t kExplainedEvents = 30;

struct Explanation {
  size_t first = 0;  // events[i] is of history[first + i]; how many earlier events there are
  std::vector<double> events;  // of the last min(n, 30)
  double earlier = 0;          // 0 if there are none
  double interplay = 0;
};

// Explains the score of `item`, one of the model's or of `unseen` (null: none; else the table that
// the history was read with), for question.history; question.state is not read. A history without
// events gives no parts. Scores all items up to 32 times, on threads that have ended when it
// returns; the same numbers for any number of threads. The model must be one that scores items for
// users: kLogits or kCounts. An item that nobody had counts for the empty history as if one user
// had had it. Errors: kInterrupted when `stop`, which is asked on the calling thread, says so.
Result<Explanation> explain(const LoadedModel& model, const Question& question,
                            const UnseenTable* unseen, ItemIndex item,
                            const std::function<bool()>& stop);

}  // namespace personalize
