// How good a model is on one split: the metrics of Amazon Personalize's GetSolutionMetrics, over
// all items.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "engine/dataset/split.h"
#include "engine/ids.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/records.h"

namespace personalize {

// Names as in MetricRow::metric.
inline constexpr std::string_view kPrecision = "precision";
inline constexpr std::string_view kNdcg = "normalized_discounted_cumulative_gain";
inline constexpr std::string_view kHitRate = "hit_rate";
inline constexpr std::string_view kMeanReciprocalRank = "mean_reciprocal_rank";
inline constexpr std::string_view kCoverage = "coverage";
inline constexpr std::string_view kSeenIncluded = "included";
inline constexpr std::string_view kSeenExcluded = "excluded";

inline constexpr std::array<int, 3> kCutoffs = {5, 10, 25};
inline constexpr int kLastReciprocalRank = 25;
inline constexpr int64_t kNotRanked = std::numeric_limits<int64_t>::max();

// The ranks (from 1) of the relevant items, best first, among all of `scores`. Ties count against
// the model: among equal scores the items that are not relevant come first. A relevant item whose
// score is no number or -infinity is kNotRanked. `relevant` holds distinct indices of `scores`.
std::vector<int64_t> ranks_of(std::span<const float> scores, std::span<const ItemIndex> relevant);

// One user's metrics; arrays are by kCutoffs. `ranks` are those of all his relevant items, one or
// more.
//   precision: relevant items among the first K, divided by K
//   ndcg:      sum of 1 / log(1 + rank) of those, divided by that of the best order, in which
//              min(K, relevant items) stand first
//   hit:       1 if there is one, else 0
//   reciprocal_rank: 1 / rank of the first relevant item, 0 past kLastReciprocalRank
struct UserMetrics {
  std::array<double, 3> precision = {}, ndcg = {}, hit = {};
  double reciprocal_rank = 0;
};
UserMetrics user_metrics(std::span<const int64_t> ranks);

// What a model reached on a split. Two lists: [0] with items of the history left in the ranking
// (Amazon's way), [1] with them taken out (a withheld item that the user had before is then a
// miss).
struct Measurement {
  std::array<std::vector<UserMetrics>, 2> users;  // by the split's test user
  // The number of distinct items in the test users' lists of 25, divided by the number of items.
  std::array<double, 2> coverage = {};
};

// Asks `model` about each test user of `split`: folds his history through the model and scores all
// items. A model that reads metadata is given that of the contexts, as the sequences have them, and
// of `users` (null: none is known); the context of the question is that of the first withheld
// event. Runs on `threads` threads of its own; the result does not depend on how many. Errors:
// kInterrupted soon after stop(), asked on the calling thread, says so.
Result<Measurement> measure_users(const Model& model, const Split& split, int threads,
                                  const std::function<bool()>& stop,
                                  const MetadataTable* users = nullptr);

// The same as rows of averages over the test users (metric_rows); `baseline` and
// `markov` of the rows are left empty. No rows if the split has no test users.
Result<std::vector<MetricRow>> measure(const Model& model, const Split& split, int threads,
                                       const std::function<bool()>& stop);

}  // namespace personalize
