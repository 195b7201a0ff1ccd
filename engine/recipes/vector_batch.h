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

// The largest |E[j]| of `vectors`, and the largest |bias[j]|. Reads them all.
struct VectorBounds {
  float longest = 0;
  float largest_bias = 0;
  static VectorBounds of(const ItemVectors& vectors);
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
  // Finds the k best items of each question about `vectors`.
  void run(const ItemVectors& vectors, const VectorBounds& bounds, size_t k,
           std::span<BatchQuestion> questions);

 private:
  // The terms of the questions, by tile.
  void sort_terms(size_t tiles, std::span<const BatchQuestion> questions);
  // Makes the products of all questions with a tile's items: rows of products_.
  void multiply(const ItemVectors& vectors, size_t first, size_t count, size_t questions);
  // Makes `question` that of alone_, as far as `items` are asked for.
  void ask_alone(const VectorQuestion::Kept& question, std::span<const ItemIndex> items);
  void finish(const ItemVectors& vectors, const VectorBounds& bounds, size_t k, size_t collected,
              BatchQuestion& question);

  AlignedFloats left_;      // y of the questions
  AlignedFloats tile_;      // vectors of a tile, each in a column
  AlignedFloats products_;  // questions x items of a tile
  std::vector<ScoreTerm> terms_;
  std::vector<size_t> term_start_;  // questions x (tiles + 1)
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
