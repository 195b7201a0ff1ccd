#include "engine/math/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

// Every kernel of every instruction set this machine has, against plain loops in double precision.
class KernelsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels_ = kernels_of(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
    EXPECT_STREQ(kernels_->isa, GetParam());
  }
  std::vector<float> normal(size_t n) {
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(random_.normal());
    return values;
  }
  static void expect_near(const std::vector<float>& got, const std::vector<double>& wanted,
                          double tolerance) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], wanted[i], tolerance * (1 + std::abs(wanted[i]))) << "at " << i;
  }

  const Kernels* kernels_ = nullptr;
  Random random_{4, 2};
};

TEST_P(KernelsTest, ProductsOfEveryShapeAndStride) {
  for (const size_t m : {1, 2, 3, 4, 5, 8, 13, 14, 15, 29, 64})
    for (const size_t n : {1, 15, 16, 17, 32, 43, 129, 200})
      for (const size_t k : {0, 1, 7, 128, 300})
        for (const bool transposed : {false, true})
          for (const bool accumulate : {false, true}) {
            const std::vector<float> a = normal(m * k + 1);
            const std::vector<float> b = normal(k * (n + 3) + 1);
            std::vector<float> c = normal(m * (n + 2));
            const StridedMatrix left{a.data(), static_cast<ptrdiff_t>(transposed ? 1 : k),
                                     static_cast<ptrdiff_t>(transposed ? m : 1)};
            std::vector<double> wanted(c.begin(), c.end());
            for (size_t i = 0; i < m; ++i)
              for (size_t j = 0; j < n; ++j) {
                double sum = accumulate ? c[i * (n + 2) + j] : 0;
                for (size_t l = 0; l < k; ++l)
                  sum += static_cast<double>(transposed ? a[l * m + i] : a[i * k + l]) *
                         b[l * (n + 3) + j];
                wanted[i * (n + 2) + j] = sum;
              }
            kernels_->product(m, n, k, left, b.data(), static_cast<ptrdiff_t>(n + 3), c.data(),
                              static_cast<ptrdiff_t>(n + 2), accumulate);
            expect_near(c, wanted, 2e-5);
          }
}

TEST_P(KernelsTest, ARowIsTheSameToTheLastBitAloneAndAmongOthers) {
  for (const size_t n : {48, 384, 400, 1168})
    for (const size_t k : {1, 128, 257}) {
      const auto stride = static_cast<ptrdiff_t>(n);
      const std::vector<float> a = normal(3 * k), b = normal(k * n);
      std::vector<float> together(3 * n);
      kernels_->product(3, n, k, {a.data(), static_cast<ptrdiff_t>(k), 1}, b.data(), stride,
                        together.data(), stride, false);
      for (const size_t row : {0, 2}) {
        std::vector<float> alone(n);
        kernels_->product(1, n, k, {a.data() + row * k, 0, 1}, b.data(), stride, alone.data(),
                          stride, false);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.data() + row * n))
            << n << " columns, " << k << " deep, row " << row;
      }
    }
}

