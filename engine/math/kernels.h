// The loops that decide how fast training and serving are. engine/math/kernels.cc is compiled once
// for each instruction set; engine/math/dispatch.h chooses one of them at run time. All matrices
// are row-major floats; sizes are counted in floats; nothing here allocates, throws or keeps state,
// so everything may be called from any thread. The same inputs give the same bits on one
// instruction set, on any machine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/math/item_softmax.h"

namespace personalize {

// A matrix whose element (i, k) is at data[i * row_stride + k * column_stride].
struct StridedMatrix {
  const float* data;
  ptrdiff_t row_stride;
  ptrdiff_t column_stride;
};

// Sums over a row z of exp(z - maximum), and of that times g and g * g.
struct Moments {
  double zeroth, first, second;
};

// One step of Adam, see Kernels::adam.
struct AdamStep {
  float rate;            // learning rate over the first moment's bias correction
  float second_scale;    // 1 / sqrt of the second moment's bias correction
  float gradient_scale;  // what clipping multiplies the gradient with
};

inline constexpr float kAdamDecay1 = 0.9F;
inline constexpr float kAdamDecay2 = 0.999F;
inline constexpr float kAdamEpsilon = 1e-8F;

// A block of items whose scores are estimated from codes (quantized_vectors.h). Arrays of one
// number an item; sizes in whole 64 items, which lie in groups of 16.
struct CodeBlock {
  const uint8_t* codes = nullptr;
  const int8_t* query = nullptr;     // 4 * steps codes in -127 .. 127
  size_t steps = 0;                  // a quarter of the padded width, at most 1,024
  const uint16_t* scales = nullptr;  // bf16, as its bits
  float step = 0;                    // what the query's codes are multiplied with
  int32_t correction = 0;            // what is taken off every product first
  float margin = 0;                  // of an item whose scale is 1
  float least_margin = 0;            // of every item, beside
  const float* bias = nullptr;       // or null: 0
  const float* row = nullptr;        // or null: 0
  float row_weight = 0;              // of `row`
  const float* factors = nullptr;    // >= 0, or null: 1; of the product alone
  bool wants_all = true;             // or only those 64 items one of which is not below the limit
};

// How much of the size of a bias and of a weighted row's number counts as its rounding.
inline constexpr float kAdditionMargin = 0x1p-19F;
// The same of a product of the smallest numbers.
inline constexpr float kSmallestMargin = 0x1p-110F;

// Of numbers z: the largest, and the sum of exp(z - reference).
struct ExponentialSum {
  float maximum;
  double sum;
};

struct Kernels {
  const char* isa;  // "base", "v3", "v4" or "v4bf16"

  // The training softmax in f32, and in bf16 or null; the latter wants D in whole 16.
  const ItemSoftmax* softmax;
  const ItemSoftmax* softmax_bf16;

  // c (m x n, row stride ldc) = a (m x k) times b (k x n, row stride ldb), added to c if
  // `accumulate`. Sums over k run in ascending order for every element.
  void (*product)(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                  float* c, ptrdiff_t ldc, bool accumulate);

  // The same with a's and b's elements rounded to bf16 and sums in f32; null where the machine has
  // no bf16. n is in whole 16; either a's columns or its rows lie side by side (column_stride 1 and
  // k in whole 16, or row_stride 1 and m in whole 16). `room`: (m + n) * ((k + 1) / 2) floats.
  void (*product_bf16)(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                       float* c, ptrdiff_t ldc, bool accumulate, float* room);

  // out[i] = matrix[i] . vector + bias[i], i < rows; bias may be null.
  void (*matrix_vector)(size_t rows, size_t columns, const float* matrix, const float* vector,
                        const float* bias, float* out);

  // The gates of one GRU step of one lane: r = sigmoid(a_r + g_r), z = sigmoid(a_z + g_z),
  // candidate n = tanh(a_n + r * (g_n + b_n)), next = (1 - z) * n + z * previous. `input` and
  // `recurrent` hold [r z n], 3 * size each. r, z, n go to `gates` (3 * size) and g_n + b_n to
  // `candidate_part` for the way back, if `gates` is not null. `next` may be `previous`.
  void (*gru_forward)(size_t size, const float* input, const float* recurrent,
                      const float* candidate_bias, const float* previous, float* next, float* gates,
                      float* candidate_part);

  // The way back through gru_forward: `gradient` is d loss / d next on entry and d loss / d
  // previous as far as it does not go through the recurrent product on return. Writes the gradients
  // of `input` and `recurrent` and adds that of candidate_bias.
  void (*gru_backward)(size_t size, const float* gates, const float* candidate_part,
                       const float* previous, float* gradient, float* input_gradient,
                       float* recurrent_gradient, float* candidate_bias_gradient);

  // Over size elements: z[i] - maximum is exponentiated; g weighs the higher moments.
  Moments (*moments)(size_t size, const float* z, float maximum, const float* g);
  // -infinity of nothing; what is no number is left out.
  float (*maximum)(size_t size, const float* values);

  // out[i] = ln(1 + scale * values[i]), values >= 0. `out` may be `values`.
  void (*log1p_scaled)(size_t size, const float* values, float scale, float* out);

  // y[i] += a * x[i].
  void (*add_scaled)(size_t size, float a, const float* x, float* y);
  // x[i] *= y[i].
  void (*multiply)(size_t size, const float* y, float* x);

  // mask[i] = 0 where the random 16 bits i % 4 of Random::at(i - i % 4), from the lowest on, are
  // below `dropped`, else `kept`; of the stream whose key is `key`.
  void (*dropout)(size_t size, uint64_t key, uint32_t dropped, float kept, float* mask);

  // sums[i] = the sum of `count` arrays at i, in the order of the arrays; `sums` may be the first.
  // Returns the sum of squares of sums.
  double (*sum_arrays)(size_t size, size_t count, const float* const* arrays, float* sums);

  // For each item i < size, in whole 64, whose codes are c:
  //   estimates[i] = factors[i] * (scales[i] * (step * (c . query - correction)))
  //                  + bias[i] + row_weight * row[i]
  //   uppers[i] = estimates[i] + factors[i] * (scales[i] * margin + kSmallestMargin) + least_margin
  //               + kAdditionMargin * (|bias[i]| + |row_weight * row[i]|)
  // and bit i % 64 of masks[i / 64] is whether uppers[i] is not below `limit`. Where the mask is 0
  // and the block does not want all, estimates and uppers are not written. The integer product is
  // exact. Adds up the exponentials of estimates relative to `*reference`, or, if it is null,
  // returns nothing of use. The sum is right if no estimate is more than 80 above the reference.
  ExponentialSum (*scan_codes)(size_t size, const CodeBlock& block, float limit,
                               const float* reference, float* estimates, float* uppers,
                               uint64_t* masks);

  // Adam (Kingma and Ba 2015) with kAdamDecay1, kAdamDecay2, kAdamEpsilon.
  void (*adam)(size_t size, const AdamStep& step, const float* gradient, float* parameters,
               float* first, float* second);
};

}  // namespace personalize
