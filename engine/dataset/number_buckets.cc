#include "engine/dataset/number_buckets.h"

#include <algorithm>
#include <limits>
#include <span>

namespace personalize {
namespace {

constexpr uint64_t kFine = 16, kCoarse = 4;

// Sorts them, and adds up how often each is there.
void join(std::vector<CountedNumber>& numbers) {
  std::sort(numbers.begin(), numbers.end(),
            [](const CountedNumber& a, const CountedNumber& b) { return a.number < b.number; });
  size_t distinct = 0;
  for (const CountedNumber& one : numbers) {
    if (distinct > 0 && numbers[distinct - 1].number == one.number)
      numbers[distinct - 1].times += one.times;
    else
      numbers[distinct++] = one;
  }
  numbers.resize(distinct);
}

// Where each of `count` buckets of the numbers starts, ascending.
std::vector<double> starts_of(std::span<const CountedNumber> numbers, uint64_t count) {
  std::vector<double> starts;
  if (numbers.size() <= count) {
    for (const CountedNumber& one : numbers) starts.push_back(one.number);
    return starts;
  }
  uint64_t total = 0;
  for (const CountedNumber& one : numbers) total += one.times;
  uint64_t before = 0;  // of the numbers before the one that is looked at
  for (uint64_t bucket = 0, i = 0; bucket < count; ++bucket) {
    const uint64_t place = bucket * total / count;
    while (before + numbers[i].times <= place) before += numbers[i++].times;
    if (starts.empty() || starts.back() != numbers[i].number) starts.push_back(numbers[i].number);
  }
  return starts;
}

std::vector<NumberBucket> level(std::span<const CountedNumber> numbers, uint64_t count) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> starts = starts_of(numbers, count);
  std::vector<NumberBucket> buckets;
  for (size_t i = 0; i < starts.size(); ++i)
    buckets.push_back(
        {i == 0 ? -kInfinity : starts[i], i + 1 == starts.size() ? kInfinity : starts[i + 1]});
  return buckets;
}

}  // namespace

std::vector<NumberBucket> number_buckets(std::vector<CountedNumber> numbers) {
  join(numbers);
  std::vector<NumberBucket> buckets = level(numbers, kFine);
  const std::vector<NumberBucket> fine = buckets;
  for (const NumberBucket& coarse : level(numbers, kCoarse))
    if (std::find(fine.begin(), fine.end(), coarse) == fine.end()) buckets.push_back(coarse);
  return buckets;
}

}  // namespace personalize
