#include "engine/recipes/hrnn/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>

#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/math/random.h"
#include "engine/recipes/hrnn/adam.h"
#include "engine/recipes/hrnn/lazy_adam.h"
#include "engine/recipes/hrnn/sampled_window.h"
#include "engine/recipes/hrnn/training_cost.h"

namespace personalize::hrnn {
namespace {

constexpr uint64_t kStream = 0x1217;
constexpr double kUserWeightPower = -0.3;
constexpr float kFirstRho = 0.3F;
constexpr double kDroppedContexts = 0.25;
constexpr size_t kProbeWindows = 6;
// Trained ones are below 100; products of numbers up to this size are still far from overflow.
constexpr float kLargestParameter = 1e6F;

Status beyond_bounds() {
  return {StatusCode::kInternal, "the network's numbers grew beyond bounds"};
}

// False for what is no number, too.
bool within(std::span<const float> values, float bound) {
  return std::all_of(values.begin(), values.end(),
                     [bound](float x) { return std::abs(x) <= bound; });
}

// Whether the training is to stop, asked from any thread: the calling one asks the caller, at most
// every 10 ms, and tells the others.
class Stop {
 public:
  explicit Stop(const std::function<bool()>& ask) : ask_(ask), owner_(std::this_thread::get_id()) {}
  bool operator()() {
    if (std::this_thread::get_id() == owner_) {
      const auto now = std::chrono::steady_clock::now();
      if (!stopped_ && now - asked_ > std::chrono::milliseconds(10)) {
        asked_ = now;
        if (ask_()) stopped_ = true;
      }
    }
    return stopped_;
  }

 private:
  const std::function<bool()>& ask_;
  const std::thread::id owner_;
  std::chrono::steady_clock::time_point asked_{};
  std::atomic<bool> stopped_ = false;
};

// Weights of users' events: n^-0.3 for n events, scaled to mean 1 over all events. Metrics count
// users, not events, and so weigh a short history more than plain likelihood does.
std::vector<float> user_weights(const TrainingView& data) {
  std::vector<float> weights(data.end.size());
  double sum = 0;
  double events = 0;
  for (size_t user = 0; user < weights.size(); ++user) {
    const auto n = static_cast<double>(data.length(user));
    if (n < 2) continue;
    weights[user] = static_cast<float>(std::pow(n, kUserWeightPower));
    sum += weights[user] * (n - 1);
    events += n - 1;
  }
  if (sum > 0)
    for (float& weight : weights) weight = static_cast<float>(weight * (events / sum));
  return weights;
}

TrainingData prepare(const TrainingView& data, const TrainingOptions& options,
                     std::span<const float> value_columns) {
  const Sequences& all = *data.sequences;
  TrainingData prepared;
  prepared.sequences = &all;
  prepared.session_gap = options.session_gap;
  prepared.user_weight = user_weights(data);
  if (options.recency) prepared.recency = recency_table(data);
  prepared.side = options.metadata.side;
  prepared.features.resize(all.event_count());
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      const auto i = static_cast<size_t>(e);
      const bool first = e == data.begin(user);
      prepared.features[i] =
          event_features(first, first ? 0 : seconds_between(all.timestamp[i - 1], all.timestamp[i]),
                         all.value[i], value_columns);
    }
  return prepared;
}

Layout layout_of(const TrainingView& data, const TrainingOptions& options,
                 std::span<const float> value_columns) {
  return Layout({data.sequences->item_count(), options.embedding, options.hidden,
                 kGapFeatures + value_columns.size(),
                 options.metadata.side != nullptr ? options.metadata.side->size() : 0});
}

// A random orthogonal size x size block, written with row stride `stride`: Gram and Schmidt's
// method on normal rows.
void orthogonal_block(size_t size, size_t stride, Random& random, float* out) {
  std::vector<double> rows(size * size);
  for (size_t i = 0; i < size; ++i) {
    double* row = rows.data() + i * size;
    double norm = 0;
    while (norm < 1e-3) {
      for (size_t j = 0; j < size; ++j) row[j] = random.normal();
      for (size_t other = 0; other < i; ++other) {
        const double* with = rows.data() + other * size;
        double along = 0;
        for (size_t j = 0; j < size; ++j) along += row[j] * with[j];
        for (size_t j = 0; j < size; ++j) row[j] -= along * with[j];
      }
      norm = 0;
      for (size_t j = 0; j < size; ++j) norm += row[j] * row[j];
      norm = std::sqrt(norm);
    }
    for (size_t j = 0; j < size; ++j) {
      row[j] /= norm;
      out[i * stride + j] = static_cast<float>(row[j]);
    }
  }
}

// What a sampled softmax needs besides a network, which then knows the candidates of one window
// only.
struct Sampling {
  Sampling(const TrainingView& data, const TrainingOptions& options, const Layout& whole,
           const TrainingData& prepared)
      : layout(whole),
        window(data, prepared, whole, candidate_rows(options.lanes, options.window), options.seed),
        adam(whole, window.layout()),
        parameters(whole.size) {}

