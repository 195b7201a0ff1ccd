// Compiled once for each instruction set; every copy lives in a namespace of its own and exports
// its table alone (vectors.h says why).
#include "engine/math/kernels.h"

#include "engine/math/matrix_product.h"
#include "engine/math/vectors.h"

namespace personalize::PERSONALIZE_NAMESPACE {
namespace {

void any_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                 float* c, ptrdiff_t ldc, bool accumulate) {
  product(m, n, k, a, b, ldb, c, ldc, accumulate, Stream::kNone);
}

// The product of a row with a vector, in lanes that are still to be added up.
PERSONALIZE_INLINE Vector lanes_of_product(size_t columns, const float* row, const float* vector) {
  const size_t whole = columns / kLanes * kLanes;
  Vector even{};
  Vector odd{};
  size_t j = 0;
  for (; j + 2 * kLanes <= whole; j += 2 * kLanes) {
    even += load(row + j) * load(vector + j);
    odd += load(row + j + kLanes) * load(vector + j + kLanes);
  }
  if (j < whole) even += load(row + j) * load(vector + j);
  if (whole < columns)
    odd += load_some(row + whole, columns - whole) * load_some(vector + whole, columns - whole);
  return even + odd;
}

// The sums of kLanes vectors' lanes, one each. Replaces them.
PERSONALIZE_INLINE Vector sums_of(Vector (&sum)[kLanes]) {
  for (int width = kLanes; width > 1; width /= 2)
    for (int i = 0; i < width / 2; ++i) sum[i] = add_neighbours(sum[2 * i], sum[2 * i + 1]);
  return sum[0];
}

// Whole kLanes rows of matrix_vector whose columns are kParts vectors: the vector stays in
// registers. Gives the number of rows done. The same bits as lanes_of_product.
template <size_t kParts>
size_t rows_of_parts(size_t rows, const float* matrix, const float* vector, const float* bias,
                     float* out) {
  static_assert(kParts % 2 == 0);
  constexpr size_t kColumns = kParts * kLanes;
  Vector parts[kParts];
#pragma GCC unroll 16
  for (size_t j = 0; j < kParts; ++j) parts[j] = load(vector + j * kLanes);
  size_t first = 0;
  for (; first + kLanes <= rows; first += kLanes) {
    Vector sum[kLanes];
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i) {
      const float* row = matrix + (first + i) * kColumns;
      Vector even{};
      Vector odd{};
#pragma GCC unroll 16
      for (size_t j = 0; j < kParts; j += 2) {
        even += load(row + j * kLanes) * parts[j];
        odd += load(row + (j + 1) * kLanes) * parts[j + 1];
      }
      sum[i] = even + odd;
    }
    const Vector sums = sums_of(sum);
    store(out + first, bias == nullptr ? sums : sums + load(bias + first));
  }
  return first;
}

// Any number of columns.
size_t rows_of_any(size_t rows, size_t columns, const float* matrix, const float* vector,
                   const float* bias, float* out) {
  size_t first = 0;
  for (; first + kLanes <= rows; first += kLanes) {
    Vector sum[kLanes];
    for (size_t i = 0; i < kLanes; ++i)
      sum[i] = lanes_of_product(columns, matrix + (first + i) * columns, vector);
    const Vector sums = sums_of(sum);
    store(out + first, bias == nullptr ? sums : sums + load(bias + first));
  }
  return first;
}

void matrix_vector(size_t rows, size_t columns, const float* matrix, const float* vector,
                   const float* bias, float* out) {
  size_t first = 0;
  // The widths that most models have, as long as there are registers for them.
  if (columns == 4 * kLanes)
    first = rows_of_parts<4>(rows, matrix, vector, bias, out);
  else if (columns == 8 * kLanes)
    first = rows_of_parts<8>(rows, matrix, vector, bias, out);
  else
    first = rows_of_any(rows, columns, matrix, vector, bias, out);
  if (first == rows) return;
  const size_t count = rows - first;
  Vector sum[kLanes] = {};
  for (size_t i = 0; i < count; ++i)
    sum[i] = lanes_of_product(columns, matrix + (first + i) * columns, vector);
  Vector sums = sums_of(sum);
  if (bias != nullptr) sums += load_some(bias + first, count);
  store_some(out + first, sums, count);
}

