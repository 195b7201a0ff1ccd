// A windowed Markov chain of items: which items follow which, nearer ones counting more. The markov
// recipe scores with it, and hrnn adds it to its network's logits.
//
// For every user and every pair of events k < l with l - k <= window:
//   C[item k][item l] += decay^(l - k - 1);   T[i] = sum of the row C[i].
// Of each row the `cut` largest entries are kept (ties: the smaller item).
// After event k:  M(j) = sum over g = 1 .. min(window, k) of
//                        decay^(g - 1) * C[item k-g+1][j] / (T[item k-g+1] + smoothing)
//                 L(j) = ln(1 + M(j) / kMarkovEpsilon), which is 0 for most items.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/ids.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/blob.h"

namespace personalize {

inline constexpr float kMarkovEpsilon = 1e-3F;

struct MarkovSettings {
  int32_t window = 10;
  float decay = 0.7F;
  float smoothing = 50;
  int32_t cut = 128;
};

// Row i's entries are row[i] .. row[i + 1] - 1, by ascending column.
struct MarkovCounts {
  MarkovSettings settings;
  std::vector<uint64_t> row;  // items + 1
  std::vector<ItemIndex> column;
  std::vector<float> count;  // C
  std::vector<float> total;  // T, one an item, of the uncut row

  // Adds the sections that MarkovChain::open reads ("markov.*").
  void write(BlobWriter& blob) const;
};

// Counts the transitions of `data` on `threads` threads of its own (0: one a core), with the same
// result for any number. settings.window is at most 255. `stop` is asked every 20 ms, on the
// calling thread. Errors: kInterrupted when it says so.
Result<MarkovCounts> count_transitions(const TrainingView& data, const MarkovSettings& settings,
                                       int threads, const std::function<bool()>& stop);

// What counting takes, as FitCost has it.
struct CountingCost {
  double entries = 0;  // at most: 8 bytes each in MarkovCounts
  double bytes = 0;    // at the peak of counting, the result among them
  double seconds = 0;
  double terms = 0;  // entries that MarkovChain::terms looks at, at most
};
CountingCost counting_cost(const DataSize& size, const MarkovSettings& settings, int threads);

// Events of each item in `data`.
std::vector<float> count_events(const TrainingView& data);

// Where L is not 0 after a history. Keeps its memory from use to use; not for concurrent use.
struct MarkovTerms {
  std::vector<ItemIndex> items;  // distinct, in no particular order
  std::vector<float> terms;      // L, one an item
  std::vector<float> sums;       // scratch: one float an item of the vocabulary, all 0 between uses
};

// Stored counts, read in place; the blob must outlive it. Any thread.
class MarkovChain {
 public:
  MarkovChain() = default;
  // The counts of a training that goes on, which must outlive it.
  explicit MarkovChain(const MarkovCounts& counts);
  // Errors: kCorrupt if a section is missing, an index points outside or a number is not finite.
  static Result<MarkovChain> open(const BlobView& blob, size_t item_count);

  // L after `history`, of which the last `window` events count.
  void terms(std::span<const ModelEvent> history, MarkovTerms& out) const;

 private:
  MarkovSettings settings_;
  std::span<const uint64_t> row_;
  std::span<const ItemIndex> column_;
  std::span<const float> count_;
  std::span<const float> total_;
};

}  // namespace personalize
