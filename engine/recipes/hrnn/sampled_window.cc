#include "engine/recipes/hrnn/sampled_window.h"

#include <algorithm>

namespace personalize::hrnn {
namespace {

// The bias of a row that is no candidate: e to it is 0.
constexpr float kNever = -10'000;
constexpr size_t kPanelsATask = 8;

Shape small_shape(const Shape& whole, size_t rows) {
  return {rows, whole.embedding, whole.hidden, whole.features, whole.side};
}

}  // namespace

SampledWindow::SampledWindow(const TrainingView& view, const TrainingData& training,
                             const Layout& layout, size_t rows, uint64_t seed)
    : training_(training),
      whole_(layout),
      small_(small_shape(layout.shape, rows)),
      candidates_(view, small_.shape.items - 1, seed) {
  const size_t items = layout.shape.items;
  const size_t buckets = training.recency.starts.size();
  recency_.resize(buckets * items);
  for (size_t b = 0; b < buckets; ++b)
    for (size_t i = 0; i < items; ++i)
      recency_[i * buckets + b] = training.recency.rows[b * items + i];
  data_.sequences = &sequences_;
  data_.session_gap = training.session_gap;
  data_.side = training.side;
  data_.recency.starts = training.recency.starts;
  data_.recency.rows.resize(buckets * small_.shape.items);
}

void SampledWindow::enter(const Window& window, uint64_t number,
                          std::span<const float* const> states) {
  find_runs(window, states);
  choose(number);
  copy(window);
}

void SampledWindow::find_runs(const Window& window, std::span<const float* const> states) {
  const size_t h = small_.shape.hidden;
  runs_.clear();
  for (size_t lane = 0; lane < window.valid.size(); ++lane)
    for (size_t t = 0; t < window.valid[lane]; ++t) {
      const size_t row = lane * window.steps + t;
      const int32_t segment = window.resumed[row];
      const bool first = window.first[row] != 0;
      if (t > 0 && !first && segment < 0) {
        ++runs_.back().steps;
        continue;
      }
      const float* before =
          segment < 0 ? states[lane]
                      : training_.resumed_states.data() + static_cast<size_t>(segment) * h;
      runs_.push_back({lane, t, 1, window.event[row], window.user[row], first ? nullptr : before});
    }
}

void SampledWindow::choose(uint64_t number) {
  const Sequences& all = *training_.sequences;
  candidates_.clear();
  for (const Run& run : runs_)
    for (size_t i = 0; i <= run.steps; ++i)
      candidates_.need(all.item[static_cast<size_t>(run.event) + i]);
  const size_t most = small_.shape.items / 2;
  bool any = true;
  for (int64_t back = 1; any && candidates_.items().size() < most; ++back) {
    any = false;
    for (const Run& run : runs_) {
      const int64_t e = run.event - back;
      if (run.state == nullptr || e < all.start[run.user]) continue;
      if (candidates_.items().size() < most) candidates_.need(all.item[static_cast<size_t>(e)]);
      any = true;
    }
  }
  candidates_.draw(number);
}

void SampledWindow::copy(const Window& window) {
  window_.steps = window.steps;
  window_.event.assign(window.event.size(), 0);
  window_.first = window.first;
  window_.resumed.assign(window.resumed.size(), -1);
  window_.user.assign(window.user.size(), 0);
  window_.valid = window.valid;
  sequences_.start.clear();
  sequences_.item.clear();
  sequences_.timestamp.clear();
  data_.features.clear();
  data_.user_weight.clear();
  data_.side_event.clear();
  data_.side_user.clear();
  data_.resumed_states.clear();
  std::vector<uint8_t> used(data_.recency.starts.size());
  for (const Run& run : runs_) copy(run, window.steps);
  for (const Run& run : runs_)
    for (size_t i = 0; i < run.steps && !used.empty(); ++i)
      used[recency_bucket_of(data_.recency.starts,
                             training_.sequences->timestamp[static_cast<size_t>(run.event) + i])] =
          1;
  buckets_.clear();
  for (size_t b = 0; b < used.size(); ++b)
    if (used[b] != 0) buckets_.push_back(static_cast<uint32_t>(b));
}

void SampledWindow::copy(const Run& run, size_t steps) {
  const Sequences& all = *training_.sequences;
  const auto none = static_cast<ItemIndex>(small_.shape.items - 1);
  const auto number = static_cast<uint32_t>(data_.user_weight.size());
  const int64_t begin = run.state == nullptr ? run.event : all.start[run.user];
  const int64_t last = run.event + static_cast<int64_t>(run.steps);
  sequences_.start.push_back(static_cast<int64_t>(sequences_.item.size()));
  data_.user_weight.push_back(training_.user_weight[run.user]);
  data_.side_user.push_back(run.user);
  size_t row = run.lane * steps + run.step;
  if (run.state != nullptr) {
    const size_t h = small_.shape.hidden;
    window_.resumed[row] = static_cast<int32_t>(data_.resumed_states.size() / h);
    data_.resumed_states.insert(data_.resumed_states.end(), run.state, run.state + h);
  }
  for (int64_t e = begin; e <= last; ++e) {
    const auto i = static_cast<size_t>(e);
    const bool input = e >= run.event && e < last;
    if (input) {
      window_.event[row] = static_cast<int64_t>(sequences_.item.size());
      window_.user[row++] = number;
    }
    const int32_t place = candidates_.place(all.item[i]);
    sequences_.item.push_back(place < 0 ? none : place);
    sequences_.timestamp.push_back(all.timestamp[i]);
    data_.features.push_back(input ? training_.features[i] : EventFeatures{});
    data_.side_event.push_back(e);
  }
}

void SampledWindow::gather_row(size_t row, const AlignedFloats& parameters, Network& network) {
  const size_t d = small_.shape.embedding;
  float* p = network.parameters.data();
  float* to = p + small_.embedding + row * d;
  const size_t buckets = data_.recency.starts.size();
  if (row >= items().size()) {
    std::fill_n(to, d, 0.0F);
    p[small_.bias + row] = kNever;
    for (const uint32_t b : buckets_) data_.recency.rows[b * small_.shape.items + row] = 0;
    return;
  }
  const auto item = static_cast<size_t>(items()[row]);
  std::copy_n(parameters.data() + whole_.embedding + item * d, d, to);
  p[small_.bias + row] = parameters[whole_.bias + item] + candidates_.corrections()[row];
  for (const uint32_t b : buckets_)
    data_.recency.rows[b * small_.shape.items + row] = recency_[item * buckets + b];
}

bool SampledWindow::gather(const AlignedFloats& parameters, Network& network, ThreadTeam& team,
                           const std::function<void()>& poll) {
  const size_t panels = network.panels.count();
  return team.run((panels + kPanelsATask - 1) / kPanelsATask,
                  [&](size_t task) {
                    poll();
                    const size_t first = task * kPanelsATask;
                    const size_t last = std::min(panels, first + kPanelsATask);
                    const size_t end = std::min(small_.shape.items, last * ItemPanels::kPanel);
                    for (size_t row = first * ItemPanels::kPanel; row < end; ++row)
                      gather_row(row, parameters, network);
                    network.panels.pack(first, last, network.parameters.data() + small_.embedding);
                  },
                  poll);
}

}  // namespace personalize::hrnn