void gru_forward(size_t size, const float* input, const float* recurrent,
                 const float* candidate_bias, const float* previous, float* next, float* gates,
                 float* candidate_part) {
  for_vectors(size, [&](auto get, auto put) {
    const Vector r = sigmoid(get(input) + get(recurrent));
    const Vector z = sigmoid(get(input + size) + get(recurrent + size));
    const Vector part = get(recurrent + 2 * size) + get(candidate_bias);
    const Vector n = hyperbolic_tangent(get(input + 2 * size) + r * part);
    put(next, (1.0F - z) * n + z * get(previous));
    if (gates != nullptr) {
      put(gates, r);
      put(gates + size, z);
      put(gates + 2 * size, n);
      put(candidate_part, part);
    }
  });
}

void gru_backward(size_t size, const float* gates, const float* candidate_part,
                  const float* previous, float* gradient, float* input_gradient,
                  float* recurrent_gradient, float* candidate_bias_gradient) {
  for_vectors(size, [&](auto get, auto put) {
    const Vector r = get(gates);
    const Vector z = get(gates + size);
    const Vector n = get(gates + 2 * size);
    const Vector d = get(gradient);
    const Vector dn = d * (1.0F - z) * (1.0F - n * n);
    const Vector dz = d * (get(previous) - n) * z * (1.0F - z);
    const Vector dr = dn * get(candidate_part) * r * (1.0F - r);
    put(input_gradient, dr);
    put(input_gradient + size, dz);
    put(input_gradient + 2 * size, dn);
    put(recurrent_gradient, dr);
    put(recurrent_gradient + size, dz);
    put(recurrent_gradient + 2 * size, dn * r);
    put(candidate_bias_gradient, get(candidate_bias_gradient) + dn * r);
    put(gradient, d * z);
  });
}

float maximum(size_t size, const float* values) {
  constexpr size_t kChains = 4;  // that do not wait for each other
  Vector best[kChains];
  for (Vector& chain : best) chain = broadcast(-__builtin_inff());
  size_t i = 0;
  for (; i + kChains * kLanes <= size; i += kChains * kLanes)
    for (size_t c = 0; c < kChains; ++c)
      best[c] = maximum_of(load(values + i + c * kLanes), best[c]);
  for (; i + kLanes <= size; i += kLanes) best[0] = maximum_of(load(values + i), best[0]);
  for (size_t c = 1; c < kChains; ++c) best[0] = maximum_of(best[0], best[c]);
  float result = -__builtin_inff();
  for (int lane = 0; lane < kLanes; ++lane)
    result = best[0][lane] > result ? best[0][lane] : result;
  for (; i < size; ++i) result = values[i] > result ? values[i] : result;
  return result;
}

Moments moments(size_t size, const float* z, float highest, const float* g) {
  constexpr size_t kBlock = 64 * kLanes;  // floats add up this many, doubles the blocks
  Moments result{0, 0, 0};
  for (size_t first = 0; first < size; first += kBlock) {
    const size_t last = size - first < kBlock ? size : first + kBlock;
    Vector sums[3] = {};
    size_t i = first;
    for (; i + kLanes <= last; i += kLanes) {
      const Vector e = exponential(load(z + i) - highest);
      const Vector x = load(g + i);
      sums[0] += e;
      sums[1] += e * x;
      sums[2] += e * x * x;
    }
    if (i < last) {
      const size_t left = last - i;
      Vector e = exponential(load_some(z + i, left) - highest);
      for (size_t j = left; j < kLanes; ++j) e[j] = 0;
      const Vector x = load_some(g + i, left);
      sums[0] += e;
      sums[1] += e * x;
      sums[2] += e * x * x;
    }
    result.zeroth += sum_of(sums[0]);
    result.first += sum_of(sums[1]);
    result.second += sum_of(sums[2]);
  }
  return result;
}

