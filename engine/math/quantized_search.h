// The best k of many items, exact, at about the time it takes to read their codes once: bounds of
// all scores from the codes, then the scores of the few items that may be among the best.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/math/bounded_top_k.h"
#include "engine/math/quantized_vectors.h"
#include "engine/math/topk.h"

namespace personalize {

// What is asked. The score of item j is vectors[j] . y * factor * factors[j] + bias[j] + row_weight
// * row[j] + its term, computed in floats in this order, and then perhaps moved by least_margin.
// None of these numbers, added up without their signs, is more than 2^120.
struct QuantizedQuestion {
  const QuantizedVectors* vectors = nullptr;
  const float* y = nullptr;  // vectors->width
  float factor = 1;
  const float* factors = nullptr;         // >= 0, one an item, or null: 1
  const float* bias = nullptr;            // one an item, or null: 0
  const float* row = nullptr;             // one an item, or null: 0
  float row_weight = 0;                   // of `row`
  std::span<const ScoreTerm> terms = {};  // in ascending order of item, each once
  float least_margin = 0;
};

// Keeps its memory from search to search. One search at a time.
class QuantizedSearch {
 public:
  static constexpr size_t kTwoThreads = 500'000;
  static constexpr size_t kSummedExactly = 32;

  explicit QuantizedSearch(size_t two_threads_from = kTwoThreads);
  ~QuantizedSearch();

  // Replaces `out` by what top_k would find in the scores of all items: the same items in the same
  // order with the same scores. `allowed` and k: as of top_k; many of k items have to be scored.
  // Adds to `sum`, unless it is null, the estimates of all items, allowed or not, but the scores of
  // the kSummedExactly items with the largest estimates. The normaliser is then off by no more than
  // the largest margin, in practice by a thousandth or less, since errors of many items cancel. The
  // same question gives the same bits, whatever k and `allowed` are. False, with nothing done, if
  // no bounds can be given. `score_listed` gives scores of the question's items; from
  // two_threads_from items on it is called from two threads, on which the search is done if there
  // are two cores.
  bool best(const QuantizedQuestion& question, const uint64_t* allowed, size_t k,
            const ScoreListed& score_listed, std::vector<Scored>& out, LogSum* sum);

  // How many scores of items the last search asked for.
  size_t scored() const { return scored_; }

 private:
  class Part;
  size_t two_threads_from_;
  QuantizedQuery query_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<Scored> largest_;
  std::vector<ItemIndex> items_;
  std::vector<float> scores_;
  size_t scored_ = 0;
};

}  // namespace personalize