  // What all windows share lies at the end of both arrays: the network without E and b.
  size_t shared() const { return layout.size - layout.feature; }

  const Layout layout;
  SampledWindow window;
  LazyAdam adam;
  AlignedFloats parameters;  // of all items
};

class Trainer {
 public:
  // All but `view` must outlive it.
  Trainer(const TrainingView& view, std::span<const Segment> segments,
          const TrainingOptions& options, const Layout& layout, const TrainingData& prepared,
          Progress& progress, const std::function<bool()>& stop)
      : options_(options),
        data_(prepared),
        progress_(progress),
        stop_(stop),
        batches_(*prepared.sequences, segments, options.lanes, options.window, options.seed),
        sampling_(is_sampled(layout, options, batches_.events())
                      ? std::make_unique<Sampling>(view, options, layout, prepared)
                      : nullptr),
        network_(sampling_ != nullptr ? sampling_->window.layout() : layout),
        adam_(sampling_ != nullptr
                  ? nullptr
                  : std::make_unique<Adam>(layout, options.metadata.items.bags != nullptr
                                                       ? &options.metadata.items
                                                       : nullptr)),
        team_(std::min<int>(
            thread_count(options.threads),
            static_cast<int>(lane_groups(options.lanes, network_.layout.shape.items)))) {
    const size_t groups = lane_groups(options.lanes, network_.layout.shape.items);
    for (size_t g = 0; g < groups; ++g) {
      const size_t first = g * options.lanes / groups;
      const size_t last = (g + 1) * options.lanes / groups;
      groups_.push_back(std::make_unique<LaneGroup>(network_.layout, first, last - first,
                                                    options.window, options.session_gap));
      gradients_.push_back(&groups_.back()->gradient());
    }
    losses_.resize(groups);
  }

  // Of all items: to be set before a training and taken after it.
  AlignedFloats& parameters() {
    return sampling_ != nullptr ? sampling_->parameters : network_.parameters;
  }

  Status run() {
    start();
    for (size_t epoch = 0; epoch < options_.epochs; ++epoch)
      PERSONALIZE_RETURN_IF_ERROR(run_epoch(epoch));
    if (sampling_ != nullptr)
      std::copy_n(network_.parameters.data() + network_.layout.feature, sampling_->shared(),
                  sampling_->parameters.data() + sampling_->layout.feature);
    return Status::ok();
  }

  // Seconds an epoch would take, from a few of its windows.
  Result<double> probe() {
    start();
    batches_.begin_epoch(0);
    for (auto& group : groups_) group->start_epoch();
    size_t total = 0;
    size_t windows = 0;
    for (; windows < kProbeWindows && batches_.next(window_, total); ++windows)
      PERSONALIZE_RETURN_IF_ERROR(run_window(total, schedule(0)));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    return seconds.count() * static_cast<double>(batches_.windows_in_epoch()) /
           static_cast<double>(std::max<size_t>(1, windows));
  }

