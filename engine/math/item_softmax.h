// The training softmax over all items, with the three products with E around it: the logits
// y . E[j], and the gradients of y and of E. Its numbers q = exp(logit - shift) are kept for a
// block of rows in whatever type the instruction set multiplies fastest: f32, or bf16 with sums in
// f32. Nobody divides by their sum; the factor weight / sum goes with y, and with the gradient of
// y. engine/math/item_softmax.cc is compiled once for each instruction set. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace personalize {

// Items are worked on in panels of this many; the last one is filled up.
inline constexpr size_t kItemPanel = 32;
// Most rows of a block.
inline constexpr size_t kMostSoftmaxRows = 64;

// A block of q: `rows` rows of `width` numbers, width = items filled up to whole panels; what is
// filled up is 0.
struct SoftmaxBlock {
  size_t rows;  // at most kMostSoftmaxRows
  size_t items;
  size_t width;
  size_t size;  // D, columns of y and E
  void* q;      // softmax_bytes(rows, width, size), 64-byte aligned
};

// What exponentials() needs besides the block.
struct SoftmaxInputs {
  const float* y;               // rows x D
  const float* panels;          // E, packed
  const float* bias;            // of the items
  const float* const* recency;  // of the items, one array a row, added rho times; null: none
  float rho;
};

// sum of q, and of q times the row's recency.
struct SoftmaxSums {
  double sum;
  double along;
};

struct ItemSoftmax {
  const char* number;  // the type of q and of the products' factors: "f32" or "bf16"

  // Floats that one panel of E takes, packed for the logits and for the gradient of y.
  size_t (*panel_floats)(size_t size);
  size_t (*pair_floats)(size_t size);
  // Packs one panel: `count` rows of E (count x size, 0 < count <= kItemPanel) from `embedding`.
  void (*pack)(size_t count, size_t size, const float* embedding, float* panel, float* pairs);

  // Bytes of a block's q and of room for its products.
  size_t (*bytes)(size_t rows, size_t width, size_t size);

  // q = exp(y . E[j] + bias[j] + rho * recency[j] - shift). Every row has its own shift, which
  // keeps the largest exponent between 0 and 30: terms that are few may be multiplied in
  // afterwards.
  void (*exponentials)(const SoftmaxBlock& block, const SoftmaxInputs& inputs);

  // q[at[i]] *= factors[i] in row `row`, and values[i] = q[at[i]].
  void (*scale_at)(const SoftmaxBlock& block, size_t row, size_t count, const int32_t* at,
                   const float* factors);
  void (*read_at)(const SoftmaxBlock& block, size_t row, size_t count, const int32_t* at,
                  float* values);
  // Of row `row`; `recency` may be null.
  SoftmaxSums (*sums)(const SoftmaxBlock& block, size_t row, const float* recency);

  // out (rows x D) = q E. `embedding` is E as it is, `pairs` E packed.
  void (*y_gradient)(const SoftmaxBlock& block, const float* embedding, const float* pairs,
                     float* out);
  // gradient (items x D) += q^T diag(scale) y and bias_gradient += q^T scale.
  void (*item_gradient)(const SoftmaxBlock& block, const float* y, const float* scale,
                        float* gradient, float* bias_gradient);
};

}  // namespace personalize
