// Items as vectors. A model whose scores are products of the items' vectors with one vector of the
// question is searched without a score for every item being written: the best items in one pass,
// listed items by their own vectors alone.
//
//   score(j) = E[j] . y + bias[j] + weight * row[j] + term(j),   term(j) = 0 for all but few items
//
// or the cosine of E[j] and y. Every function below gives an item the same score, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/math/quantized_vectors.h"
#include "engine/math/topk.h"

namespace personalize {

// Views of a model.
struct ItemVectors {
  size_t items = 0;
  size_t width = 0;
  std::span<const float> vectors;             // E: items x width
  std::span<const float> bias;                // one an item
  std::span<const float> inverse_norms = {};  // of the vectors; for questions of cosines
  QuantizedVectors codes = {};                // of the vectors, or without items: there are none
};

// Whether vectors have codes: from 10,000 items or a megabyte of floats on. What is smaller stays
// in the second-level cache, where a pass over the vectors is as fast.
constexpr bool worth_codes(size_t items, size_t width) {
  return items >= 10'000 || items * width >= 262'144;
}
// From so many items on, the normaliser of a softmax is summed from estimates: below, the pass over
// the vectors that makes all scores takes no longer.
inline constexpr size_t kEstimatedFrom = 10'000;

// A question as such a model asks it. Keeps its memory from question to question. Not for
// concurrent use.
class VectorQuestion {
 public:
  static constexpr int kMostTerms = 4;

  // Begins another question about `vectors`, which must outlive it, with y = 0, no row, no terms.
  void begin(const ItemVectors& vectors);
  // width floats.
  std::span<float> y() { return y_; }
  std::span<const float> y() const { return y_; }
  // `row`: one float an item, which must outlive the question; empty: none.
  void set_row(float weight, std::span<const float> row) {
    weight_ = weight;
    row_ = row;
  }
  // Asks for the cosine of y, 1 / inverse_norm long, instead, kept within -1 and 1: no bias, row or
  // terms.
  void ask_for_cosine(float inverse_norm) {
    is_cosine_ = true;
    inverse_norm_ = inverse_norm;
  }
  // An item may get kMostTerms terms, which are added up in that order.
  void add(ItemIndex item, float term) { added_.push_back({item, term}); }
  // Of each item weight * its term.
  void add(std::span<const ItemIndex> items, float weight, std::span<const float> terms);

  // What it takes to ask the same again, but for a cosine. Views as begin() and set_row() were
  // given them.
  struct Kept {
    const ItemVectors* vectors = nullptr;
    std::vector<float> y;
    float weight = 0;
    std::span<const float> row;
    std::vector<ScoreTerm> terms;
  };
  void keep(Kept& kept) const;
  // As keep(), with the room of `kept` in exchange: another question must begin next.
  void give(Kept& kept);
  // begin(), and then as it was.
  void ask_again(const Kept& kept);

  const ItemVectors& vectors() const { return *vectors_; }
  float weight() const { return weight_; }
  std::span<const float> row() const { return row_; }
  bool is_cosine() const { return is_cosine_; }
  float inverse_norm() const { return inverse_norm_; }
  std::span<const ScoreTerm> added() const { return added_; }  // in the order of add()
  // Their sums, one an item. What was asked once since the last add() any thread may ask.
  std::span<const float> terms() const {
    if (summed_ < added_.size()) sum_terms();
    return terms_;
  }

 private:
  const ItemVectors* vectors_ = nullptr;
  std::vector<float> y_;
  float weight_ = 0;
  std::span<const float> row_;
  bool is_cosine_ = false;
  float inverse_norm_ = 0;
  // Most questions of a batch never need the sums.
  void sum_terms() const;
  void clear_sums();

  std::vector<ScoreTerm> added_;
  mutable size_t summed_ = 0;  // so many of them are in terms_
  mutable std::vector<float> terms_;
};

// Gives every item's score to `best` (null: to nobody), of those that `allowed` has (null: all, as
// TopK::add), and to `sum` (null: to nobody), of all. From codes it gives the scores of those items
// only that may be among the best, and estimates to the sum (QuantizedSearch::best).
void search(const VectorQuestion& question, const uint64_t* allowed, TopK* best, LogSum* sum);

// Scores of all items, one each.
void score_all(const VectorQuestion& question, std::span<float> scores);

// Scores of `items`, in their order; each is an item of the model. scores.size() == items.size().
void score_listed(const VectorQuestion& question, std::span<const ItemIndex> items,
                  std::span<float> scores);

}  // namespace personalize
