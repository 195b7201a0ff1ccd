#include "engine/dataset/history_length.h"

#include <algorithm>
#include <cmath>

namespace personalize {

namespace {
// 0.99 * 100 must be 99, whatever the last bit of the product says.
constexpr double kSlack = 1e-9;
}  // namespace

CountRange percentile_range(std::vector<int64_t> counts, double minimum, double maximum) {
  if (counts.empty()) return {};
  const auto n = static_cast<double>(counts.size());
  const auto value_at = [&](double rank) {
    const auto place = counts.begin() + static_cast<std::ptrdiff_t>(std::clamp(rank, 0.0, n - 1));
    std::nth_element(counts.begin(), place, counts.end());
    return *place;
  };
  return {value_at(std::floor(minimum * n + kSlack)),
          value_at(std::ceil(maximum * n - kSlack) - 1)};
}

std::vector<uint8_t> users_within_percentiles(const TrainingView& data, double minimum,
                                              double maximum) {
  std::vector<int64_t> lengths;
  const size_t users = data.sequences->user_count();
  for (size_t u = 0; u < users; u++)
    if (data.length(u) > 0) lengths.push_back(data.length(u));
  const CountRange range = percentile_range(std::move(lengths), minimum, maximum);
  std::vector<uint8_t> within(users);
  for (size_t u = 0; u < users; u++)
    within[u] = data.length(u) > 0 && range.contains(data.length(u)) ? 1 : 0;
  return within;
}

}  // namespace personalize
