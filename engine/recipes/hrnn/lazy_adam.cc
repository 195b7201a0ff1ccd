#include "engine/recipes/hrnn/lazy_adam.h"

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {

constexpr double kLargestNorm = 1;
constexpr double kOwnHistoryRate = 5;
constexpr size_t kRowsASlice = 256;
constexpr size_t kSliceFloats = size_t{1} << 15;
constexpr size_t kMostGroups = 16;
constexpr double kDecay = kAdamDecay2;

}  // namespace

LazyAdam::LazyAdam(const Layout& whole, const Layout& small)
    : whole_(whole),
      small_(small),
      rows_(whole.shape.items),
      first_(small.size - small.feature),
      second_(small.size - small.feature) {
  const size_t d = small.shape.embedding;
  for (size_t row = 0; row < small.shape.items; row += kRowsASlice) {
    const size_t last = std::min(small.shape.items, row + kRowsASlice);
    slices_.push_back({small.embedding + row * d, small.embedding + last * d, row, last});
  }
  for (size_t begin = small.feature; begin < small.own; begin += kSliceFloats)
    slices_.push_back({begin, std::min(small.own, begin + kSliceFloats), 0, 0});
  slices_.push_back({small.own, small.size, 0, 0});
  squares_.resize(slices_.size());
}

double LazyAdam::sum(const Slice& slice, std::vector<AlignedFloats*>& gradients) const {
  const auto part = [&](size_t begin, size_t end) {
    const float* arrays[kMostGroups];
    for (size_t g = 0; g < gradients.size(); ++g) arrays[g] = gradients[g]->data() + begin;
    return kernels().sum_arrays(end - begin, gradients.size(), arrays,
                                gradients[0]->data() + begin);
  };
  return part(slice.begin, slice.end) +
         part(small_.bias + slice.first_row, small_.bias + slice.last_row);
}

void LazyAdam::update_rows(const Slice& slice, double rate, float clip,
                           std::span<const ItemIndex> items, std::vector<AlignedFloats*>& gradients,
                           AlignedFloats& parameters) {
  const size_t d = small_.shape.embedding;
  const float* gradient = gradients[0]->data();
  const double second_scale = 1 / (1 - std::pow(kDecay, steps_));
  const double scale = static_cast<double>(clip) * clip * (1 - kDecay);
  // What a gradient is multiplied with.
  const auto length = [&](double square) {
    return rate * clip / (std::sqrt(square * second_scale) + static_cast<double>(kAdamEpsilon));
  };
  const size_t last = std::min(slice.last_row, items.size());
  for (size_t r = slice.first_row; r < last; ++r) {
    const auto item = static_cast<size_t>(items[r]);
    Row& row = rows_[item];
    float* embedding = parameters.data() + whole_.embedding + item * d;
    const float* g = gradient + small_.embedding + r * d;
    double squares = 0;
    for (size_t i = 0; i < d; ++i) squares += static_cast<double>(g[i]) * g[i];
    const double b = gradient[small_.bias + r];
    const double faded = std::pow(kDecay, steps_ - row.step);
    row.square = static_cast<float>(faded * row.square + scale * squares / static_cast<double>(d));
    row.bias_square = static_cast<float>(faded * row.bias_square + scale * b * b);
    row.step = steps_;
    kernels().add_scaled(d, static_cast<float>(-length(row.square)), g, embedding);
    parameters[whole_.bias + item] -= static_cast<float>(length(row.bias_square) * b);
  }
  for (AlignedFloats* g : gradients) {
    std::fill_n(g->data() + slice.begin, slice.end - slice.begin, 0.0F);
    std::fill_n(g->data() + small_.bias + slice.first_row, slice.last_row - slice.first_row, 0.0F);
  }
}

void LazyAdam::update_rest(const Slice& slice, double rate, float clip,
                           std::vector<AlignedFloats*>& gradients, Network& network) {
  const double steps = steps_;
  const double correction = 1 - std::pow(static_cast<double>(kAdamDecay1), steps);
  if (slice.begin == small_.own) rate *= kOwnHistoryRate;
  const AdamStep step{.rate = static_cast<float>(rate / correction),
                      .second_scale = static_cast<float>(
                          1 / std::sqrt(1 - std::pow(static_cast<double>(kAdamDecay2), steps))),
                      .gradient_scale = clip};
  const size_t size = slice.end - slice.begin;
  const size_t moment = slice.begin - small_.feature;
  kernels().adam(size, step, gradients[0]->data() + slice.begin,
                 network.parameters.data() + slice.begin, first_.data() + moment,
                 second_.data() + moment);
  for (AlignedFloats* g : gradients) std::fill_n(g->data() + slice.begin, size, 0.0F);
}

bool LazyAdam::step(double rate, std::span<const ItemIndex> items,
                    std::vector<AlignedFloats*>& gradients, AlignedFloats& parameters,
                    Network& network, ThreadTeam& team, const std::function<void()>& poll) {
  const bool summed = team.run(
      slices_.size(),
      [&](size_t i) {
        poll();
        squares_[i] = sum(slices_[i], gradients);
      },
      poll);
  double squares = 0;
  for (const double part : squares_) squares += part;
  if (!summed || !std::isfinite(squares)) return false;
  const double norm = std::sqrt(squares);
  const auto clip = static_cast<float>(norm > kLargestNorm ? kLargestNorm / norm : 1);
  ++steps_;
  const bool updated = team.run(
      slices_.size(),
      [&](size_t i) {
        poll();
        if (slices_[i].last_row > 0)
          update_rows(slices_[i], rate, clip, items, gradients, parameters);
        else
          update_rest(slices_[i], rate, clip, gradients, network);
      },
      poll);
  network.transpose();
  return updated;
}

}  // namespace personalize::hrnn
