#include "engine/training/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/training/metrics.h"

namespace personalize {
namespace {

constexpr int64_t kLargestSeconds = 100'000'000'000;  // the year 5138; as milliseconds: 1973
constexpr int64_t kClocksDiffer = 24 * 3600;

std::string few_interactions(const Sequences& sequences) {
  int64_t users = 0;
  for (size_t u = 0; u < sequences.user_count(); u++)
    users += sequences.start[u + 1] - sequences.start[u] >= 2;
  const auto events = static_cast<int64_t>(sequences.event_count());
  if (events >= kAdvisedInteractions && users >= kAdvisedUsers) return {};
  return fmt::format(
      "there are {} interactions and {} users with 2 or more; expect little of a model below {} "
      "interactions and {} such users (Amazon Personalize would refuse)",
      events, users, kAdvisedInteractions, kAdvisedUsers);
}

}  // namespace

Status check_enough_to_train(const Sequences& sequences, const Solution& solution) {
  if (sequences.event_count() > 0) return Status::ok();
  if (sequences.rows_read == 0) {
    return {StatusCode::kInvalidInput,
            fmt::format("dataset group '{}' has 0 interactions; training needs at least 1, and "
                        "{} from {} users to be worth anything",
                        solution.dataset_group, kAdvisedInteractions, kAdvisedUsers)};
  }
  std::string wanted;
  if (!solution.filter.event_type.empty())
    wanted = fmt::format("event_type '{}'", solution.filter.event_type);
  if (solution.filter.has_threshold) {
    wanted += fmt::format("{}an event_value of {} or more", wanted.empty() ? "" : " and ",
                          solution.filter.event_value_threshold);
  }
  return {StatusCode::kInvalidInput,
          fmt::format("none of the {} interactions of dataset group '{}' has {}, as solution '{}' "
                      "asks for; training needs at least 1",
                      sequences.rows_read, solution.dataset_group, wanted, solution.name)};
}

std::vector<std::string> training_advice(const Sequences& sequences, int64_t now) {
  std::vector<std::string> advice;
  if (std::string few = few_interactions(sequences); !few.empty()) advice.push_back(std::move(few));

  int64_t too_large = 0, in_future = 0, largest = 0;
  for (const int64_t timestamp : sequences.timestamp) {
    too_large += timestamp > kLargestSeconds;
    in_future += timestamp > now + kClocksDiffer;
    largest = std::max(largest, timestamp);
  }
  if (too_large > 0) {
    advice.push_back(fmt::format(
        "{} timestamps are above {}, such as {}: they look like milliseconds; TIMESTAMP is in "
        "Unix seconds, so divide by 1000",
        too_large, kLargestSeconds, largest));
  } else if (in_future > 0) {
    advice.push_back(
        fmt::format("{} timestamps lie in the future, the latest is {}; TIMESTAMP is in Unix "
                    "seconds, and now is {}",
                    in_future, largest, now));
  }
  if (sequences.ties_shuffled) {
    advice.push_back(fmt::format(
        "ties shuffled: {:.0f} % of neighbouring interactions of a user have equal timestamps; in "
        "the order of the item ids they would teach that the next id is larger",
        100 * sequences.tied_share));
  }
  return advice;
}

std::string evaluation_summary(const std::vector<MetricRow>& metrics, size_t test_users) {
  std::string summary = fmt::format("{} test users", test_users);
  for (const MetricRow& row : metrics) {
    if (row.metric != kNdcg || row.k != 10) continue;
    summary += fmt::format("; seen items {}: NDCG@10 {:.4f}", row.seen, row.value);
    if (row.standard_error) summary += fmt::format(" +- {:.4f}", *row.standard_error);
    if (row.baseline) summary += fmt::format(", popularity-count {:.4f}", *row.baseline);
    if (row.markov) summary += fmt::format(", markov {:.4f}", *row.markov);
  }
  return summary;
}

}  // namespace personalize
