// The best items for many questions at once: a tile of items' vectors stays in the second-level
// cache while all questions are asked of it, by one matrix product. Twenty times fewer reads of
// memory than question by question.
//
// The products are summed up in another order than score() sums them, so they only choose
// candidates: those are scored as score() does, and the bound below tells whether one of the others
// could be among the best. Where it could (ties by the dozen), the question is searched alone.
//
//   |computed E[j] . y - exact E[j] . y| <= n u / (1 - n u) |E[j]| |y|  for n products, u = 2^-24,
//   in whatever order they are added up (Higham, Accuracy and Stability, 2002, 3.1)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/topk.h"
#include "engine/recipes/item_vectors.h"

namespace personalize {

// What all batches about the same vectors use. Any thread.
struct BatchVectors {
  float longest = 0;       // the largest |E[j]|
  float largest_bias = 0;  // the largest |bias[j]|
  AlignedFloats tiles;     // as BatchSearch multiplies them; empty: each batch makes them
  size_t questions = 0;    // how many a batch had best have

  // Reads all vectors, and copies them where they take 8 MB at most.
  static BatchVectors of(const ItemVectors& vectors);
};

// One question of a batch and its answer.
struct BatchQuestion {
  VectorQuestion::Kept question;
  const uint64_t* allowed = nullptr;  // as TopK::add
  std::vector<Scored> best;           // what search() gives of it, with score()'s bits
  double log_sum = 0;                 // ln of the sum of exp of all scores, within 1e-5
};

// Searches batches of one model's questions. Keeps its memory from batch to batch. Used by one
// thread.
class BatchSearch {
 public:
  // Finds the k best items of each question about `vectors`, of which `known` is.
  void run(const ItemVectors& vectors, const BatchVectors& known, size_t k,
           std::span<BatchQuestion> questions);

 private:
  // The terms of the questions, by panel.
  void sort_terms(size_t panels, std::span<const BatchQuestion> questions);
  // The terms of question q about a panel's items.
  std::span<const ScoreTerm> terms_of(std::span<const BatchQuestion> questions, size_t q,
                                      size_t panel) const;
  // Makes the products of all questions with a panel's items: rows of products_.
  void multiply(const ItemVectors& vectors, const BatchVectors& known, size_t first, size_t items,
                size_t questions);
  // Makes `question` that of alone_, as far as `items` are asked for.
  void ask_alone(const VectorQuestion::Kept& question, std::span<const ItemIndex> items);
  void finish(const ItemVectors& vectors, const BatchVectors& known, size_t k, size_t collected,
              BatchQuestion& question);

  AlignedFloats left_;      // y of the questions
  AlignedFloats tile_;      // vectors of a tile, each in a column
  AlignedFloats products_;  // questions x items of a panel
  size_t panel_ = 0;        // items of a panel: whole tiles
  size_t stride_ = 0;       // of products_
  std::vector<ScoreTerm> terms_;
  std::vector<size_t> term_start_;  // questions x (panels + 1)
  std::vector<size_t> next_;
  // The largest absolute value of a row; the rows of questions are few.
  double largest_of(std::span<const float> row);
  std::vector<std::pair<const float*, double>> largest_;
  VectorQuestion alone_;
  std::vector<uint8_t> is_wanted_;  // one an item; all 0 between uses
  std::vector<ItemIndex> candidates_;
  std::vector<float> scores_;
};

}  // namespace personalize
