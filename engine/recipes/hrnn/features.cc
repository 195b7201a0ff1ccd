#include "engine/recipes/hrnn/features.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {

constexpr int64_t kHalfAnHour = 1'800;
constexpr int64_t kDay = 86'400;
constexpr double kHalfLife = 30.0 * 86'400;
constexpr size_t kMostBuckets = 64;
constexpr size_t kMostTableFloats = size_t{1} << 24;

size_t most_buckets(size_t items) {
  return std::clamp<size_t>(kMostTableFloats / std::max<size_t>(1, items), 1, kMostBuckets);
}

}  // namespace

std::vector<float> value_columns(const TrainingView& data) {
  std::vector<float> values;
  const Sequences& all = *data.sequences;
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      const float value = all.value[static_cast<size_t>(e)];
      if (!std::isfinite(value)) continue;
      const auto place = std::lower_bound(values.begin(), values.end(), value);
      if (place != values.end() && *place == value) continue;
      if (values.size() == kMostValues) return {};
      values.insert(place, value);
    }
  if (values.size() < 2) return {};
  return values;
}

EventFeatures event_features(bool first, int64_t gap, float value,
                             std::span<const float> value_columns) {
  EventFeatures features;
  if (first) {
    features.set = 1U << 1;
  } else {
    gap = std::max<int64_t>(0, gap);
    features.log_gap = std::log1p(static_cast<float>(gap)) / 10;
    if (gap == 0) features.set |= 1U << 2;
    if (gap > kHalfAnHour) features.set |= 1U << 3;
    if (gap > kDay) features.set |= 1U << 4;
  }
  const auto place = std::lower_bound(value_columns.begin(), value_columns.end(), value);
  if (place != value_columns.end() && *place == value)
    features.set |= 1U << (kGapFeatures + static_cast<size_t>(place - value_columns.begin()));
  return features;
}

void add_features(const EventFeatures& features, const float* matrix, size_t size, float* x) {
  const Kernels& k = kernels();
  if (features.log_gap != 0) k.add_scaled(size, features.log_gap, matrix, x);
  for (uint32_t left = features.set; left != 0; left &= left - 1)
    k.add_scaled(size, 1, matrix + static_cast<size_t>(std::countr_zero(left)) * size, x);
}

void add_feature_gradient(const EventFeatures& features, const float* gradient, size_t size,
                          float* matrix_gradient) {
  const Kernels& k = kernels();
  if (features.log_gap != 0) k.add_scaled(size, features.log_gap, gradient, matrix_gradient);
  for (uint32_t left = features.set; left != 0; left &= left - 1)
    k.add_scaled(size, 1, gradient,
                 matrix_gradient + static_cast<size_t>(std::countr_zero(left)) * size);
}

size_t recency_floats(size_t items) { return most_buckets(items) * items; }

RecencyTable recency_table(const TrainingView& data) {
  const Sequences& all = *data.sequences;
  const size_t items = all.item_count();
  struct Timed {
    int64_t time;
    ItemIndex item;
  };
  std::vector<Timed> events;
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e)
      events.push_back({all.timestamp[static_cast<size_t>(e)], all.item[static_cast<size_t>(e)]});
  std::stable_sort(events.begin(), events.end(),
                   [](const Timed& a, const Timed& b) { return a.time < b.time; });

  RecencyTable table;
  const size_t buckets = most_buckets(items);
  for (size_t b = 0; b < buckets && !events.empty(); ++b) {
    const int64_t start = events[b * events.size() / buckets].time;
    if (table.starts.empty() || start > table.starts.back()) table.starts.push_back(start);
  }
  if (table.starts.empty()) table.starts.push_back(0);

  table.rows.reserve(table.starts.size() * items);
  std::vector<double> count(items);
  std::vector<double> logarithm(items);
  size_t next = 0;
  for (size_t b = 0; b < table.starts.size(); ++b) {
    const int64_t start = table.starts[b];
    const auto halved = [start](int64_t time) {
      return std::exp2((static_cast<double>(time) - static_cast<double>(start)) / kHalfLife);
    };
    if (b > 0)
      for (double& c : count) c *= halved(table.starts[b - 1]);
    for (; next < events.size() && events[next].time < start; ++next)
      count[static_cast<size_t>(events[next].item)] += halved(events[next].time);
    double mean = 0;
    for (size_t j = 0; j < items; ++j) mean += logarithm[j] = std::log(count[j] + 0.1);
    mean /= static_cast<double>(items);
    for (size_t j = 0; j < items; ++j)
      table.rows.push_back(static_cast<float>(logarithm[j] - mean));
  }
  return table;
}

size_t recency_bucket_of(std::span<const int64_t> starts, int64_t timestamp) {
  const auto after = std::upper_bound(starts.begin(), starts.end(), timestamp);
  return after == starts.begin() ? 0 : static_cast<size_t>(after - starts.begin()) - 1;
}

}  // namespace personalize::hrnn
