#include "engine/recipes/hrnn/training_cost.h"

#include <algorithm>
#include <string_view>

#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/recipes/hrnn/candidates.h"
#include "engine/recipes/hrnn/features.h"
#include "engine/recipes/spectral.h"

namespace personalize::hrnn {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kMarkovWindow = 10;
constexpr double kMarkovCut = 128;
constexpr double kMemoryBandwidth = 8e9;  // bytes a second of one thread

// Multiplications and additions a second that one thread was measured to do in training, with all
// that goes with them.
double thread_throughput() {
  const std::string_view isa = kernels().isa;
  if (isa == "v4bf16") return 250e9;
  if (isa == "v4") return 150e9;
  if (isa == "v3") return 75e9;
  return 30e9;
}

struct Sizes {
  Sizes(const Shape& shape, size_t event_count, const TrainingOptions& options)
      : items(static_cast<double>(shape.items)),
        d(static_cast<double>(shape.embedding)),
        h(static_cast<double>(shape.hidden)),
        events(static_cast<double>(event_count)),
        lanes(static_cast<double>(options.lanes)),
        rows(static_cast<double>(options.lanes * options.window)),
        groups(static_cast<double>(lane_groups(options.lanes, shape.items))),
        candidates(static_cast<double>(candidate_rows(options.lanes, options.window))),
        network(3 * d * h + 3 * h * h + h * d),
        side(2 * static_cast<double>(shape.side) * d) {}
  double items, d, h, events, lanes, rows, groups, candidates;
  double network;  // weights of the network without E
  double side;     // and those of the side columns, few of which an event touches
  // Numbers learned by a network of so many items.
  double parameters(double of_items) const { return of_items * (d + 1) + network + side; }
  // What transitions are counted in, both windows.
  double markov_bytes() const {
    return 2 * 8 * std::min(items * kMarkovCut, events * kMarkovWindow) + 3 * 8 * items;
  }
};

// Seconds of one thread for all epochs.
double epoch_seconds(const Sizes& s, double epochs, bool sampled) {
  const double width = sampled ? s.candidates : s.items;
  // Twice as much on the way back as forward; an addition with each multiplication.
  const double flops = 6 * (s.network + width * s.d);
  const double updates = s.events / s.rows + 1;
  // Gradients are written, summed and cleared; parameters and moments read and written.
  const double moved = kFloat * (s.parameters(width) * (3 * s.groups + 6));
  return epochs * (s.events * flops / thread_throughput() + updates * moved / kMemoryBandwidth);
}

double start_seconds(const Sizes& s, size_t columns) {
  const double entries = 2 * std::min(s.items * kMarkovCut, s.events * kMarkovWindow / 2);
  const double all = static_cast<double>(columns);
  const double decomposition =
      (6 * 2 * entries * all + 20 * 2 * s.items * all * all) / (thread_throughput() / 4);
  return decomposition + s.events * kMarkovWindow * 3 * 20e-9;
}

double training_bytes(const Sizes& s, const TrainingOptions& options, bool sampled) {
  const double width = sampled ? s.candidates : s.items;
  const double logits = kFloat * s.groups * std::max(4 * width, static_cast<double>(1 << 22));
  const double recency =
      options.recency ? kFloat * static_cast<double>(recency_floats(static_cast<size_t>(s.items)))
                      : 0;
  const double activations = kFloat * s.rows * (6 * s.d + 16 * s.h);
  const double given = kFloat * s.items * s.d;  // E's start, kept for another attempt
  double bytes = given + kFloat * s.parameters(s.items) + recency + activations +
                 s.events * sizeof(EventFeatures);
  // A gradient a group, two moments, E packed once more.
  bytes += kFloat * s.parameters(width) * (s.groups + 2) + kFloat * width * s.d +
           std::min(logits, kFloat * s.rows * width) + 4 * s.lanes * width;
  // The items' places, counts and moments; what negatives are drawn from; recency item by item.
  if (sampled) bytes += 20 * s.items + 4 * s.events + recency;
  return bytes;
}

// Whether the full softmax is, from the seconds that each of them takes one thread.
bool is_too_dear(size_t items, double full, double sampled) {
  if (items <= kAlwaysFullItems) return false;
  if (items >= kAlwaysSampledItems) return true;
  return full > kBearableSeconds && full > kDearer * sampled;
}

}  // namespace

TrainingCost training_cost(const Shape& shape, size_t events, const TrainingOptions& options) {
  const Sizes sizes(shape, events, options);
  const auto epochs = static_cast<double>(options.epochs);
  const double full = epoch_seconds(sizes, epochs, false);
  const double sampled = epoch_seconds(sizes, epochs, true);
  TrainingCost cost;
  cost.sampled = options.softmax == Softmax::kSampled ||
                 (options.softmax == Softmax::kAuto && is_too_dear(shape.items, full, sampled));
  const size_t columns = spectral_columns(shape.items, shape.embedding);
  const auto threads = static_cast<double>(
      std::min<size_t>(static_cast<size_t>(thread_count(options.threads)),
                       lane_groups(options.lanes, cost.sampled ? 0 : shape.items)));
  cost.seconds =
      start_seconds(sizes, columns) + (cost.sampled ? sampled : full) / (0.95 * threads + 0.05);
  const double items = sizes.items;
  const double decomposing =
      kFloat * items * (sizes.d + 2 * static_cast<double>(columns)) + 2 * sizes.markov_bytes();
  const double training = training_bytes(sizes, options, cost.sampled) + sizes.markov_bytes();
  // The parameters, the blob's sections, then all of them once more as one piece.
  const double writing = 3 * kFloat * sizes.parameters(items) + 2 * sizes.markov_bytes();
  cost.bytes = std::max({decomposing, training, writing});
  return cost;
}

}  // namespace personalize::hrnn
