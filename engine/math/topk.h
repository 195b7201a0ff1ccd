// The best k of scores, and the normaliser of their softmax, in one pass over them: of an array, or
// of blocks as they are made, while they are in the first-level cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/ids.h"

namespace personalize {

struct Scored {
  ItemIndex item = kNoItem;
  float score = 0;
  bool operator==(const Scored&) const = default;
};

// The order of every list of items: by falling score, equal ones by rising number. An object, which
// algorithms inline where they would call a function.
inline constexpr auto better = [](const Scored& a, const Scored& b) {
  return a.score > b.score || (a.score == b.score && a.item < b.item);
};

// What is added to the score of an item.
struct ScoreTerm {
  ItemIndex item = kNoItem;
  float term = 0;
};

// How many scores a block best has.
inline constexpr size_t kScoreBlock = 512;

// Collects the best k of scores that come block by block. Exact.
class TopK {
 public:
  // Empties `out`, which must outlive it and is all the memory it uses.
  TopK(size_t k, std::vector<Scored>& out);
  // Scores of items first, first + 1, ... Blocks come in ascending order, each item once. `allowed`
  // is null or a bitmap (bit i % 64 of word i / 64 for item i): an item whose bit is 0 is left out.
  // A score that is NaN or -infinity is never taken.
  void add(std::span<const float> scores, size_t first, const uint64_t* allowed);
  // The k it was made with.
  size_t wanted() const { return k_; }
  // A score that is not above it will not be taken.
  float threshold() const { return threshold_; }
  // Leaves the k best in `out`, best first; among equal scores the smaller index comes first.
  void finish();

 private:
  void add_group(std::span<const float> scores, size_t first, const uint64_t* allowed);
  void set_threshold(std::span<const float> scores);
  void shrink();

  size_t k_;
  size_t limit_ = 0;
  float threshold_;
  std::vector<Scored>& kept_;
};

// ln(sum of exp(score)) of scores that come block by block, computed so that it neither overflows
// nor vanishes. The same blocks give the same bits. NaN scores are left out.
class LogSum {
 public:
  void add(std::span<const float> scores);
  // Scores of which `sum` is the sum of exponentials of their distances to maximum(), which some
  // score was given before, and `largest` the largest.
  void add(double sum, float largest);
  // All scores that were given to `other`.
  void add(const LogSum& other);
  // Takes `given`, one of the scores that were given, for `score`. They must be close: what a score
  // much smaller than the given one leaves of the sum has few digits.
  void replace(float given, float score);
  float maximum() const { return maximum_; }  // of the scores; -infinity without
  double value() const;                       // -infinity without scores

 private:
  void move_to(float maximum);

  float maximum_ = -std::numeric_limits<float>::infinity();
  double sum_ = 0;  // of exponentials relative to the largest exponent so far
};

// Replaces `out` with the k best items, best first; among equal scores the smaller index comes
// first. Exact. `allowed` is null, or a bitmap of scores.size() bits (bit i % 64 of word i / 64):
// an item whose bit is 0 is left out. A score that is NaN or -infinity is never taken, so `out` may
// hold fewer than k. If `log_normaliser` is given it gets log_sum_exp(scores), of all items,
// allowed or not: exp(score - *log_normaliser) is then the item's softmax probability. `out` is the
// only memory used; it keeps its capacity from call to call. Any thread.
void top_k(std::span<const float> scores, const uint64_t* allowed, size_t k,
           std::vector<Scored>& out, double* log_normaliser = nullptr);

// ln(sum of exp(score)), computed so that it neither overflows nor vanishes. NaN scores are left
// out; -infinity for an empty array.
double log_sum_exp(std::span<const float> scores);

}  // namespace personalize
