#include "engine/recipes/hrnn/loss.h"

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {
constexpr size_t kLogs = 1'024;
constexpr size_t kMostFloats = size_t{1} << 22;  // of logits at once
constexpr size_t kMostRows = 64;
}  // namespace

ItemPanels::ItemPanels(size_t items, size_t embedding)
    : items_(items),
      embedding_(embedding),
      panels_((items + kPanel - 1) / kPanel),
      data_(panels_ * kPanel * embedding) {}

void ItemPanels::pack(size_t first, size_t last, const float* embedding) {
  for (size_t p = first; p < last; ++p) {
    float* to = data_.data() + p * kPanel * embedding_;
    const size_t begin = p * kPanel;
    const size_t count = std::min(kPanel, items_ - begin);
    for (size_t d = 0; d < embedding_; ++d)
      for (size_t i = 0; i < count; ++i)
        to[d * kPanel + i] = embedding[(begin + i) * embedding_ + d];
  }
}

LaneLoss::LaneLoss(const Layout& layout, int64_t session_gap)
    : layout_(layout), session_gap_(session_gap), log_count_(kLogs) {
  own_.fit(layout.shape.items);
  for (size_t n = 1; n < kLogs; ++n) log_count_[n] = std::log(static_cast<float>(n));
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

size_t LaneLoss::rows_at_once(size_t width) {
  return std::clamp<size_t>(kMostFloats / width, 4, kMostRows);
}

double LaneLoss::row(const LossRow& row, const float* parameters, float* logits, float* gradient,
                     Sums& sums) {
  if (row.first) own_.clear();
  if (!row.past_items.empty()) resume(row);
  own_.add(row.item, row.gap, session_gap_);
  const float* weights = parameters + layout_.own;
  const int32_t last = own_.last_place();
  const int32_t session = own_.session_start();
  for (const OwnItem& item : own_.items())
    logits[item.item] += weights[recency_bucket(last - item.last)] +
                         weights[kRecencyBuckets] * logarithm_of_count(item.count) +
                         (item.last >= session ? weights[kRecencyBuckets + 1] : 0);

  const double loss = kernels().softmax_gradient(
      {logits, parameters + layout_.bias, row.recency, parameters[layout_.rho], layout_.shape.items,
       static_cast<size_t>(row.target), row.weight, gradient + layout_.bias, &sums.rho});

  float own[kOwnHistoryParameters] = {};
  for (const OwnItem& item : own_.items()) {
    const float g = logits[item.item];
    own[recency_bucket(last - item.last)] += g;
    own[kRecencyBuckets] += g * logarithm_of_count(item.count);
    own[kRecencyBuckets + 1] += item.last >= session ? g : 0;
  }
  for (size_t i = 0; i < kOwnHistoryParameters; ++i) sums.own[i] += own[i];
  return loss;
}

double LaneLoss::run(std::span<const LossRow> rows, const float* y, const float* parameters,
                     const ItemPanels& panels, AlignedFloats& scratch,
                     const std::function<bool()>& stop, float* y_gradient, float* gradient) {
  const Kernels& k = kernels();
  const size_t items = layout_.shape.items;
  const size_t size = layout_.shape.embedding;
  const auto stride = static_cast<ptrdiff_t>(size);
  const size_t width = panels.width();
  const auto row_stride = static_cast<ptrdiff_t>(width);
  const size_t most = rows_at_once(width);
  float* logits = scratch.data();
  Sums sums;
  double loss = 0;
  for (size_t begin = 0; begin < rows.size(); begin += most) {
    if (stop()) return loss;
    const size_t count = std::min(most, rows.size() - begin);
    const float* block = y + begin * size;
    for (size_t p = 0; p < panels.count(); ++p)
      k.product(count, ItemPanels::kPanel, size, {block, stride, 1}, panels.panel(p),
                ItemPanels::kPanel, logits + p * ItemPanels::kPanel, row_stride, false);
    for (size_t r = 0; r < count; ++r)
      loss += row(rows[begin + r], parameters, logits + r * width, gradient, sums);
    k.product(count, size, items, {logits, row_stride, 1}, parameters + layout_.embedding, stride,
              y_gradient + begin * size, stride, false);
    k.product(items, size, count, {logits, 1, row_stride}, block, stride,
              gradient + layout_.embedding, stride, true);
  }
  gradient[layout_.rho] += static_cast<float>(sums.rho);
  for (size_t i = 0; i < kOwnHistoryParameters; ++i)
    gradient[layout_.own + i] += static_cast<float>(sums.own[i]);
  return loss;
}

}  // namespace personalize::hrnn
