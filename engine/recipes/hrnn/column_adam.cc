#include "engine/recipes/hrnn/column_adam.h"

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {
constexpr size_t kColumnsATask = 32;
}  // namespace

ColumnAdam::ColumnAdam(const Layout& layout, const ItemColumns& items)
    : layout_(layout),
      items_(items),
      first_item_(items.columns + 1),
      item_of_(items.bags->columns.size()),
      width_((layout.shape.embedding + 1 + 15) / 16 * 16),
      gradient_(items.columns * width_),
      steps_(items.columns * width_),
      first_(items.columns * width_),
      second_(items.columns * width_) {
  const ColumnBags& bags = *items.bags;
  for (const ColumnIndex c : bags.columns) ++first_item_[c + 1];
  for (size_t c = 0; c < items.columns; ++c) first_item_[c + 1] += first_item_[c];
  std::vector<size_t> next(first_item_.begin(), first_item_.end() - 1);
  for (size_t i = 0; i < bags.size(); ++i) {
    const auto count = static_cast<float>(bags.of(i).size());
    scale_.push_back(count > 0 ? 1 / std::sqrt(count) : 0);
    for (const ColumnIndex c : bags.of(i)) item_of_[next[c]++] = static_cast<ItemIndex>(i);
  }
}

size_t ColumnAdam::tasks() const { return (items_.columns + kColumnsATask - 1) / kColumnsATask; }

void ColumnAdam::step(size_t task, AdamStep step, const float* gradient) {
  const Kernels& k = kernels();
  const size_t d = layout_.shape.embedding;
  const size_t first = task * kColumnsATask;
  const size_t last = std::min(items_.columns, first + kColumnsATask);
  const size_t size = (last - first) * width_;
  std::fill_n(gradient_.data() + first * width_, size, 0.0F);
  std::fill_n(steps_.data() + first * width_, size, 0.0F);
  for (size_t c = first; c < last; ++c) {
    float* sum = gradient_.data() + c * width_;
    for (size_t place = first_item_[c]; place < first_item_[c + 1]; ++place) {
      const auto item = static_cast<size_t>(item_of_[place]);
      k.add_scaled(d, scale_[item], gradient + layout_.embedding + item * d, sum);
      sum[d] += scale_[item] * gradient[layout_.bias + item];
    }
  }
  step.rate *= static_cast<float>(items_.rate);
  const size_t begin = first * width_;
  k.adam(size, step, gradient_.data() + begin, steps_.data() + begin, first_.data() + begin,
         second_.data() + begin);
}

void ColumnAdam::move_rows(size_t first, size_t last, float* parameters) const {
  const size_t d = layout_.shape.embedding;
  for (size_t item = first; item < last; ++item)
    for (const ColumnIndex c : items_.bags->of(item))
      kernels().add_scaled(d, scale_[item], steps_.data() + c * width_,
                           parameters + layout_.embedding + item * d);
}

void ColumnAdam::move_biases(size_t first, size_t last, float* parameters) const {
  const size_t d = layout_.shape.embedding;
  for (size_t item = first; item < last; ++item)
    for (const ColumnIndex c : items_.bags->of(item))
      parameters[layout_.bias + item] += scale_[item] * steps_[c * width_ + d];
}

}  // namespace personalize::hrnn
