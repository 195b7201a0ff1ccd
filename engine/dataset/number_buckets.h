// Cuts the numbers of a field of metadata into buckets that become columns.
#pragma once

#include <cstdint>
#include <vector>

namespace personalize {

// The numbers x with low <= x < below.
struct NumberBucket {
  double low = 0;    // may be -infinity
  double below = 0;  // may be infinity
  bool holds(double x) const { return low <= x && x < below; }
  bool operator==(const NumberBucket&) const = default;
};

// A number, and how often it is there.
struct CountedNumber {
  double number = 0;  // finite
  uint64_t times = 1;
};

// Fine buckets, then coarse ones: 16 and 4 quantiles of `numbers`, or a bucket for each distinct
// number where there are no more of them than that. Either sort covers all numbers, ascending: the
// first begins at -infinity, the last has no end, so that a number seen later always has its place
// (a new item's creation time is in the newest bucket). A coarse bucket that is a fine one is left
// out. `numbers` may stand in any order and come more than once; none give no bucket.
std::vector<NumberBucket> number_buckets(std::vector<CountedNumber> numbers);

}  // namespace personalize