// The nearest bf16 number, the even one of two.
double to_bf16(float x) {
  int exponent = 0;
  const double mantissa = std::frexp(static_cast<double>(x), &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
}

TEST_P(KernelsTest, ProductsInBf16AreThoseOfRoundedFactors) {
  if (kernels_->product_bf16 == nullptr) GTEST_SKIP() << GetParam() << " has no bf16";
  for (const size_t m : {16, 48})
    for (const size_t n : {16, 80})
      for (const size_t k : {1, 16, 33, 640})
        for (const bool transposed : {false, true})
          for (const bool accumulate : {false, true}) {
            if (!transposed && k % 16 != 0) continue;
            const std::vector<float> a = normal(m * k);
            const std::vector<float> b = normal(k * n);
            std::vector<float> c = normal(m * n);
            std::vector<double> wanted(c.begin(), c.end());
            for (size_t i = 0; i < m; ++i)
              for (size_t j = 0; j < n; ++j) {
                double sum = accumulate ? c[i * n + j] : 0;
                for (size_t l = 0; l < k; ++l)
                  sum += to_bf16(transposed ? a[l * m + i] : a[i * k + l]) * to_bf16(b[l * n + j]);
                wanted[i * n + j] = sum;
              }
            std::vector<float> room((m + n) * ((k + 1) / 2));
            const StridedMatrix left{a.data(), static_cast<ptrdiff_t>(transposed ? 1 : k),
                                     static_cast<ptrdiff_t>(transposed ? m : 1)};
            kernels_->product_bf16(m, n, k, left, b.data(), static_cast<ptrdiff_t>(n), c.data(),
                                   static_cast<ptrdiff_t>(n), accumulate, room.data());
            expect_near(c, wanted, 2e-5);
          }
}

TEST_P(KernelsTest, MatrixTimesVector) {
  for (const size_t rows : {1, 3, 16, 17, 100})
    for (const size_t columns : {1, 7, 16, 32, 43, 64, 128}) {
      const std::vector<float> matrix = normal(rows * columns);
      const std::vector<float> vector = normal(columns);
      const std::vector<float> bias = normal(rows);
      for (const bool with_bias : {false, true}) {
        std::vector<double> wanted(rows);
        for (size_t i = 0; i < rows; ++i) {
          wanted[i] = with_bias ? bias[i] : 0;
          for (size_t j = 0; j < columns; ++j)
            wanted[i] += static_cast<double>(matrix[i * columns + j]) * vector[j];
        }
        std::vector<float> out(rows);
        kernels_->matrix_vector(rows, columns, matrix.data(), vector.data(),
                                with_bias ? bias.data() : nullptr, out.data());
        expect_near(out, wanted, 2e-5);
        for (size_t i = 0; i < rows; ++i) {
          float alone;
          kernels_->matrix_vector(1, columns, matrix.data() + i * columns, vector.data(),
                                  with_bias ? &bias[i] : nullptr, &alone);
          EXPECT_EQ(alone, out[i]) << rows << " x " << columns << " row " << i;
        }
      }
    }
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_P(KernelsTest, OneStepOfTheGru) {
  for (const size_t size : {1, 16, 37, 128}) {
    std::vector<float> input = normal(3 * size);
    input[0] = 200;  // far outside of what exp can take
    input[size] = -200;
    const std::vector<float> recurrent = normal(3 * size);
    const std::vector<float> bias = normal(size);
    const std::vector<float> previous = normal(size);
    std::vector<float> next(size);
    std::vector<float> gates(3 * size);
    std::vector<float> part(size);
    kernels_->gru_forward(size, input.data(), recurrent.data(), bias.data(), previous.data(),
                          next.data(), gates.data(), part.data());
    std::vector<double> wanted(size);
    for (size_t i = 0; i < size; ++i) {
      const double r = sigmoid(static_cast<double>(input[i]) + recurrent[i]);
      const double z = sigmoid(static_cast<double>(input[size + i]) + recurrent[size + i]);
      const double n = std::tanh(input[2 * size + i] +
                                 r * (static_cast<double>(recurrent[2 * size + i]) + bias[i]));
      wanted[i] = (1 - z) * n + z * previous[i];
    }
    expect_near(next, wanted, 1e-6);
    // Serving keeps no gates and moves the state in place: the same bits.
    std::vector<float> in_place = previous;
    kernels_->gru_forward(size, input.data(), recurrent.data(), bias.data(), in_place.data(),
                          in_place.data(), nullptr, nullptr);
    EXPECT_EQ(in_place, next);
  }
}

TEST_P(KernelsTest, MomentsMaximumAndLogarithm) {
  for (const size_t n : {1, 15, 16, 1024, 3000}) {
    std::vector<float> z = normal(n);
    const std::vector<float> g = normal(n);
    float highest = z[0];
    for (const float x : z) highest = std::max(highest, x);
    EXPECT_EQ(kernels_->maximum(n, z.data()), highest);
    double zeroth = 0;
    double first = 0;
    double second = 0;
    for (size_t i = 0; i < n; ++i) {
      const double e = std::exp(static_cast<double>(z[i]) - highest);
      zeroth += e;
      first += e * g[i];
      second += e * g[i] * g[i];
    }
    const Moments m = kernels_->moments(n, z.data(), highest, g.data());
    EXPECT_NEAR(m.zeroth, zeroth, 1e-6 * zeroth);
    EXPECT_NEAR(m.first, first, 1e-6 * zeroth);
    EXPECT_NEAR(m.second, second, 2e-6 * second);
    std::vector<double> wanted(n);
    for (size_t i = 0; i < n; ++i) {
      z[i] = std::abs(z[i]) * (i % 3 == 0 ? 1e-6F : 1.0F);
      wanted[i] = std::log1p(1000.0 * z[i]);
    }
    kernels_->log1p_scaled(n, z.data(), 1000, z.data());
    expect_near(z, wanted, 1e-6);
  }
}

TEST_P(KernelsTest, SumsOfArraysAndTheirSquares) {
  for (const size_t n : {1, 17, 3000}) {
    std::vector<float> a = normal(n);
    const std::vector<float> b = normal(n);
    const std::vector<float> c = normal(n);
    std::vector<double> wanted(n);
    double squares = 0;
    for (size_t i = 0; i < n; ++i) {
      wanted[i] = static_cast<double>(a[i]) + b[i] + c[i];
      squares += wanted[i] * wanted[i];
    }
    const float* arrays[] = {a.data(), b.data(), c.data()};
    EXPECT_NEAR(kernels_->sum_arrays(n, 3, arrays, a.data()), squares, 1e-5 * squares);
    expect_near(a, wanted, 1e-6);
    kernels_->add_scaled(n, -2, b.data(), a.data());
    kernels_->multiply(n, c.data(), a.data());
    for (size_t i = 0; i < n; ++i) wanted[i] = (wanted[i] - 2.0 * b[i]) * c[i];
    expect_near(a, wanted, 1e-5);
  }
}

TEST_P(KernelsTest, DropoutTakesSixteenBitsOfItsStreamForEachElement) {
  const Random stream(7, 3);
  for (const size_t n : {1, 5, 31, 32, 33, 1001})
    for (const uint32_t dropped : {0U, 20'000U, 65'535U}) {
      std::vector<float> wanted(n + 1, 9.0F);
      for (size_t i = 0; i < n; ++i)
        wanted[i] = ((stream.at(i / 4 * 4) >> (16 * (i % 4))) & 0xFFFF) < dropped ? 0.0F : 1.5F;
      std::vector<float> mask(n + 1, 9.0F);
      kernels_->dropout(n, stream.key(), dropped, 1.5F, mask.data());
      EXPECT_EQ(mask, wanted);
    }
}

TEST_P(KernelsTest, MaximumOfManyLeavesOutWhatIsNoNumber) {
  for (const size_t n : {1, 40, 64, 200}) {
    std::vector<float> values(n, std::nanf(""));
    EXPECT_EQ(kernels_->maximum(n, values.data()), -HUGE_VALF);
    values[n / 3] = -2;
    EXPECT_EQ(kernels_->maximum(n, values.data()), -2);
    values[n / 2] = 3;
    EXPECT_EQ(kernels_->maximum(n, values.data()), 3);
  }
}

float float_of_bf16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float result;
  std::memcpy(&result, &wide, sizeof(result));
  return result;
}

// Of the largest codes too, whose sums of two no 16 bits hold.
TEST_P(KernelsTest, ProductsOfCodesAreExact) {
  constexpr size_t kItems = 128;
  const std::vector<uint16_t> ones(kItems, 0x3F80);
  for (const size_t steps : {1, 2, 16, 33, 1024}) {
    std::vector<uint8_t> codes(kItems * 4 * steps);
    std::vector<int8_t> query(4 * steps);
    for (const int kind : {0, 1, 2}) {
      for (uint8_t& code : codes)
        code = static_cast<uint8_t>(kind == 0 ? random_.below(256) : kind == 1 ? 255 : 0);
      for (size_t i = 0; i < query.size(); ++i)
        query[i] = static_cast<int8_t>(kind == 0   ? static_cast<int>(random_.below(255)) - 127
                                       : i % 3 > 0 ? 127
                                                   : -127);
      for (size_t i = 0; i < kItems; ++i) {
        int32_t wanted = 0;
        for (size_t c = 0; c < query.size(); ++c)
          wanted += query[c] * codes[i / 16 * 64 * steps + c / 4 * 64 + i % 16 * 4 + c % 4];
        // A float holds what is left exactly.
        const CodeBlock block{.codes = codes.data(),
                              .query = query.data(),
                              .steps = steps,
                              .scales = ones.data(),
                              .step = 1,
                              .correction = wanted - 3};
        std::vector<float> estimates(kItems);
        std::vector<float> uppers(kItems);
        std::vector<uint64_t> masks(kItems / 64);
        kernels_->scan_codes(kItems, block, 0, nullptr, estimates.data(), uppers.data(),
                             masks.data());
        ASSERT_EQ(estimates[i], 3) << steps << " " << kind << " " << i;
        if (steps > 100) i += 30;
      }
    }
  }
}

TEST_P(KernelsTest, EstimatesOfScoresTheirBoundsAndTheirExponentials) {
  constexpr size_t kItems = 192;
  constexpr size_t kSteps = 3;
  const std::vector<float> bias = normal(kItems);
  const std::vector<float> row = normal(kItems);
  std::vector<float> factors = normal(kItems);
  std::vector<uint16_t> scales(kItems);
  std::vector<uint8_t> codes(kItems * 4 * kSteps);
  const std::vector<int8_t> query = {-127, 3, 5, 100, 0, -7, 80, 1, 127, -90, 66, 20};
  for (uint8_t& code : codes) code = static_cast<uint8_t>(random_.below(256));
  for (size_t i = 0; i < kItems; ++i) {
    factors[i] = std::abs(factors[i]);
    scales[i] = static_cast<uint16_t>(0x3F80 + random_.below(100));  // 1 and more
  }
  CodeBlock block{.codes = codes.data(),
                  .query = query.data(),
                  .steps = kSteps,
                  .scales = scales.data(),
                  .step = 1e-4F,
                  .correction = 128 * 178,
                  .margin = 0.25F,
                  .least_margin = 0.125F,
                  .row_weight = -0.5F};
  std::vector<float> estimates(kItems);
  std::vector<float> uppers(kItems);
  std::vector<uint64_t> masks(kItems / 64);
  for (const int kind : {0, 1, 2, 3, 4}) {
    block.bias = kind > 0 && kind != 3 ? bias.data() : nullptr;
    block.row = kind == 2 || kind == 4 ? row.data() : nullptr;
    block.factors = kind >= 3 ? factors.data() : nullptr;
    std::vector<double> wanted(kItems);
    std::vector<double> above(kItems);
    double exponentials = 0;
    for (size_t i = 0; i < kItems; ++i) {
      int32_t product = -128 * 178;
      for (size_t c = 0; c < query.size(); ++c)
        product += query[c] * codes[i / 16 * 64 * kSteps + c / 4 * 64 + i % 16 * 4 + c % 4];
      const double scale = float_of_bf16(scales[i]) * (kind >= 3 ? factors[i] : 1.0F);
      const double b = block.bias == nullptr ? 0 : bias[i];
      const double r = block.row == nullptr ? 0 : -0.5 * row[i];
      wanted[i] = scale * 1e-4 * product + b + r;
      above[i] = wanted[i] + 0.25 * scale + 0.125 + (std::abs(b) + std::abs(r)) / (1 << 19);
      exponentials += std::exp(wanted[i] + 2);
    }
    const float limit = 1;
    const float reference = -2;
    const ExponentialSum sum = kernels_->scan_codes(kItems, block, limit, &reference,
                                                    estimates.data(), uppers.data(), masks.data());
    expect_near(estimates, wanted, 2e-6);
    expect_near(uppers, above, 2e-6);
    EXPECT_EQ(sum.maximum, *std::max_element(estimates.begin(), estimates.end()));
    EXPECT_NEAR(sum.sum, exponentials, 1e-5 * exponentials);
    for (size_t i = 0; i < kItems; ++i)
      EXPECT_EQ((masks[i / 64] >> (i % 64)) & 1, uppers[i] >= limit ? 1U : 0U) << i;
    kernels_->scan_codes(kItems, block, uppers[70], nullptr, estimates.data(), uppers.data(),
                         masks.data());
    EXPECT_EQ((masks[1] >> 6) & 1, 1U);
  }
  // Only the second 64 items are worth writing.
  block.row = nullptr;
  block.factors = nullptr;
  block.wants_all = false;
  std::vector<float> high(kItems);
  high[70] = 1'000;
  block.bias = high.data();
  std::fill(estimates.begin(), estimates.end(), -7.0F);
  std::fill(uppers.begin(), uppers.end(), -7.0F);
  kernels_->scan_codes(kItems, block, 900, nullptr, estimates.data(), uppers.data(), masks.data());
  EXPECT_EQ(masks, (std::vector<uint64_t>{0, uint64_t{1} << 6, 0}));
  EXPECT_EQ(std::count(estimates.begin(), estimates.end(), -7.0F), 128);
  EXPECT_EQ(std::count(uppers.begin(), uppers.end(), -7.0F), 128);
  EXPECT_GT(estimates[70], 990);
  // What is no number is not known to be below anything.
  const std::vector<float> nan(kItems, std::nanf(""));
  block.bias = nan.data();
  kernels_->scan_codes(kItems, block, 5, nullptr, estimates.data(), uppers.data(), masks.data());
  EXPECT_EQ(masks, std::vector<uint64_t>(kItems / 64, ~uint64_t{0}));
}

TEST_P(KernelsTest, ThreeStepsOfAdam) {
  constexpr size_t kSize = 37;
  std::vector<float> p = normal(kSize);
  std::vector<float> first(kSize);
  std::vector<float> second(kSize);
  std::vector<double> wanted(p.begin(), p.end());
  std::vector<double> m(kSize);
  std::vector<double> v(kSize);
  for (int t = 1; t <= 3; ++t) {
    const std::vector<float> g = normal(kSize);
    const double c1 = 1 - std::pow(0.9, t);
    const double c2 = 1 - std::pow(0.999, t);
    for (size_t i = 0; i < kSize; ++i) {
      const double d = 0.5 * g[i];
      m[i] = 0.9 * m[i] + 0.1 * d;
      v[i] = 0.999 * v[i] + 0.001 * d * d;
      wanted[i] -= 0.01 * (m[i] / c1) / (std::sqrt(v[i] / c2) + 1e-8);
    }
    const AdamStep step{static_cast<float>(0.01 / c1), static_cast<float>(1 / std::sqrt(c2)), 0.5F};
    kernels_->adam(kSize, step, g.data(), p.data(), first.data(), second.data());
  }
  expect_near(p, wanted, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Isa, KernelsTest, testing::Values("base", "v3", "v4", "v4bf16"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Dispatch, TakesTheBestThereIsOrWhatTheEnvironmentNames) {
  const std::string requested(requested_isa());
  if (kernels_of(requested) != nullptr) {
    EXPECT_EQ(kernels().isa, requested);
    return;
  }
  for (const char* isa : {"v4bf16", "v4", "v3", "base"})
    if (kernels_of(isa) != nullptr) {
      EXPECT_STREQ(kernels().isa, isa);
      return;
    }
}

TEST(Dispatch, Bf16ChangesTrainingAloneAndWhatIsExact) {
  const Kernels* bf16 = kernels_of("v4bf16");
  if (bf16 == nullptr) GTEST_SKIP() << "this machine has no v4bf16";
  const Kernels* v4 = kernels_of("v4");
  ASSERT_NE(v4, nullptr);
  Kernels same = *bf16;
  same.isa = v4->isa;
  same.softmax_bf16 = v4->softmax_bf16;
  same.product_bf16 = v4->product_bf16;
  same.scan_codes = v4->scan_codes;
  EXPECT_EQ(std::memcmp(&same, v4, sizeof(Kernels)), 0);
}

TEST(Dispatch, KnowsNoOtherNames) {
  EXPECT_EQ(kernels_of("v5"), nullptr);
  EXPECT_EQ(kernels_of(""), nullptr);
}

}  // namespace
}  // namespace personalize
