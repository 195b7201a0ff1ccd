// The best k of items of whose scores only bounds are known: few scores are asked for.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/math/topk.h"

namespace personalize {

// Scores of listed items, in their order.
using ScoreListed = std::function<void(std::span<const ItemIndex>, std::span<float>)>;

// Collects items; gives the same as top_k of their scores would. Keeps its memory from one
// begin() to the next.
class BoundedTopK {
 public:
  // Forgets all items. `score_listed` must live until finish().
  void begin(size_t k, const ScoreListed& score_listed);

  // An item whose score is at least `lower` and at most `upper`; a bound that is no number says
  // nothing. Items come in ascending order.
  void add(ItemIndex item, float lower, float upper);
  // All items of `other`, which come after its own and have the same k.
  void add(const BoundedTopK& other);

  // An item whose upper bound is below that is not among the best and need not be added.
  float limit() const { return limit_; }

  // Replaces `out` by the k best, best first; among equal scores the smaller index comes first.
  void finish(std::vector<Scored>& out);
  // How many scores were asked for.
  size_t scored() const { return scored_; }

 private:
  struct Candidate {
    ItemIndex item;
    float lower, upper;
    bool is_scored = false;  // then both bounds are the score
  };
  void push(const Candidate& candidate);
  void drop_what_cannot_win();
  void score_all();

  size_t k_ = 0;
  size_t most_ = 0;  // candidates
  float limit_ = 0;
  const ScoreListed* score_listed_ = nullptr;
  std::vector<Candidate> candidates_;
  std::vector<ItemIndex> items_;
  std::vector<float> scores_;
  size_t scored_ = 0;
};

}  // namespace personalize
