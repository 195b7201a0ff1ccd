// The items that one window of a sampled softmax is trained with, instead of all: those the window
// cannot do without, and negatives drawn at random, corrected so that the sum over the candidates
// has the sum over all items as its expectation.
//
//   Z = sum over all j of e^z(j)  ~  sum over needed j of e^z(j) + sum over drawn j of e^z(j) /
//   pi(j)
//
// with pi(j) the probability that j was drawn, so ln(1 / pi(j)) is added to a drawn item's logit
// (Bengio and Senecal 2008; Jean et al. 2015). A needed item, which was put in whatever was drawn,
// counts once: it is a stratum of its own, and the sum is unbiased whichever items are needed.
// Hence no row can draw its own target as a negative: all targets of the window are needed.
//
// Half of the draws are items of random events, half random items: q(j) = n(j) / 2N + 1 / 2V. So
// what is popular, and carries most of the softmax, is nearly always there and hardly corrected,
// and every item is pushed down now and then. Draws go on until the room is full; pi(j) after m of
// them is 1 - (1 - q(j))^m.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/ids.h"

namespace personalize::hrnn {

// How many candidates a window of so many lanes and steps has, at most: twice what its events and
// their targets can need, and at least 1,024.
size_t candidate_rows(size_t lanes, size_t window);

// Not for concurrent use.
class Candidates {
 public:
  // Draws from the events of `data`, which need not outlive it. `room` bounds the candidates of a
  // window. Memory: 8 bytes an item and 4 an event.
  Candidates(const TrainingView& data, size_t room, uint64_t seed);

  // Forgets the window before. Time in proportion to its candidates.
  void clear();
  // Makes `item` one of the needed. False if there is no room and it was not yet there.
  bool need(ItemIndex item);
  // Fills the room with drawn items; `window` numbers the draws of one training. Nothing may be
  // needed afterwards.
  void draw(uint64_t window);

  std::span<const ItemIndex> items() const { return items_; }
  // What is added to each candidate's logit; 0 for the needed.
  std::span<const float> corrections() const { return corrections_; }
  // An item's place in items(), or -1.
  int32_t place(ItemIndex item) const { return place_[static_cast<size_t>(item)]; }

 private:
  bool add(ItemIndex item);

  size_t room_;
  uint64_t seed_;
  std::vector<ItemIndex> event_items_;
  std::vector<uint32_t> count_;  // n, one an item
  std::vector<int32_t> place_;   // one an item
  std::vector<ItemIndex> items_;
  std::vector<float> corrections_;
};

}  // namespace personalize::hrnn
