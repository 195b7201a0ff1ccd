// The best k of an array of scores, and the normaliser of their softmax, in one pass over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ids.h"

namespace personalize {

struct Scored {
  ItemIndex item = kNoItem;
  float score = 0;
  bool operator==(const Scored&) const = default;
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
