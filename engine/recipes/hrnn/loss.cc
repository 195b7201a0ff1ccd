#include "engine/recipes/hrnn/loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {

constexpr size_t kLogs = 1'024;
constexpr size_t kMostNumbers = size_t{1} << 22;  // of the softmax at once
constexpr size_t kLeastRows = 4;

const ItemSoftmax& softmax_for(size_t embedding) {
  const Kernels& k = kernels();
  return k.softmax_bf16 != nullptr && embedding % 16 == 0 ? *k.softmax_bf16 : *k.softmax;
}

size_t width_of(size_t items) { return (items + kItemPanel - 1) / kItemPanel * kItemPanel; }

// How many rows are worked on at once: many, so that E is read seldom, but of many items few, so
// that little memory is needed and `stop` is asked often enough.
size_t rows_at_once(size_t items) {
  return std::clamp(kMostNumbers / width_of(items), kLeastRows, kMostSoftmaxRows);
}

}  // namespace

ItemPanels::ItemPanels(size_t items, size_t embedding)
    : items_(items),
      embedding_(embedding),
      panels_(width_of(items) / kPanel),
      softmax_(softmax_for(embedding)),
      panel_data_(panels_ * softmax_.panel_floats(embedding)),
      pair_data_(panels_ * softmax_.pair_floats(embedding)) {}

void ItemPanels::pack(size_t first, size_t last, const float* embedding) {
  for (size_t p = first; p < last; ++p)
    softmax_.pack(std::min(kPanel, items_ - p * kPanel), embedding_,
                  embedding + p * kPanel * embedding_,
                  panel_data_.data() + p * softmax_.panel_floats(embedding_),
                  pair_data_.data() + p * softmax_.pair_floats(embedding_));
}

LaneLoss::LaneLoss(const Layout& layout, int64_t session_gap)
    : layout_(layout), session_gap_(session_gap), log_count_(kLogs) {
  own_.fit(layout.shape.items);
  for (size_t n = 1; n < kLogs; ++n) log_count_[n] = std::log(static_cast<float>(n));
}

size_t LaneLoss::scratch_floats(const Layout& layout) {
  const size_t items = layout.shape.items;
  const size_t size = layout.shape.embedding;
  const size_t bytes = softmax_for(size).bytes(rows_at_once(items), width_of(items), size);
  return (bytes + sizeof(float) - 1) / sizeof(float);
}

float LaneLoss::logarithm_of_count(int32_t count) const {
  const auto n = static_cast<size_t>(count);
  return n < kLogs ? log_count_[n] : std::log(static_cast<float>(n));
}

void LaneLoss::resume(const LossRow& row) {
  own_.clear();
  for (size_t i = 0; i < row.past_items.size(); ++i)
    own_.add(row.past_items[i],
             i == 0 ? 0 : seconds_between(row.past_times[i - 1], row.past_times[i]), session_gap_);
}

LaneLoss::OwnFactors LaneLoss::own_factors(const float* weights) const {
  OwnFactors factors;
  for (size_t b = 0; b < kRecencyBuckets; ++b) factors.recency[b] = std::exp(weights[b]);
  factors.count_weight = weights[kRecencyBuckets];
  for (size_t n = 0; n < OwnFactors::kCounts; ++n)
    factors.count[n] = std::exp(factors.count_weight * log_count_[n]);
  factors.session = std::exp(weights[kRecencyBuckets + 1]);
  return factors;
}

void LaneLoss::add_own_factors(const OwnFactors& factors) {
  const std::span<const OwnItem> items = own_.items();
  const int32_t last = own_.last_place();
  const int32_t session = own_.session_start();
  own_items_.resize(items.size());
  own_values_.resize(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const OwnItem& item = items[i];
    float factor = factors.recency[recency_bucket(last - item.last)];
    if (item.count > 1)
      factor *= static_cast<size_t>(item.count) < OwnFactors::kCounts
                    ? factors.count[item.count]
                    : std::exp(factors.count_weight * logarithm_of_count(item.count));
    if (item.last >= session) factor *= factors.session;
    own_items_[i] = item.item;
    own_values_[i] = factor;
  }
}

