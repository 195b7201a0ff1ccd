#include "engine/training/metric_summary.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace personalize {
namespace {

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Empty if there are fewer than two values.
std::optional<double> sample_deviation(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace

MetricSummary::Values MetricSummary::values_of(const UserMetrics& metrics) {
  Values values;
  auto place = values.begin();
  *place++ = metrics.reciprocal_rank;
  for (const auto& by_cutoff : {metrics.ndcg, metrics.precision, metrics.hit})
    place = std::copy(by_cutoff.begin(), by_cutoff.end(), place);
  return values;
}

void MetricSummary::add(const Split& split, const Measurement& measured) {
  if (split.test_users.empty()) return;
  const auto asked = static_cast<double>(split.test_users.size());
  for (size_t l = 0; l < lists_.size(); l++) {
    List& list = lists_[l];
    list.users.resize(split.training.end.size());
    Values mean = {};
    for (size_t test = 0; test < split.test_users.size(); test++) {
      const Values values = values_of(measured.users[l][test]);
      WeightedUser& user = list.users[split.test_users[test]];
      user.weight += 1 / asked;
      for (size_t m = 0; m < kMeans; m++) {
        mean[m] += values[m];
        user.sum[m] += values[m] / asked;
      }
    }
    for (double& value : mean) value /= asked;
    list.means.push_back(mean);
    list.coverage.push_back(measured.coverage[l]);
  }
}

std::vector<MetricRow> MetricSummary::rows() const {
  std::vector<MetricRow> rows;
  for (size_t l = 0; l < lists_.size(); l++) {
    const List& list = lists_[l];
    if (list.means.empty()) return rows;
    const auto add = [&](std::string_view metric, int k, std::span<const double> of_seed) {
      MetricRow row;
      row.metric = metric;
      row.k = k;
      row.value = mean_of(of_seed);
      row.seed_deviation = sample_deviation(of_seed);
      row.seen = l == 0 ? kSeenIncluded : kSeenExcluded;
      rows.push_back(std::move(row));
    };
    add(kCoverage, 0, list.coverage);
    const size_t first = rows.size();
    std::vector<double> of_seed(list.means.size());
    const auto add_mean = [&](std::string_view metric, int k) {
      const size_t m = rows.size() - first;
      for (size_t seed = 0; seed < of_seed.size(); seed++) of_seed[seed] = list.means[seed][m];
      add(metric, k, of_seed);
      rows.back().standard_error = standard_error(list, m, rows.back().value);
    };
    add_mean(kMeanReciprocalRank, kLastReciprocalRank);
    for (const std::string_view metric : {kNdcg, kPrecision, kHitRate})
      for (const int k : kCutoffs) add_mean(metric, k);
  }
  return rows;
}

std::optional<double> MetricSummary::standard_error(const List& list, size_t m, double mean) {
  const auto seeds = static_cast<double>(list.means.size());
  double squares = 0;
  size_t users = 0;
  for (const WeightedUser& user : list.users) {
    if (user.weight == 0) continue;
    users++;
    const double residual = (user.sum[m] - user.weight * mean) / seeds;
    squares += residual * residual;
  }
  if (users < 2) return std::nullopt;
  const auto n = static_cast<double>(users);
  return std::sqrt(squares * n / (n - 1));
}

std::vector<MetricRow> metric_rows(const Split& split, const Measurement& measured) {
  MetricSummary summary;
  summary.add(split, measured);
  return summary.rows();
}

}  // namespace personalize
