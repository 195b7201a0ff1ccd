// Compiled once for each instruction set; every copy lives in a namespace of its own and exports
// its table alone (vectors.h says why). With PERSONALIZE_BF16 numbers are bf16, rounded to the
// nearest even, and lie in pairs along what a product sums over.
#include "engine/math/item_softmax.h"

#include "engine/math/matrix_product.h"
#include "engine/math/vectors.h"
#if defined(PERSONALIZE_BF16)
#include "engine/math/bf16.h"
#endif

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

constexpr float kLargestExponent = 30;

#if !defined(PERSONALIZE_BF16)

using Number = float;
constexpr size_t kPair = 1;

PERSONALIZE_INLINE Vector load_numbers(const Number* p) { return load(p); }
PERSONALIZE_INLINE void store_numbers(Number* p, Vector v) { store(p, v); }
PERSONALIZE_INLINE float number_of(Number x) { return x; }
PERSONALIZE_INLINE Number to_number(float x) { return x; }
PERSONALIZE_INLINE Vector number_exponential(Vector x) { return exponential(x); }

#endif

// Items whose q are turned into pairs of rows at a time: they stay in the first-level cache.
constexpr size_t kTurned = 224;

size_t round_up(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

size_t panel_floats(size_t size) { return kItemPanel * size / kPair; }
size_t pair_floats(size_t size) { return kPair == 1 ? 0 : kItemPanel * size / kPair; }

// Floats of y as a product's factor; behind it lies a block of q, turned.
size_t factor_floats(size_t rows, size_t size) {
  return round_up(round_up(rows, kPair) * size / kPair, kLanes);
}
size_t bytes(size_t rows, size_t width, size_t size) {
  const size_t turned = kPair == 1 ? 0 : round_up(rows, kPair) / kPair * kTurned;
  return round_up(rows * width * sizeof(Number), 64) +
         (factor_floats(rows, size) + turned) * sizeof(float);
}

Number* row_of(const SoftmaxBlock& block, size_t row) {
  return static_cast<Number*>(block.q) + row * block.width;
}
float* room_of(const SoftmaxBlock& block) {
  return reinterpret_cast<float*>(static_cast<char*>(block.q) +
                                  round_up(block.rows * block.width * sizeof(Number), 64));
}

#if defined(PERSONALIZE_BF16)

void pack(size_t count, size_t size, const float* embedding, float* panel, float* pairs) {
  const auto row = [&](size_t i, size_t d) {
    return i < count ? load(embedding + i * size + d) : Vector{};
  };
  for (size_t i = 0; i < kItemPanel; i += 2)
    for (size_t d = 0; d < size; d += kLanes)
      store_pairs(pairs + i / 2 * size + d, row(i, d), row(i + 1, d));
  // In the panel a word is a pair of columns of one item: as two neighbours lie in its row.
  using Word = uint32_t __attribute__((may_alias));
  using Neighbours = uint32_t __attribute__((vector_size(2 * kLanes)));
  auto* words = reinterpret_cast<Word*>(panel);
  for (size_t d = 0; d < size; d += kLanes)
    for (size_t i = 0; i < kItemPanel; ++i) {
      const auto neighbours = __builtin_bit_cast(Neighbours, to_numbers(row(i, d)));
      for (size_t j = 0; j < kLanes / 2; ++j) words[(d / 2 + j) * kItemPanel + i] = neighbours[j];
    }
}

#else

void pack(size_t count, size_t size, const float* embedding, float* panel, float*) {
  for (size_t d = 0; d < size; ++d)
    for (size_t i = 0; i < count; ++i) panel[d * kItemPanel + i] = embedding[i * size + d];
}

#endif

// The exponents of one row's panel, still to be less the shift.
struct PanelTerms {
  const float* product;
  const float* bias;
  const float* recency;
  float rho;
};

template <bool kRecency>
PERSONALIZE_INLINE Vector exponent(const PanelTerms& terms, size_t i) {
  Vector z = load(terms.product + i) + load(terms.bias + i);
  if constexpr (kRecency) z += terms.rho * load(terms.recency + i);
  return z;
}

float largest_of(Vector v) {
  float largest = v[0];
  for (int i = 1; i < kLanes; ++i) largest = v[i] > largest ? v[i] : largest;
  return largest;
}

// Makes `shift` larger, to `to`, where the first `done` numbers of q have been made.
void raise_shift(Number* q, size_t done, float& shift, float to) {
  const float factor = exponential(broadcast(shift - to))[0];
  for (size_t i = 0; i < done; i += kLanes) store_numbers(q + i, load_numbers(q + i) * factor);
  shift = to;
}

template <bool kRecency>
PERSONALIZE_INLINE void panel_exponentials(const PanelTerms& terms, Number* row, size_t done,
                                           float& shift) {
  Vector z[kItemPanel / kLanes];
  for (size_t v = 0; v < kItemPanel / kLanes; ++v) z[v] = exponent<kRecency>(terms, v * kLanes);
  Vector highest = z[0];
  for (size_t v = 1; v < kItemPanel / kLanes; ++v) highest = maximum_of(highest, z[v]);
  if (done == 0) {
    shift = largest_of(highest);
  } else if (__builtin_expect(any_above(highest, shift + kLargestExponent), 0)) {
    raise_shift(row, done, shift, largest_of(highest));
  }
  for (size_t v = 0; v < kItemPanel / kLanes; ++v)
    store_numbers(row + done + v * kLanes, number_exponential(z[v] - shift));
}

// Of all rows of a block, one whole panel: the items from `done` on.
template <bool kRecency>
void whole_panel(const SoftmaxBlock& block, const SoftmaxInputs& inputs, const float* products,
                 size_t done, float* shift) {
  for (size_t r = 0; r < block.rows; ++r)
    panel_exponentials<kRecency>({products + r * kItemPanel, inputs.bias + done,
                                  kRecency ? inputs.recency[r] + done : nullptr, inputs.rho},
                                 row_of(block, r), done, shift[r]);
}

// The last panel if it is not whole: its terms are copied into whole vectors.
void last_panel(const SoftmaxBlock& block, const SoftmaxInputs& inputs, const float* products,
                size_t done, float* shift) {
  constexpr float kNever = -1e30F;
  const size_t count = block.items - done;
  float bias[kItemPanel];
  float recency[kItemPanel] = {};
  for (size_t i = 0; i < kItemPanel; ++i) bias[i] = i < count ? inputs.bias[done + i] : kNever;
  for (size_t r = 0; r < block.rows; ++r) {
    if (inputs.recency != nullptr)
      for (size_t i = 0; i < count; ++i) recency[i] = inputs.recency[r][done + i];
    Number* row = row_of(block, r);
    panel_exponentials<true>({products + r * kItemPanel, bias, recency, inputs.rho}, row, done,
                             shift[r]);
    for (size_t i = count; i < kItemPanel; ++i) row[done + i] = 0;
  }
}

// y as the left factor of the logits.
StridedMatrix left_factor(const SoftmaxBlock& block, const float* y) {
#if defined(PERSONALIZE_BF16)
  auto* to = reinterpret_cast<Number*>(room_of(block));
  for (size_t i = 0; i < block.rows * block.size; i += kLanes) store_numbers(to + i, load(y + i));
  y = room_of(block);
#else
  (void)block;
#endif
  return {y, static_cast<ptrdiff_t>(block.size / kPair), 1};
}

void exponentials(const SoftmaxBlock& block, const SoftmaxInputs& inputs) {
  alignas(64) float products[kMostSoftmaxRows * kItemPanel];
  float shift[kMostSoftmaxRows];
  const StridedMatrix y = left_factor(block, inputs.y);
  for (size_t done = 0; done < block.items; done += kItemPanel) {
    stream_product(block.rows, kItemPanel, block.size / kPair, y,
                   inputs.panels + done / kItemPanel * panel_floats(block.size), kItemPanel,
                   products, kItemPanel, false, Stream::kRight);
    if (block.items - done < kItemPanel)
      last_panel(block, inputs, products, done, shift);
    else if (inputs.recency == nullptr)
      whole_panel<false>(block, inputs, products, done, shift);
    else
      whole_panel<true>(block, inputs, products, done, shift);
  }
}

void scale_at(const SoftmaxBlock& block, size_t row, size_t count, const int32_t* at,
              const float* factors) {
  Number* q = row_of(block, row);
  for (size_t i = 0; i < count; ++i) q[at[i]] = to_number(number_of(q[at[i]]) * factors[i]);
}

void read_at(const SoftmaxBlock& block, size_t row, size_t count, const int32_t* at,
             float* values) {
  const Number* q = row_of(block, row);
  for (size_t i = 0; i < count; ++i) values[i] = number_of(q[at[i]]);
}

SoftmaxSums sums(const SoftmaxBlock& block, size_t row, const float* recency) {
  constexpr size_t kParts = 4;  // as many sums are under way
  const Number* q = row_of(block, row);
  Vector sum[kParts] = {};
  Vector along[kParts] = {};
  size_t i = 0;
  for (; i + kParts * kLanes <= block.items; i += kParts * kLanes)
    for (size_t v = 0; v < kParts; ++v) {
      const Vector x = load_numbers(q + i + v * kLanes);
      sum[v] += x;
      if (recency != nullptr) along[v] += x * load(recency + i + v * kLanes);
    }
  for (; i < block.items; i += kLanes) {
    const Vector x = load_numbers(q + i);
    const size_t left = block.items - i;
    sum[0] += x;
    if (recency != nullptr)
      along[0] += x * (left < kLanes ? load_some(recency + i, left) : load(recency + i));
  }
  for (size_t v = 1; v < kParts; ++v) {
    sum[0] += sum[v];
    along[0] += along[v];
  }
  return {sum_of(sum[0]), sum_of(along[0])};
}

void y_gradient(const SoftmaxBlock& block, const float* embedding, const float* pairs, float* out) {
  const auto size = static_cast<ptrdiff_t>(block.size);
  stream_product(
      block.rows, block.size, round_up(block.items, kPair) / kPair,
      {reinterpret_cast<const float*>(block.q), static_cast<ptrdiff_t>(block.width / kPair), 1},
      kPair == 1 ? embedding : pairs, size, out, size, false, Stream::kRight);
}

// bias_gradient[first ..] += q^T scale for `count` items.
void add_bias_gradient(const SoftmaxBlock& block, const float* scale, size_t first, size_t count,
                       float* bias_gradient) {
  constexpr size_t kVectors = 8;
  size_t i = first;
  for (; i + kVectors * kLanes <= first + count; i += kVectors * kLanes) {
    Vector sum[kVectors] = {};
    for (size_t r = 0; r < block.rows; ++r)
      for (size_t v = 0; v < kVectors; ++v)
        sum[v] += scale[r] * load_numbers(row_of(block, r) + i + v * kLanes);
    for (size_t v = 0; v < kVectors; ++v) {
      float* to = bias_gradient + i + v * kLanes;
      store(to, load(to) + sum[v]);
    }
  }
  for (; i < first + count; i += kLanes) {
    Vector sum{};
    for (size_t r = 0; r < block.rows; ++r) sum += scale[r] * load_numbers(row_of(block, r) + i);
    const size_t left = first + count - i;
    for (size_t j = 0; j < kLanes && j < left; ++j) bias_gradient[i + j] += sum[j];
  }
}

void item_gradient(const SoftmaxBlock& block, const float* y, const float* scale, float* gradient,
                   float* bias_gradient) {
  const auto size = static_cast<ptrdiff_t>(block.size);
  const size_t steps = round_up(block.rows, kPair) / kPair;
  float* factor = room_of(block);
#if defined(PERSONALIZE_BF16)
  for (size_t r = 0; r < block.rows; r += 2) {
    const bool both = r + 1 < block.rows;
    const float high_scale = both ? scale[r + 1] : 0;
    const float* low = y + r * block.size;
    const float* high = both ? low + block.size : low;
    for (size_t d = 0; d < block.size; d += kLanes)
      store_pairs(factor + r / 2 * block.size + d, scale[r] * load(low + d),
                  high_scale * load(high + d));
  }
  float* turned = factor + factor_floats(block.rows, block.size);
  for (size_t first = 0; first < block.items; first += kTurned) {
    const size_t count = block.items - first < kTurned ? block.items - first : kTurned;
    for (size_t r = 0; r < block.rows; r += 2) {
      const Number* low = row_of(block, r) + first;
      const Number* high = r + 1 < block.rows ? low + block.width : low;  // times 0
      for (size_t i = 0; i < count; i += kLanes)
        *reinterpret_cast<UnalignedWords*>(turned + r / 2 * kTurned + i) =
            words_of(low + i) | (words_of(high + i) << 16);
    }
    stream_product(count, block.size, steps, {turned, 1, kTurned}, factor, size,
                   gradient + first * block.size, size, true, Stream::kResult);
    add_bias_gradient(block, scale, first, count, bias_gradient);
  }
#else
  for (size_t r = 0; r < block.rows; ++r)
    for_vectors(block.size, [&](auto get, auto put) {
      put(factor + r * block.size, scale[r] * get(y + r * block.size));
    });
  stream_product(block.items, block.size, steps,
                 {static_cast<const float*>(block.q), 1, static_cast<ptrdiff_t>(block.width)},
                 factor, size, gradient, size, true, Stream::kResult);
  add_bias_gradient(block, scale, 0, block.items, bias_gradient);
#endif
}

}  // namespace

#if defined(PERSONALIZE_BF16)
void stream_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                    float* c, ptrdiff_t ldc, bool accumulate, Stream stream) {
  product(m, n, k, a, b, ldb, c, ldc, accumulate, stream);
}
#endif

extern const ItemSoftmax item_softmax;
const ItemSoftmax item_softmax = {
#if defined(PERSONALIZE_BF16)
    .number = "bf16",
#else
    .number = "f32",
#endif
    .panel_floats = panel_floats,
    .pair_floats = pair_floats,
    .pack = pack,
    .bytes = bytes,
    .exponentials = exponentials,
    .scale_at = scale_at,
    .read_at = read_at,
    .sums = sums,
    .y_gradient = y_gradient,
    .item_gradient = item_gradient,
};

}  // namespace personalize::PERSONALIZE_NAMESPACE
