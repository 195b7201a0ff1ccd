#include "engine/recipes/hrnn/cost.h"

#include <algorithm>

#include "engine/math/machine_speed.h"
#include "engine/recipes/calibration.h"
#include "engine/recipes/hrnn/training_cost.h"
#include "engine/recipes/markov_counts.h"

namespace personalize::hrnn {
namespace {

// A row at a time is multiplied by a matrix at this share of Kernels::product's speed.
constexpr double kRowShare = 0.1;

}  // namespace

FitCost fit_cost(const DataSize& size, const TrainingOptions& options, size_t calibration_users,
                 double budget_seconds) {
  const Shape shape{size.items, options.embedding, options.hidden, kGapFeatures + kMostValues};
  const TrainingCost training = training_cost(shape, size.events, options);
  const CountingCost counting = counting_cost(size, {}, options.threads);
  const auto items = static_cast<double>(size.items);
  const auto events = static_cast<double>(size.events);
  const double history = events / static_cast<double>(std::max<uint64_t>(1, size.users));
  const auto parameters = static_cast<double>(Layout(shape).size);
  const double learned = 4 * parameters + 8 * events;
  // The recency table sorts the times of all events; calibration keeps the users' logits.
  const double preparing = 2 * 8 * counting.entries +
                           4 * items * static_cast<double>(shape.embedding) + 8 * events +
                           (options.recency ? 24 * events : 0);
  const double calibrating = learned + 2 * 8 * counting.entries +
                             4 * static_cast<double>(calibration_users) * items +
                             calibration_bytes(calibration_users, counting.terms, history);

  FitCost cost;
  cost.model_bytes = 4 * parameters + 8 * counting.entries + 100 * items;
  cost.bytes = std::max({training.bytes, preparing, calibrating,
                         learned + 8 * counting.entries + counting.bytes + cost.model_bytes});
  cost.seconds = training.seconds;
  if (budget_seconds > 0) cost.seconds = std::min(cost.seconds, budget_seconds);
  cost.seconds += calibration_seconds(calibration_users, items, counting.terms, history);
  const auto d = static_cast<double>(options.embedding);
  const auto h = static_cast<double>(options.hidden);
  const double row_speed = kRowShare * machine_speed().multiply_adds;
  cost.step_seconds = (3 * d * h + 3 * h * h) / row_speed;
  cost.score_seconds = (items * d + h * d) / row_speed +
                       (3 * items + 3 * counting.terms + 3 * history) / machine_speed().updates;
  return cost;
}

}  // namespace personalize::hrnn