void log1p_scaled(size_t size, const float* values, float scale, float* out) {
  for_vectors(size, [&](auto get, auto put) { put(out, logarithm(1.0F + scale * get(values))); });
}

void add_scaled(size_t size, float a, const float* x, float* y) {
  for_vectors(size, [&](auto get, auto put) { put(y, get(y) + a * get(x)); });
}

void multiply(size_t size, const float* y, float* x) {
  for_vectors(size, [&](auto get, auto put) { put(x, get(x) * get(y)); });
}

// random.h's mix64, of every element.
PERSONALIZE_INLINE Longs mix(Longs x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

void dropout(size_t size, uint64_t key, uint32_t dropped, float kept, float* mask) {
  struct Sixteens {
    Shorts half[2];
  };
  Longs counters{};
  for (int i = 0; i < kLanes / 2; ++i) counters[i] = 4 * static_cast<uint64_t>(i);
  for (size_t i = 0; i < size; i += 2 * kLanes, counters += 2 * kLanes) {
    const auto sixteens = __builtin_bit_cast(Sixteens, mix(key + mix(counters)));
    for (size_t h = 0; h < 2; ++h) {
      const Integers bits = __builtin_convertvector(sixteens.half[h], Integers);
      const Vector v = bits < static_cast<int32_t>(dropped) ? Vector{} : broadcast(kept);
      const size_t at = i + h * kLanes;
      if (at + kLanes <= size)
        store(mask + at, v);
      else if (at < size)
        store_some(mask + at, v, size - at);
    }
  }
}

double sum_arrays(size_t size, size_t count, const float* const* arrays, float* sums) {
  constexpr size_t kBlock = 64 * kLanes;
  double squares = 0;
  for (size_t first = 0; first < size; first += kBlock) {
    const size_t n = size - first < kBlock ? size - first : kBlock;
    Vector block{};
    for_vectors(n, [&](auto get, auto put) {
      Vector sum = get(arrays[0] + first);
      for (size_t j = 1; j < count; ++j) sum += get(arrays[j] + first);
      block += sum * sum;
      put(sums + first, sum);
    });
    squares += sum_of(block);
  }
  return squares;
}

void adam(size_t size, const AdamStep& step, const float* __restrict gradient,
          float* __restrict parameters, float* __restrict first, float* __restrict second) {
  const AdamStep s = step;
  for (size_t i = 0; i < size; ++i) {
    const float d = gradient[i] * s.gradient_scale;
    first[i] = kAdamDecay1 * first[i] + (1 - kAdamDecay1) * d;
    second[i] = kAdamDecay2 * second[i] + (1 - kAdamDecay2) * d * d;
    parameters[i] -=
        s.rate * first[i] / (__builtin_sqrtf(second[i]) * s.second_scale + kAdamEpsilon);
  }
}

}  // namespace

void stream_product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                    float* c, ptrdiff_t ldc, bool accumulate, Stream stream) {
  product(m, n, k, a, b, ldb, c, ldc, accumulate, stream);
}

extern const ItemSoftmax item_softmax;
ExponentialSum scan_codes(size_t size, const CodeBlock& block, float limit, const float* reference,
                          float* estimates, float* uppers, uint64_t* masks);
extern const Kernels table;
const Kernels table = {
    .isa = PERSONALIZE_TEXT(PERSONALIZE_KERNELS),
    .softmax = &item_softmax,
    .softmax_bf16 = nullptr,
    .product = any_product,
    .product_bf16 = nullptr,
    .matrix_vector = matrix_vector,
    .gru_forward = gru_forward,
    .gru_backward = gru_backward,
    .moments = moments,
    .maximum = maximum,
    .log1p_scaled = log1p_scaled,
    .add_scaled = add_scaled,
    .multiply = multiply,
    .dropout = dropout,
    .sum_arrays = sum_arrays,
    .scan_codes = scan_codes,
    .adam = adam,
};

}  // namespace personalize::PERSONALIZE_NAMESPACE
