// The softmax over all items with the product that makes its logits folded in: the logits of a
// window are never written out as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/item_softmax.h"
#include "engine/recipes/hrnn/parameters.h"
#include "engine/recipes/own_history.h"

namespace personalize::hrnn {

// E once more, as the products want it. Shared by all threads; written between windows.
class ItemPanels {
 public:
  static constexpr size_t kPanel = kItemPanel;
  ItemPanels(size_t items, size_t embedding);
  size_t count() const { return panels_; }
  // The kernels that understand these panels: in bf16 where the machine has it.
  const ItemSoftmax& softmax() const { return softmax_; }
  const float* panels() const { return panel_data_.data(); }
  const float* pairs() const { return pair_data_.data(); }
  // Packs the items of panels first .. last - 1 out of `embedding` (items x D).
  void pack(size_t first, size_t last, const float* embedding);

 private:
  size_t items_;
  size_t embedding_;
  size_t panels_;
  const ItemSoftmax& softmax_;
  AlignedFloats panel_data_;
  AlignedFloats pair_data_;
};

// An item that is asked after an event, and its weight in the loss.
struct LossTarget {
  ItemIndex item = kNoItem;
  float weight = 0;
};

// One row of the loss: the event just seen, and what is asked after it.
struct LossRow {
  ItemIndex item = kNoItem;  // the event's
  bool first = false;        // it is its user's first
  int64_t gap = 0;           // seconds since the user's event before
  // The events before it, if the lane has not seen them: its segment begins here.
  std::span<const ItemIndex> past_items;
  std::span<const int64_t> past_times;
  std::span<const LossTarget> targets;
  const float* recency = nullptr;  // the bucket's row of the recency table; of all rows or of none
};

// The loss of one lane, row after row, as its user's history grows. Keeps the history between
// windows. One thread at a time.
class LaneLoss {
 public:
  LaneLoss(const Layout& layout, int64_t session_gap);

  // Over `rows`, whose output vectors are y (rows x D): returns the sum over rows and targets of
  // weight * -ln softmax[target] and writes d loss / d y to y_gradient; adds the gradients of E, b,
  // rho and S to `gradient` (of the layout). `scratch` has scratch_floats(...). Gives up early,
  // with a meaningless result, when `stop` says so.
  double run(std::span<const LossRow> rows, const float* y, const float* parameters,
             const ItemPanels& panels, AlignedFloats& scratch, const std::function<bool()>& stop,
             float* y_gradient, float* gradient);

  // The room that run() needs for the softmax of as many rows as it works on at once.
  static size_t scratch_floats(const Layout& layout);

  void start_epoch() { own_.clear(); }

 private:
  // The own-history term as factors of the softmax's numbers, made once for each run.
  struct OwnFactors {
    static constexpr size_t kCounts = 32;
    float recency[kRecencyBuckets];
    float count[kCounts];  // [n]: of an item had n times
    float count_weight;
    float session;
  };
  // Gradients in double precision over a window.
  struct Sums {
    double loss = 0;
    double rho = 0;
    double own[kOwnHistoryParameters] = {};
  };
  void resume(const LossRow& row);
  OwnFactors own_factors(const float* weights) const;
  float logarithm_of_count(int32_t count) const;
  // Finishes row `r` of the block and returns the factor that makes its numbers d loss / d logit,
  // the targets left out.
  float finish_row(const LossRow& row, const ItemSoftmax& softmax, const SoftmaxBlock& block,
                   size_t r, const OwnFactors& factors, Sums& sums);
  void add_own_factors(const OwnFactors& factors);
  void add_own_gradient(const LossRow& row, float scale, Sums& sums) const;

  const Layout& layout_;
  int64_t session_gap_;
  OwnHistory own_;
  std::vector<float> log_count_;  // ln n of small n
  // Of the history's items, while a row is worked on.
  std::vector<int32_t> own_items_;
  std::vector<float> own_values_;
};

}  // namespace personalize::hrnn