void LaneLoss::add_own_gradient(const LossRow& row, float scale, Sums& sums) const {
  const std::span<const OwnItem> items = own_.items();
  const int32_t last = own_.last_place();
  const int32_t session = own_.session_start();
  float recency[2][kRecencyBuckets] = {};  // neighbours are seldom added to the same sum
  float count = 0;
  float in_session = 0;
  const auto add = [&](const OwnItem& item, float g, size_t i) {
    recency[i % 2][recency_bucket(last - item.last)] += g;
    if (item.count > 1) count += g * logarithm_of_count(item.count);
    in_session += item.last >= session ? g : 0;
  };
  for (size_t i = 0; i < items.size(); ++i) add(items[i], scale * own_values_[i], i);
  for (const LossTarget& target : row.targets)
    if (const int32_t place = own_.place_of(target.item); place >= 0)
      add(items[static_cast<size_t>(place)], -target.weight, 0);
  for (size_t b = 0; b < kRecencyBuckets; ++b) sums.own[b] += recency[0][b] + recency[1][b];
  sums.own[kRecencyBuckets] += count;
  sums.own[kRecencyBuckets + 1] += in_session;
}

float LaneLoss::finish_row(const LossRow& row, const ItemSoftmax& softmax,
                           const SoftmaxBlock& block, size_t r, const OwnFactors& factors,
                           Sums& sums) {
  if (row.first) own_.clear();
  if (!row.past_items.empty()) resume(row);
  own_.add(row.item, row.gap, session_gap_);
  add_own_factors(factors);
  softmax.scale_at(block, r, own_items_.size(), own_items_.data(), own_values_.data());
  const SoftmaxSums row_sums = softmax.sums(block, r, row.recency);
  float weight = 0;
  for (const LossTarget& target : row.targets) {
    float q = 0;
    softmax.read_at(block, r, 1, &target.item, &q);
    // Less than the smallest number is said to be that: -ln of it is 87.
    sums.loss += target.weight *
                 std::log(row_sums.sum / std::max<double>(q, std::numeric_limits<float>::min()));
    if (row.recency != nullptr) sums.rho -= target.weight * row.recency[target.item];
    weight += target.weight;
  }
  const auto scale = static_cast<float>(weight / row_sums.sum);
  sums.rho += scale * row_sums.along;
  softmax.read_at(block, r, own_items_.size(), own_items_.data(), own_values_.data());
  add_own_gradient(row, scale, sums);
  return scale;
}

double LaneLoss::run(std::span<const LossRow> rows, const float* y, const float* parameters,
                     const ItemPanels& panels, AlignedFloats& scratch,
                     const std::function<bool()>& stop, float* y_gradient, float* gradient) {
  const Kernels& k = kernels();
  const ItemSoftmax& softmax = panels.softmax();
  const size_t items = layout_.shape.items;
  const size_t size = layout_.shape.embedding;
  const float* embedding = parameters + layout_.embedding;
  const size_t most = rows_at_once(items);
  const OwnFactors factors = own_factors(parameters + layout_.own);
  Sums sums;
  float scale[kMostSoftmaxRows];
  const float* recency[kMostSoftmaxRows];
  for (size_t begin = 0; begin < rows.size(); begin += most) {
    if (stop()) return sums.loss;
    const std::span<const LossRow> part = rows.subspan(begin, std::min(most, rows.size() - begin));
    const float* block_y = y + begin * size;
    float* block_gradient = y_gradient + begin * size;
    for (size_t r = 0; r < part.size(); ++r) recency[r] = part[r].recency;
    const SoftmaxBlock block{part.size(), items, width_of(items), size, scratch.data()};
    softmax.exponentials(block,
                         {block_y, panels.panels(), parameters + layout_.bias,
                          part[0].recency == nullptr ? nullptr : recency, parameters[layout_.rho]});
    for (size_t r = 0; r < part.size(); ++r)
      scale[r] = finish_row(part[r], softmax, block, r, factors, sums);
    softmax.y_gradient(block, embedding, panels.pairs(), block_gradient);
    softmax.item_gradient(block, block_y, scale, gradient + layout_.embedding,
                          gradient + layout_.bias);
    for (size_t r = 0; r < part.size(); ++r) {
      float* row_gradient = block_gradient + r * size;
      for (size_t i = 0; i < size; ++i) row_gradient[i] *= scale[r];
      for (const LossTarget& target : part[r].targets) {
        const auto item = static_cast<size_t>(target.item);
        k.add_scaled(size, -target.weight, embedding + item * size, row_gradient);
        k.add_scaled(size, -target.weight, block_y + r * size,
                     gradient + layout_.embedding + item * size);
        gradient[layout_.bias + item] -= target.weight;
      }
    }
  }
  gradient[layout_.rho] += static_cast<float>(sums.rho);
  for (size_t i = 0; i < kOwnHistoryParameters; ++i)
    gradient[layout_.own + i] += static_cast<float>(sums.own[i]);
  return sums.loss;
}

}  // namespace personalize::hrnn
