#include "engine/recipes/hrnn/adam.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {
constexpr double kWarmUp = 0.05;
constexpr double kLargestNorm = 1;
constexpr double kOwnHistoryRate = 5;
constexpr size_t kSliceFloats = size_t{1} << 15;
constexpr size_t kMostGroups = 16;
}  // namespace

double schedule(double done) {
  if (done < kWarmUp) return done / kWarmUp;
  return 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, (done - kWarmUp) / (1 - kWarmUp))));
}

Adam::Adam(const Layout& layout, const ItemColumns* items)
    : layout_(layout),
      first_(layout.size),
      second_(layout.size),
      columns_(items != nullptr ? std::make_unique<ColumnAdam>(layout, *items) : nullptr) {
  const size_t d = layout.shape.embedding;
  // E's slices are whole panels; the own-history term, which learns faster, is a slice of its own.
  const size_t panels_a_slice = std::max<size_t>(1, kSliceFloats / (ItemPanels::kPanel * d));
  const size_t panels = (layout.shape.items + ItemPanels::kPanel - 1) / ItemPanels::kPanel;
  for (size_t p = 0; p < panels; p += panels_a_slice) {
    const size_t last = std::min(panels, p + panels_a_slice);
    slices_.push_back({p * ItemPanels::kPanel * d,
                       std::min(layout.shape.items, last * ItemPanels::kPanel) * d, p, last});
  }
  for (size_t begin = layout.bias; begin < layout.own; begin += kSliceFloats)
    slices_.push_back({begin, std::min(layout.own, begin + kSliceFloats), 0, 0});
  slices_.push_back({layout.own, layout.size, 0, 0});
  squares_.resize(slices_.size());
}

AdamStep Adam::at_rate(double rate, float clip) const {
  const auto steps = static_cast<double>(steps_);
  const double correction = 1 - std::pow(static_cast<double>(kAdamDecay1), steps);
  return {.rate = static_cast<float>(rate / correction),
          .second_scale = static_cast<float>(
              1 / std::sqrt(1 - std::pow(static_cast<double>(kAdamDecay2), steps))),
          .gradient_scale = clip};
}

void Adam::add_column_steps(const Slice& slice, float* parameters) const {
  const size_t d = layout_.shape.embedding;
  const size_t items = layout_.shape.items;
  if (slice.last_panel > 0) {
    columns_->move_rows(slice.begin / d, slice.end / d, parameters);
    return;
  }
  const auto item_of = [&](size_t place) {
    return std::clamp(place, layout_.bias, layout_.bias + items) - layout_.bias;
  };
  columns_->move_biases(item_of(slice.begin), item_of(slice.end), parameters);
}

void Adam::update(const Slice& slice, double rate, float clip,
                  std::vector<AlignedFloats*>& gradients, Network& network) {
  if (slice.begin == layout_.own) rate *= kOwnHistoryRate;
  const AdamStep step = at_rate(rate, clip);
  const size_t size = slice.end - slice.begin;
  kernels().adam(size, step, gradients[0]->data() + slice.begin,
                 network.parameters.data() + slice.begin, first_.data() + slice.begin,
                 second_.data() + slice.begin);
  if (columns_ != nullptr) add_column_steps(slice, network.parameters.data());
  for (AlignedFloats* gradient : gradients) std::fill_n(gradient->data() + slice.begin, size, 0.0F);
  network.panels.pack(slice.first_panel, slice.last_panel,
                      network.parameters.data() + layout_.embedding);
}

bool Adam::step(double rate, std::vector<AlignedFloats*>& gradients, Network& network,
                ThreadTeam& team, const std::function<void()>& poll) {
  // By reference: a std::function would allocate for what they capture.
  const auto sum_slice = [&](size_t i) {
    poll();
    const Slice& slice = slices_[i];
    const float* arrays[kMostGroups];
    for (size_t g = 0; g < gradients.size(); ++g) arrays[g] = gradients[g]->data() + slice.begin;
    squares_[i] = kernels().sum_arrays(slice.end - slice.begin, gradients.size(), arrays,
                                       gradients[0]->data() + slice.begin);
  };
  const bool summed = team.run(slices_.size(), std::cref(sum_slice), poll);
  double squares = 0;
  for (const double part : squares_) squares += part;
  if (!summed || !std::isfinite(squares)) return false;
  const double norm = std::sqrt(squares);
  const auto clip = static_cast<float>(norm > kLargestNorm ? kLargestNorm / norm : 1);
  ++steps_;
  if (columns_ != nullptr) {
    const AdamStep step = at_rate(rate, clip);
    const auto step_columns = [&](size_t task) {
      poll();
      columns_->step(task, step, gradients[0]->data());
    };
    if (!team.run(columns_->tasks(), std::cref(step_columns), poll)) return false;
  }
  const auto update_slice = [&](size_t i) {
    poll();
    update(slices_[i], rate, clip, gradients, network);
  };
  const bool updated = team.run(slices_.size(), std::cref(update_slice), poll);
  network.transpose();
  return updated;
}

}  // namespace personalize::hrnn
