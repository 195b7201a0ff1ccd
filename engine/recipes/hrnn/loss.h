// The softmax over all items with the product that makes its logits folded in: the logits of a
// window are never written out as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/recipes/hrnn/parameters.h"
#include "engine/recipes/own_history.h"

namespace personalize::hrnn {

// E once more, as the product wants it: panels of kPanel items, each embedding-dimension-major, the
// last one filled up with zeros. Shared by all threads; written between windows.
class ItemPanels {
 public:
  static constexpr size_t kPanel = 32;
  ItemPanels(size_t items, size_t embedding);
  size_t count() const { return panels_; }
  // Row stride of logits: the items, filled up to whole panels.
  size_t width() const { return panels_ * kPanel; }
  const float* panel(size_t i) const { return data_.data() + i * kPanel * embedding_; }
  // Copies the items of panels first .. last - 1 out of `embedding` (items x D).
  void pack(size_t first, size_t last, const float* embedding);

 private:
  size_t items_;
  size_t embedding_;
  size_t panels_;
  AlignedFloats data_;
};

// One row of the loss: the event just seen, and what is asked after it.
struct LossRow {
  ItemIndex item = kNoItem;  // the event's
  bool first = false;        // it is its user's first
  int64_t gap = 0;           // seconds since the user's event before
  // The events before it, if the lane has not seen them: its segment begins here.
  std::span<const ItemIndex> past_items;
  std::span<const int64_t> past_times;
  ItemIndex target = kNoItem;
  float weight = 0;
  const float* recency = nullptr;  // the bucket's row of the recency table
};

// The loss of one lane, row after row, as its user's history grows. Keeps the history between
// windows. One thread at a time.
class LaneLoss {
 public:
  LaneLoss(const Layout& layout, int64_t session_gap);

  // Over `rows`, whose output vectors are y (rows x D): returns the weighted loss and writes
  // d loss / d y to y_gradient; adds the gradients of E, b, rho and S to `gradient` (of the
  // layout). `scratch` holds rows_at_once(...) rows of logits. Gives up early, with a meaningless
  // result, when `stop` says so.
  double run(std::span<const LossRow> rows, const float* y, const float* parameters,
             const ItemPanels& panels, AlignedFloats& scratch, const std::function<bool()>& stop,
             float* y_gradient, float* gradient);

  // How many rows of logits are made at once: many, so that E is read seldom, but of many items
  // few, so that little memory is needed and `stop` is asked often enough.
  static size_t rows_at_once(size_t width);

  void start_epoch() { own_.clear(); }

 private:
  // The gradients of one row's own-history term and of rho, in double precision over a window.
  struct Sums {
    double rho = 0;
    double own[kOwnHistoryParameters] = {};
  };
  void resume(const LossRow& row);
  float logarithm_of_count(int32_t count) const;
  double row(const LossRow& row, const float* parameters, float* logits, float* gradient,
             Sums& sums);

  const Layout& layout_;
  int64_t session_gap_;
  OwnHistory own_;
  std::vector<float> log_count_;  // ln n of small n
};

}  // namespace personalize::hrnn
