#include "engine/dataset/number_buckets.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

namespace personalize {
namespace {

constexpr size_t kFine = 16, kCoarse = 4;

// The buckets that `starts`, ascending, cut the numbers into; its first is that of the smallest.
std::vector<NumberBucket> buckets_from(std::vector<double> starts) {
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  std::vector<NumberBucket> buckets;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < starts.size(); ++i)
    buckets.push_back(
        {i == 0 ? -kInfinity : starts[i], i + 1 == starts.size() ? kInfinity : starts[i + 1]});
  return buckets;
}

std::vector<NumberBucket> level(std::span<const double> sorted, std::span<const double> distinct,
                                size_t count) {
  if (distinct.size() <= count) return buckets_from({distinct.begin(), distinct.end()});
  std::vector<double> starts;
  for (size_t i = 0; i < count; ++i) starts.push_back(sorted[i * sorted.size() / count]);
  return buckets_from(std::move(starts));
}

}  // namespace

std::vector<NumberBucket> number_buckets(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  std::vector<double> distinct = numbers;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<NumberBucket> buckets = level(numbers, distinct, kFine);
  const size_t fine = buckets.size();
  for (const NumberBucket& coarse : level(numbers, distinct, kCoarse))
    if (std::find(buckets.begin(), buckets.begin() + static_cast<std::ptrdiff_t>(fine), coarse) ==
        buckets.begin() + static_cast<std::ptrdiff_t>(fine))
      buckets.push_back(coarse);
  return buckets;
}

}  // namespace personalize
