#include "engine/training/metric_summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/testing/random_events.h"

namespace personalize {
namespace {

Sequences random_sequences(int users) {
  VectorSource source = random_events(1, users, 40, 12);
  return *read_sequences(source, {}, TieOrder::kArrival, 1);
}

// What users might reach: made-up numbers, some users always better than others.
Measurement random_measurement(const Split& split, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> any(0, 1);
  Measurement measured;
  for (size_t list : {0, 1}) {
    for (const size_t user : split.test_users) {
      UserMetrics metrics;
      const double talent = static_cast<double>(user % 7) / 7;
      metrics.reciprocal_rank = talent * any(random);
      for (size_t c = 0; c < kCutoffs.size(); c++) {
        metrics.ndcg[c] = talent * any(random);
        metrics.precision[c] = any(random);
        metrics.hit[c] = any(random) < talent ? 1 : 0;
      }
      measured.users[list].push_back(metrics);
    }
    measured.coverage[list] = any(random);
  }
  return measured;
}

double value_of(const UserMetrics& user, const std::string& metric, int k) {
  const size_t c = k == 5 ? 0 : k == 10 ? 1 : 2;
  if (metric == kNdcg) return user.ndcg[c];
  if (metric == kPrecision) return user.precision[c];
  if (metric == kHitRate) return user.hit[c];
  return user.reciprocal_rank;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::pow(value - mean(values), 2);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

TEST(MetricSummary, OfOneSplitIsTheMeanOfUsersMeansWithTheirDeviation) {
  const Split split = leave_one_out_split(random_sequences(50));
  for (const unsigned seeds : {1U, 2U, 5U}) {
    MetricSummary summary;
    std::vector<Measurement> measurements;
    for (unsigned seed = 0; seed < seeds; seed++) {
      measurements.push_back(random_measurement(split, seed));
      summary.add(split, measurements.back());
    }
    const std::vector<MetricRow> rows = summary.rows();
    ASSERT_EQ(rows.size(), 22U);
    for (const MetricRow& row : rows) {
      const size_t list = row.seen == kSeenIncluded ? 0 : 1;
      std::vector<double> of_user, of_seed;
      for (const Measurement& measured : measurements) {
        std::vector<double> users;
        for (const UserMetrics& user : measured.users[list])
          users.push_back(value_of(user, row.metric, row.k));
        of_seed.push_back(row.metric == kCoverage ? measured.coverage[list] : mean(users));
      }
      for (size_t user = 0; user < split.test_users.size(); user++) {
        std::vector<double> over_seeds;
        for (const Measurement& measured : measurements)
          over_seeds.push_back(value_of(measured.users[list][user], row.metric, row.k));
        of_user.push_back(mean(over_seeds));
      }
      EXPECT_NEAR(row.value, mean(of_seed), 1e-14);
      if (seeds == 1) {
        EXPECT_EQ(row.seed_deviation, std::nullopt);
      } else {
        EXPECT_NEAR(row.seed_deviation.value(), deviation(of_seed), 1e-14);
      }
      if (row.metric == kCoverage) {
        EXPECT_EQ(row.standard_error, std::nullopt);
      } else {
        EXPECT_NEAR(row.standard_error.value(),
                    deviation(of_user) / std::sqrt(static_cast<double>(of_user.size())), 1e-14);
      }
    }
  }
}

// The delete-one-user jackknife of the mean is another road to its standard error: leave a user out
// of all splits, and see how far the mean moves.
TEST(MetricSummary, OfSeveralSplitsHasTheErrorThatAJackknifeOverUsersGives) {
  const Sequences s = random_sequences(900);
  MetricSummary summary;
  std::map<size_t, std::vector<double>> by_user;  // NDCG@10 of each time he was asked
  double asked = 0, total = 0;
  std::vector<double> of_split;
  for (unsigned seed = 0; seed < 6; seed++) {
    const Split split = amazon_split(s, seed);
    const Measurement measured = random_measurement(split, seed);
    summary.add(split, measured);
    double sum = 0;
    for (size_t test = 0; test < split.test_users.size(); test++) {
      by_user[split.test_users[test]].push_back(measured.users[0][test].ndcg[1]);
      sum += measured.users[0][test].ndcg[1];
      asked++;
    }
    total += sum;
    of_split.push_back(sum / static_cast<double>(split.test_users.size()));
  }
  double squares = 0;
  const double pooled = total / asked;
  for (const auto& [user, values] : by_user) {
    const double others = (total - mean(values) * static_cast<double>(values.size())) /
                          (asked - static_cast<double>(values.size()));
    squares += (others - pooled) * (others - pooled);
  }
  const auto users = static_cast<double>(by_user.size());
  const double jackknife = std::sqrt(squares * (users - 1) / users);
  ASSERT_LT(by_user.size(), static_cast<size_t>(asked)) << "some were asked more than once";
  for (const MetricRow& row : summary.rows()) {
    if (row.metric != kNdcg || row.k != 10 || row.seen != kSeenIncluded) continue;
    EXPECT_NEAR(row.value, mean(of_split), 1e-14);
    EXPECT_NEAR(row.seed_deviation.value(), deviation(of_split), 1e-14);
    EXPECT_NEAR(row.standard_error.value() / jackknife, 1, 0.02);
  }
}

TEST(MetricSummary, OfOneUserHasNoError) {
  VectorSource source;
  for (int i = 0; i < 5; i++) source.add({"u", "i" + std::to_string(i), i});
  const Split split = leave_one_out_split(*read_sequences(source, {}, TieOrder::kArrival, 1));
  for (const MetricRow& row : metric_rows(split, random_measurement(split, 1)))
    EXPECT_EQ(row.standard_error, std::nullopt);
}

TEST(MetricSummary, OfNothingHasNoRows) {
  VectorSource source;
  source.add({"u", "i", 1});
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  MetricSummary summary;
  summary.add(leave_one_out_split(s), {});
  EXPECT_TRUE(summary.rows().empty());
}

}  // namespace
}  // namespace personalize
