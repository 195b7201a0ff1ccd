// What a training says about itself: whether there is enough to learn from, and what it reached.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/status.h"
#include "engine/store/records.h"
#include "engine/training/job.h"

namespace personalize {

// Amazon Personalize refuses to train on less; here it is advice.
inline constexpr int64_t kAdvisedInteractions = 1000;
inline constexpr int64_t kAdvisedUsers = 25;  // with two interactions or more

// Errors: kInvalidInput if there is nothing to learn from, saying whether it is the solution's
// event_type or event_value_threshold that left nothing.
Status check_enough_to_train(const Sequences& sequences, const Solution& solution);

// One line of what was measured: the model's NDCG@10 with its standard error, and its rivals'.
std::string evaluation_summary(const std::vector<MetricRow>& metrics, size_t test_users);

}  // namespace personalize
