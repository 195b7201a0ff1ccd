// Measurements with several seeds as the rows of personalize_metrics.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "engine/dataset/split.h"
#include "engine/store/records.h"
#include "engine/training/metrics.h"

namespace personalize {

// Takes one measurement a seed, on the same split or on a split of its own, of the same sequences.
class MetricSummary {
 public:
  // Ignored if the split has no test users.
  void add(const Split& split, const Measurement& measured);

  // For each list `coverage`, `mean_reciprocal_rank`, then the metrics by K; none if nothing was
  // added. Of S measurements:
  //   value           mean of the S values, each of which is the mean over its test users
  //   standard_error  of value, from how the users differ. What a user reached in several
  //                   measurements counts as one observation, so on one split it is the sample
  //                   deviation of the users' means divided by the square root of their number, and
  //                   on S splits the same with each user weighted by how often he was asked (the
  //                   cluster-robust variance of a mean). Empty for coverage, which is no mean over
  //                   users, and for a single user.
  //   seed_deviation  sample deviation of the S values; empty if S is 1
  std::vector<MetricRow> rows() const;

 private:
  static constexpr size_t kMeans = 1 + 3 * kCutoffs.size();
  using Values = std::array<double, kMeans>;
  static Values values_of(const UserMetrics& metrics);  // in the order of the rows

  // A user's weight is the sum over the measurements that asked him of 1 / (their test users).
  struct WeightedUser {
    double weight = 0;
    Values sum = {};  // of weighted values
  };
  struct List {
    std::vector<WeightedUser> users;  // by user of the sequences
    std::vector<Values> means;        // by measurement
    std::vector<double> coverage;
  };
  // Of metric `m` of `Values`, whose mean is `mean`.
  static std::optional<double> standard_error(const List& list, size_t m, double mean);

  std::array<List, 2> lists_;
};

// The rows of a single measurement.
std::vector<MetricRow> metric_rows(const Split& split, const Measurement& measured);

}  // namespace personalize
