// Compiled once for each instruction set, with PERSONALIZE_KERNELS naming it; every copy lives in a
// namespace of its own and exports its table alone. No header whose inline functions have linkage
// may be used here: the linker would keep one copy of such a function for all, perhaps the one that
// an old CPU can't run. A test reads this off the objects.
#include "engine/math/kernels.h"

#define PERSONALIZE_TEXT_INNER(x) #x
#define PERSONALIZE_TEXT(x) PERSONALIZE_TEXT_INNER(x)
#define PERSONALIZE_JOIN_INNER(a, b) a##b
#define PERSONALIZE_JOIN(a, b) PERSONALIZE_JOIN_INNER(a, b)
#define PERSONALIZE_NAMESPACE PERSONALIZE_JOIN(kernels_, PERSONALIZE_KERNELS)

namespace personalize {
namespace PERSONALIZE_NAMESPACE {
namespace {

#if defined(__AVX512F__)
#define PERSONALIZE_LANES 16
#define PERSONALIZE_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define PERSONALIZE_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
constexpr int kTileRows = 14;  // 28 accumulators of 32 registers
#elif defined(__AVX2__)
#define PERSONALIZE_LANES 8
#define PERSONALIZE_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define PERSONALIZE_ODD 1, 3, 5, 7, 9, 11, 13, 15
constexpr int kTileRows = 6;  // 12 accumulators of 16 registers
#else
#define PERSONALIZE_LANES 4
#define PERSONALIZE_EVEN 0, 2, 4, 6
#define PERSONALIZE_ODD 1, 3, 5, 7
constexpr int kTileRows = 4;  // 8 accumulators of 16 registers; products need some too
#endif

constexpr int kLanes = PERSONALIZE_LANES;
using Vector = float __attribute__((vector_size(4 * kLanes)));
using Unaligned = float __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
using Integers = int32_t __attribute__((vector_size(4 * kLanes)));

#define PERSONALIZE_INLINE inline __attribute__((always_inline))

PERSONALIZE_INLINE Vector load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
PERSONALIZE_INLINE void store(float* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }
PERSONALIZE_INLINE Vector broadcast(float x) { return x - Vector{}; }
PERSONALIZE_INLINE Integers bits_of(Vector v) { return __builtin_bit_cast(Integers, v); }
PERSONALIZE_INLINE Vector from_bits(Integers v) { return __builtin_bit_cast(Vector, v); }
PERSONALIZE_INLINE Vector maximum_of(Vector a, Vector b) { return a > b ? a : b; }

// The first `count` elements, zeros behind.
PERSONALIZE_INLINE Vector load_some(const float* p, size_t count) {
  Vector v{};
  for (size_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
PERSONALIZE_INLINE void store_some(float* p, Vector v, size_t count) {
  for (size_t i = 0; i < count; ++i) p[i] = v[i];
}

// Calls body(offset, loader, storer) for whole vectors, then once more for what is left.
template <typename Body>
PERSONALIZE_INLINE void for_vectors(size_t size, const Body& body) {
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    body([i](const float* p) { return load(p + i); }, [i](float* p, Vector v) { store(p + i, v); });
  if (i < size) {
    const size_t left = size - i;
    body([i, left](const float* p) { return load_some(p + i, left); },
         [i, left](float* p, Vector v) { store_some(p + i, v, left); });
  }
}

PERSONALIZE_INLINE float sum_of(Vector v) {
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

// Sums of neighbours: of a in the first half of the result, of b in the second.
PERSONALIZE_INLINE Vector add_neighbours(Vector a, Vector b) {
  return __builtin_shuffle(a, b, Integers{PERSONALIZE_EVEN}) +
         __builtin_shuffle(a, b, Integers{PERSONALIZE_ODD});
}

// e^x to 2 units in the last place; x is cut off where the result would leave the normal numbers.
// Cephes' polynomial (Moshier 1989).
PERSONALIZE_INLINE Vector exponential(Vector x) {
  x = x > broadcast(88.0F) ? broadcast(88.0F) : x;
  x = x < broadcast(-87.0F) ? broadcast(-87.0F) : x;
  const Vector magic = broadcast(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const Vector shifted = x * 1.44269504088896341F + magic;
  const Vector n = shifted - magic;
  const Vector r = x - n * 0.693359375F - n * -2.12194440e-4F;
  Vector y = broadcast(1.9875691500e-4F);
  y = y * r + 1.3981999507e-3F;
  y = y * r + 8.3334519073e-3F;
  y = y * r + 4.1665795894e-2F;
  y = y * r + 1.6666665459e-1F;
  y = y * r + 5.0000001201e-1F;
  y = y * r * r + r + 1.0F;
  const Integers power = (bits_of(shifted) << 23) + (127 << 23);
  return y * from_bits(power);
}

PERSONALIZE_INLINE Vector sigmoid(Vector x) { return 1.0F / (1.0F + exponential(-x)); }
PERSONALIZE_INLINE Vector hyperbolic_tangent(Vector x) {
  return 1.0F - 2.0F / (1.0F + exponential(x + x));
}

// ln x for normal x >= 1. Cephes' polynomial.
PERSONALIZE_INLINE Vector logarithm(Vector x) {
  Integers bits = bits_of(x);
  Vector e = __builtin_convertvector((bits >> 23) - 126, Vector);
  bits = (bits & 0x007FFFFF) | 0x3F000000;
  Vector m = from_bits(bits);  // 0.5 <= m < 1
  const auto small = m < broadcast(0.707106781186547524F);
  e = small ? e - 1.0F : e;
  m = small ? m + m - 1.0F : m - 1.0F;
  const Vector z = m * m;
  Vector y = broadcast(7.0376836292e-2F);
  y = y * m - 1.1514610310e-1F;
  y = y * m + 1.1676998740e-1F;
  y = y * m - 1.2420140846e-1F;
  y = y * m + 1.4249322787e-1F;
  y = y * m - 1.6668057665e-1F;
  y = y * m + 2.0000714765e-1F;
  y = y * m - 2.4999993993e-1F;
  y = y * m + 3.3333331174e-1F;
  y = y * m * z + e * -2.12194440e-4F - z * 0.5F;
  return m + y + e * 0.693359375F;
}

struct Target {
  float* c;
  ptrdiff_t stride;
  bool accumulate;
};

// kRows rows of c, kVectors vectors wide, held in registers over all of k.
template <int kRows, int kVectors>
PERSONALIZE_INLINE void tile(size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb, Target to) {
  Vector sum[kRows][kVectors] = {};
  const float* left = a.data;
  for (size_t step = 0; step < k; ++step, left += a.column_stride, b += ldb) {
    Vector right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = load(b + v * kLanes);
    for (int i = 0; i < kRows; ++i) {
      const Vector x = broadcast(left[i * a.row_stride]);
      for (int v = 0; v < kVectors; ++v) sum[i][v] += x * right[v];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    float* c = to.c + i * to.stride;
    for (int v = 0; v < kVectors; ++v) {
      if (to.accumulate) sum[i][v] += load(c + v * kLanes);
      store(c + v * kLanes, sum[i][v]);
    }
  }
}

template <int kRows>
void scalar_columns(size_t columns, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
                    Target to) {
  for (int i = 0; i < kRows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      float sum = 0;
      for (size_t step = 0; step < k; ++step)
        sum += a.data[i * a.row_stride + static_cast<ptrdiff_t>(step) * a.column_stride] *
               b[static_cast<ptrdiff_t>(step) * ldb + static_cast<ptrdiff_t>(j)];
      float& c = to.c[i * to.stride + static_cast<ptrdiff_t>(j)];
      c = to.accumulate ? c + sum : sum;
    }
}

// kRows rows of c, n columns. Few rows take wider tiles: as many sums must be under way as the
// multipliers' latency wants.
template <int kRows>
void tile_row(size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb, Target to) {
  constexpr int kVectors = kRows * 8 <= 2 * kTileRows ? 8 : kRows * 4 <= 2 * kTileRows ? 4 : 2;
  size_t j = 0;
  for (; j + kVectors * kLanes <= n; j += kVectors * kLanes)
    tile<kRows, kVectors>(k, a, b + j, ldb, {to.c + j, to.stride, to.accumulate});
  for (; j + kLanes <= n; j += kLanes)
    tile<kRows, 1>(k, a, b + j, ldb, {to.c + j, to.stride, to.accumulate});
  if (j < n) scalar_columns<kRows>(n - j, k, a, b + j, ldb, {to.c + j, to.stride, to.accumulate});
}

using TileRow = void (*)(size_t, size_t, StridedMatrix, const float*, ptrdiff_t, Target);
constexpr TileRow kTileRow[] = {
    nullptr,      tile_row<1>,  tile_row<2>,  tile_row<3>,  tile_row<4>,
#if PERSONALIZE_LANES > 4
    tile_row<5>,  tile_row<6>,
#endif
#if PERSONALIZE_LANES > 8
    tile_row<7>,  tile_row<8>,  tile_row<9>,  tile_row<10>, tile_row<11>,
    tile_row<12>, tile_row<13>, tile_row<14>,
#endif
};

// All rows of c, in tiles of nearly equal height.
void all_rows(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb,
              Target to) {
  const size_t tiles = (m + kTileRows - 1) / kTileRows;
  for (size_t t = 0, i = 0; t < tiles; ++t) {
    const size_t rows = (m - i + (tiles - t) - 1) / (tiles - t);
    const auto offset = static_cast<ptrdiff_t>(i);
    kTileRow[rows](n, k, {a.data + offset * a.row_stride, a.row_stride, a.column_stride}, b, ldb,
                   {to.c + offset * to.stride, to.stride, to.accumulate});
    i += rows;
  }
}

void product(size_t m, size_t n, size_t k, StridedMatrix a, const float* b, ptrdiff_t ldb, float* c,
             ptrdiff_t ldc, bool accumulate) {
  constexpr size_t kDepth = 256;  // rows of b at a time: they stay in the second-level cache
  constexpr size_t kFirstLevel = 8 * 1024;  // floats
  constexpr size_t kPanel = 4 * kLanes;
  if (k == 0 && !accumulate)
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < n; ++j)
        c[static_cast<ptrdiff_t>(i) * ldc + static_cast<ptrdiff_t>(j)] = 0;
  for (size_t first = 0; first < k; first += kDepth) {
    const size_t depth = k - first < kDepth ? k - first : kDepth;
    const auto offset = static_cast<ptrdiff_t>(first);
    const StridedMatrix part{a.data + offset * a.column_stride, a.row_stride, a.column_stride};
    const float* rows = b + offset * ldb;
    const bool add = accumulate || first > 0;
    const size_t width = depth * n <= kFirstLevel || m <= kTileRows ? n : kPanel;
    for (size_t j = 0; j < n; j += width)
      all_rows(m, n - j < width ? n - j : width, depth, part, rows + j, ldb, {c + j, ldc, add});
  }
}

void matrix_vector(size_t rows, size_t columns, const float* matrix, const float* vector,
                   const float* bias, float* out) {
  const size_t whole = columns / kLanes * kLanes;
  for (size_t first = 0; first < rows; first += kLanes) {
    const size_t count = rows - first < kLanes ? rows - first : kLanes;
    Vector sum[kLanes];
    for (size_t i = 0; i < kLanes; ++i) {
      const float* row = matrix + (first + (i < count ? i : 0)) * columns;
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
      sum[i] = even + odd;
    }
    for (int width = kLanes; width > 1; width /= 2)
      for (int i = 0; i < width / 2; ++i) sum[i] = add_neighbours(sum[2 * i], sum[2 * i + 1]);
    if (count == kLanes) {
      store(out + first, bias == nullptr ? sum[0] : sum[0] + load(bias + first));
    } else {
      if (bias != nullptr) sum[0] += load_some(bias + first, count);
      store_some(out + first, sum[0], count);
    }
  }
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
  Vector best = broadcast(-__builtin_inff());
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) best = maximum_of(best, load(values + i));
  float result = -__builtin_inff();
  for (int lane = 0; lane < kLanes; ++lane) result = best[lane] > result ? best[lane] : result;
  for (; i < size; ++i) result = values[i] > result ? values[i] : result;
  return result;
}

// Replaces row.logits by exp(logit - maximum) and returns their sum; gives the target's logit
// less the maximum.
float exponentiate(const SoftmaxRow& row, float* target_logit) {
  float* q = row.logits;
  if (row.recency == nullptr) {
    for_vectors(row.size, [&](auto get, auto put) { put(q, get(q) + get(row.bias)); });
  } else {
    for_vectors(row.size, [&](auto get, auto put) {
      put(q, get(q) + get(row.bias) + row.rho * get(row.recency));
    });
  }
  const float highest = maximum(row.size, q);
  *target_logit = q[row.target] - highest;
  Vector sums{};
  size_t i = 0;
  for (; i + kLanes <= row.size; i += kLanes) {
    const Vector e = exponential(load(q + i) - highest);
    sums += e;
    store(q + i, e);
  }
  float sum = sum_of(sums);
  if (i < row.size) {
    const size_t left = row.size - i;
    const Vector e = exponential(load_some(q + i, left) - highest);
    store_some(q + i, e, left);
    for (size_t j = 0; j < left; ++j) sum += e[j];
  }
  return sum;
}

double softmax_gradient(const SoftmaxRow& row) {
  float target_logit = 0;
  const float sum = exponentiate(row, &target_logit);
  float* q = row.logits;
  const float scale = row.weight / sum;
  if (row.recency == nullptr) {
    for_vectors(row.size, [&](auto get, auto put) {
      const Vector p = get(q) * scale;
      put(q, p);
      put(row.bias_gradient, get(row.bias_gradient) + p);
    });
  } else {
    Vector along{};
    for_vectors(row.size, [&](auto get, auto put) {
      const Vector p = get(q) * scale;
      put(q, p);
      put(row.bias_gradient, get(row.bias_gradient) + p);
      along += p * get(row.recency);
    });
    *row.rho_gradient += sum_of(along) - row.weight * row.recency[row.target];
  }
  q[row.target] -= row.weight;
  row.bias_gradient[row.target] -= row.weight;
  return row.weight * (__builtin_log(static_cast<double>(sum)) - target_logit);
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

extern const Kernels table;
const Kernels table = {
    .isa = PERSONALIZE_TEXT(PERSONALIZE_KERNELS),
    .product = product,
    .matrix_vector = matrix_vector,
    .gru_forward = gru_forward,
    .gru_backward = gru_backward,
    .softmax_gradient = softmax_gradient,
    .moments = moments,
    .maximum = maximum,
    .log1p_scaled = log1p_scaled,
    .add_scaled = add_scaled,
    .multiply = multiply,
    .sum_arrays = sum_arrays,
    .adam = adam,
};

}  // namespace PERSONALIZE_NAMESPACE
}  // namespace personalize
