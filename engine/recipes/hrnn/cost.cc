#include "engine/recipes/hrnn/cost.h"

#include <algorithm>

#include "engine/math/machine_speed.h"
#include "engine/math/parallel.h"
#include "engine/recipes/calibration.h"
#include "engine/recipes/hrnn/candidates.h"
#include "engine/recipes/hrnn/cold_calibration.h"
#include "engine/recipes/hrnn/item_ridge.h"
#include "engine/recipes/hrnn/training_cost.h"
#include "engine/recipes/item_vectors.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/spectral.h"

namespace personalize::hrnn {
namespace {

// Measured, as shares of what the probe of the machine says: an epoch's products, those of the
// decomposition, which are tall or sparse, and those of a row at a time with a matrix.
constexpr double kEpochShare = 0.8;
constexpr double kDecompositionShare = 0.2;
constexpr double kRowShare = 0.1;
// What each thread but the first adds, of itself.
constexpr double kThreadShare = 0.95;
constexpr double kMemoryBandwidth = 8e9;  // bytes a second of one thread

// Of one thread, for one epoch over `width` items an event.
double epoch_seconds(const Shape& shape, double width, double events, double history,
                     const TrainingOptions& options) {
  const MachineSpeed& speed = machine_speed();
  const auto d = static_cast<double>(shape.embedding);
  const auto h = static_cast<double>(shape.hidden);
  const double network = 3 * d * h + 3 * h * h + h * d;
  // Twice as much on the way back as forward.
  const double products =
      (3 * width * d / speed.softmax_products + 3 * network / speed.products) / kEpochShare;
  const double own_history = 4 * history / speed.updates;
  const auto rows = static_cast<double>(options.lanes * options.window);
  const auto groups = static_cast<double>(lane_groups(options.lanes, static_cast<size_t>(width)));
  // Gradients are written, summed and cleared; parameters and moments read and written.
  const double moved = 4 * (width * (d + 1) + network) * (3 * groups + 6);
  return events * (products + own_history + moved / rows / kMemoryBandwidth);
}

// Of E's start: the sparse matrix six times, and what makes tall matrices orthonormal.
double decomposition_seconds(const Shape& shape, double entries) {
  const auto columns = static_cast<double>(spectral_columns(shape.items, shape.embedding));
  const double products =
      6 * 2 * entries * columns + 20 * static_cast<double>(shape.items) * columns * columns;
  return products / (kDecompositionShare * machine_speed().products);
}

// Columns of metadata, of which a dataset of few rows has few.
struct Columns {
  size_t items = 0, side = 0;
};

Columns columns_at_most(const DataSize& size) {
  constexpr uint64_t kNumbers = 256;  // buckets of numeric fields, of however few rows
  constexpr uint64_t kValuesARow = 8;
  const auto at_most = [](uint64_t rows) {
    return static_cast<size_t>(std::min<uint64_t>(kMostColumns, kNumbers + kValuesARow * rows));
  };
  return {at_most(size.items), at_most(size.users) + at_most(size.events)};
}

// Which columns items, users and contexts have.
double told_bytes(const DataSize& size) {
  constexpr double kRowBytes = 64;
  return kRowBytes * static_cast<double>(size.items + size.users) +
         4 * static_cast<double>(size.events);
}

// Four arrays of moments, steps and gradients.
double column_adam_bytes(const Columns& columns, const Shape& shape) {
  return 4 * 4 * static_cast<double>(columns.items) * static_cast<double>(shape.embedding + 16);
}

// The ridge's arrays, of each thread one set; items left out; the scores that alpha and beta are
// fitted on.
double unseen_bytes(const Columns& columns, const DataSize& size, const TrainingOptions& options) {
  if (columns.items == 0) return 0;
  const auto items = static_cast<double>(size.items);
  const auto d = static_cast<double>(options.embedding + 1);
  const double left_out = std::min<double>(items, static_cast<double>(kMostLeftOut));
  const auto cases = static_cast<double>(cold_cases(static_cast<size_t>(left_out)));
  return 4 *
         (static_cast<double>(columns.items) * (d + 6 * 64 * thread_count(options.threads)) +
          left_out * d + cases * (items + left_out) + 8 * items * thread_count(options.threads));
}

// Of the codes of E.
double code_bytes(const Shape& shape) {
  if (!worth_codes(shape.items, shape.embedding)) return 0;
  return static_cast<double>(code_count(shape.items, shape.embedding) +
                             2 * scale_count(shape.items));
}

constexpr double kEncoderBytes = 64;  // of a column, its text among them

}  // namespace

FitCost fit_cost(const DataSize& size, const TrainingOptions& options, size_t calibration_users,
                 double budget_seconds, bool metadata) {
  const Columns columns = metadata ? columns_at_most(size) : Columns{};
  const Shape shape{size.items, options.embedding, options.hidden, kGapFeatures + kMostValues,
                    columns.side};
  const TrainingCost training = training_cost(shape, size.events, options);
  const CountingCost counting = counting_cost(size, {}, options.threads);
  const auto items = static_cast<double>(size.items);
  const auto events = static_cast<double>(size.events);
  const double history = events / static_cast<double>(std::max<uint64_t>(1, size.users));
  const auto parameters = static_cast<double>(Layout(shape).size);
  const double placing = unseen_bytes(columns, size, options);
  const double learned = 4 * parameters + 8 * events + (metadata ? told_bytes(size) : 0);
  // The recency table sorts the times of all events; calibration keeps the users' logits.
  const double preparing = 2 * 8 * counting.entries +
                           4 * items * static_cast<double>(shape.embedding) + 8 * events +
                           (options.recency ? 24 * events : 0);
  const double calibrating = learned + 2 * 8 * counting.entries +
                             4 * static_cast<double>(calibration_users) *
                                 (items + static_cast<double>(options.embedding)) +
                             calibration_bytes(calibration_users, counting.terms, history);

  FitCost cost;
  cost.model_bytes =
      4 * parameters + code_bytes(shape) + 8 * counting.entries + 100 * items +
      (metadata ? 4 * static_cast<double>(columns.items * (shape.embedding + 1)) +
                      kEncoderBytes * static_cast<double>(columns.items + columns.side)
                : 0);
  cost.bytes = std::max(
      {training.bytes + column_adam_bytes(columns, shape), preparing, calibrating + placing,
       learned + 8 * counting.entries + counting.bytes + code_bytes(shape) + cost.model_bytes});
  const double width =
      training.sampled ? static_cast<double>(candidate_rows(options.lanes, options.window)) : items;
  const auto threads =
      static_cast<double>(std::min<size_t>(static_cast<size_t>(thread_count(options.threads)),
                                           lane_groups(options.lanes, static_cast<size_t>(width))));
  cost.seconds = static_cast<double>(options.epochs) *
                 epoch_seconds(shape, width, events, history, options) /
                 (1 + kThreadShare * (threads - 1));
  if (budget_seconds > 0) cost.seconds = std::min(cost.seconds, budget_seconds);
  cost.seconds += 2.5 * counting.seconds + decomposition_seconds(shape, counting.entries / 2) +
                  calibration_seconds(calibration_users, items, counting.terms, history);
  const auto d = static_cast<double>(options.embedding);
  const auto h = static_cast<double>(options.hidden);
  const double row_speed = kRowShare * machine_speed().products;
  cost.step_seconds = (3 * d * h + 3 * h * h) / row_speed;
  cost.score_seconds = (items * d + h * d) / row_speed +
                       (3 * items + 3 * counting.terms + 3 * history) / machine_speed().updates;
  return cost;
}

}  // namespace personalize::hrnn