 private:
  static bool is_sampled(const Layout& layout, const TrainingOptions& options, size_t events) {
    return training_cost(layout.shape, events, options).sampled;
  }

  void start() {
    if (sampling_ != nullptr)
      std::copy_n(sampling_->parameters.data() + sampling_->layout.feature, sampling_->shared(),
                  network_.parameters.data() + network_.layout.feature);
    else
      network_.panels.pack(0, network_.panels.count(),
                           network_.parameters.data() + network_.layout.embedding);
    network_.transpose();
    start_ = std::chrono::steady_clock::now();
  }

  Status run_epoch(size_t epoch) {
    batches_.begin_epoch(epoch);
    for (auto& group : groups_) group->start_epoch();
    const auto windows = static_cast<double>(batches_.windows_in_epoch());
    double loss = 0;
    size_t total = 0;
    for (size_t w = 0; batches_.next(window_, total); ++w) {
      const double done = (static_cast<double>(epoch) + (static_cast<double>(w) + 0.5) / windows) /
                          static_cast<double>(options_.epochs);
      PERSONALIZE_RETURN_IF_ERROR(run_window(total, schedule(done)));
      for (const double part : losses_) loss += part * static_cast<double>(total);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    const auto events = static_cast<double>(batches_.events());
    progress_.epoch({static_cast<int>(epoch) + 1, static_cast<int>(options_.epochs),
                     events > 0 ? loss / events : 0, seconds.count(),
                     events * static_cast<double>(epoch + 1) / seconds.count()});
    return Status::ok();
  }

  Status run_window(size_t total, double rate_factor) {
    const std::function<bool()> stop = [this] { return stop_(); };
    const std::function<void()> poll = [this] { stop_(); };
    const SideColumns* side = options_.metadata.side;
    const Dropout dropout{options_.dropout, options_.seed, updates_++,
                          side != nullptr && side->context_size() > 0 ? kDroppedContexts : 0};
    if (sampling_ != nullptr && !enter_sampled_window(dropout.window, poll)) return no_memory();
    const Window& window = sampling_ != nullptr ? sampling_->window.window() : window_;
    const TrainingData& data = sampling_ != nullptr ? sampling_->window.data() : data_;
    const auto run_group = [&](size_t g) {
      losses_[g] = groups_[g]->run(network_, data, window, total, dropout, stop);
    };
    const bool ran = team_.run(groups_.size(), std::cref(run_group), poll);
    if (stop_()) return {StatusCode::kInterrupted, "training was interrupted"};
    // A window that is not full moves the parameters less.
    const double full =
        static_cast<double>(total) / static_cast<double>(options_.lanes * options_.window);
    const double rate = options_.learning_rate * rate_factor * std::sqrt(std::min(1.0, full));
    if (!ran) return no_memory();
    const bool learned = sampling_ != nullptr
                             ? sampling_->adam.step(rate, sampling_->window.items(), gradients_,
                                                    sampling_->parameters, network_, team_, poll)
                             : adam_->step(rate, gradients_, network_, team_, poll);
    if (!learned) return beyond_bounds();
    return Status::ok();
  }

  // False if memory ran out.
  bool enter_sampled_window(uint64_t number, const std::function<void()>& poll) {
    const size_t h = network_.layout.shape.hidden;
    states_.clear();
    for (const auto& group : groups_)
      for (size_t i = 0; i < group->states().size(); i += h)
        states_.push_back(group->states().data() + i);
    sampling_->window.enter(window_, number, states_);
    return sampling_->window.gather(sampling_->parameters, network_, team_, poll);
  }

  static Status no_memory() { return {StatusCode::kNoMemory, "not enough memory to train hrnn"}; }

  const TrainingOptions& options_;
  const TrainingData& data_;
  Progress& progress_;
  Stop stop_;
  Batches batches_;
  std::unique_ptr<Sampling> sampling_;  // null: the softmax is full
  Network network_;
  std::unique_ptr<Adam> adam_;  // null: the softmax is sampled
  ThreadTeam team_;
  std::vector<std::unique_ptr<LaneGroup>> groups_;
  std::vector<AlignedFloats*> gradients_;
  std::vector<double> losses_;
  std::vector<const float*> states_;  // one a lane
  Window window_;
  uint64_t updates_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

size_t lane_groups(size_t lanes, size_t items) {
  const size_t most = items <= 50'000 ? 4 : items <= 200'000 ? 2 : 1;
  return std::min(lanes, most);
}

void initialise(const Layout& layout, bool recency, std::span<const float> embedding, uint64_t seed,
                std::span<float> parameters) {
  const size_t d = layout.shape.embedding;
  const size_t h = layout.shape.hidden;
  Random random(seed, kStream);
  float* p = parameters.data();
  std::fill(parameters.begin(), parameters.end(), 0.0F);
  std::copy(embedding.begin(), embedding.end(), p + layout.embedding);
  const auto uniform = [&](size_t offset, size_t count, double bound) {
    for (size_t i = 0; i < count; ++i)
      p[offset + i] = static_cast<float>(bound * (2 * random.uniform() - 1));
  };
  uniform(layout.input, d * 3 * h, 0.7 * std::sqrt(3.0 / static_cast<double>(d)));
  uniform(layout.output, h * d, std::sqrt(3.0 / static_cast<double>(h)));
  for (size_t gate = 0; gate < 3; ++gate)
    orthogonal_block(h, 3 * h, random, p + layout.recurrent + gate * h);
  for (size_t i = 0; i < layout.shape.features * d; ++i)
    p[layout.feature + i] = static_cast<float>(0.02 * random.normal());
  for (size_t i = 0; i < layout.shape.side * d; ++i)
    p[layout.side_input + i] = static_cast<float>(0.02 * random.normal());
  if (recency) p[layout.rho] = kFirstRho;
}

Result<double> seconds_per_epoch(const TrainingView& data, const TrainingOptions& options,
                                 std::span<const float> embedding, Progress& progress,
                                 const std::function<bool()>& stop) {
  const std::vector<float> columns = value_columns(data);
  const TrainingData prepared = prepare(data, options, columns);
  const Layout layout = layout_of(data, options, columns);
  const std::vector<Segment> segments = whole_histories(data);
  Trainer trainer(data, segments, options, layout, prepared, progress, stop);
  initialise(layout, options.recency, embedding, options.seed, trainer.parameters().span());
  return trainer.probe();
}

Result<Trained> train(const TrainingView& data, const TrainingOptions& options,
                      std::span<const float> embedding, const WarmStart* warm, Progress& progress,
                      const std::function<bool()>& stop) {
  std::vector<float> columns = warm != nullptr ? warm->value_columns : value_columns(data);
  TrainingData prepared = prepare(data, options, columns);
  if (warm != nullptr) prepared.resumed_states = warm->states;
  const std::vector<Segment> segments = warm != nullptr ? warm->segments : whole_histories(data);
  const Layout layout = layout_of(data, options, columns);
  Trainer trainer(data, segments, options, layout, prepared, progress, stop);
  AlignedFloats& parameters = trainer.parameters();
  if (warm != nullptr)
    std::copy_n(warm->parameters.data(), layout.size, parameters.data());
  else
    initialise(layout, options.recency, embedding, options.seed, parameters.span());
  PERSONALIZE_RETURN_IF_ERROR(trainer.run());
  if (!within(parameters.span(), kLargestParameter)) return beyond_bounds();
  return Trained{layout, std::move(parameters), std::move(prepared.recency), std::move(columns)};
}

}  // namespace personalize::hrnn
