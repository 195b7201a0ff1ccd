#include "engine/training/advice.h"

#include <fmt/format.h>

#include "engine/training/metrics.h"

namespace personalize {

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
