#include "engine/math/quantized_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

float float_of_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// Rows of all kinds that might be trouble, item after item.
std::vector<float> rows_of_every_kind(size_t items, size_t width, Random& random) {
  std::vector<float> vectors(items * width);
  for (size_t j = 0; j < items; ++j) {
    float* row = vectors.data() + j * width;
    const float size = std::exp(static_cast<float>(random.normal()));
    for (size_t c = 0; c < width; ++c) row[c] = size * static_cast<float>(random.normal());
    switch (j % 9) {
      case 0:
        break;
      case 1:
        std::fill_n(row, width, 0.0F);
        break;
      case 2:  // one coordinate hides all others
        row[random.below(width)] = 1e6F;
        break;
      case 3:  // as many as possible half way between two codes
        for (size_t c = 0; c < width; ++c)
          row[c] = (c == 0 ? 127.0F : 63.5F) * (c % 2 > 0 ? 1 : -1);
        break;
      case 4:
        for (size_t c = 0; c < width; ++c) row[c] = 1e-42F * static_cast<float>(c % 5);
        break;
      case 5:
        for (size_t c = 0; c < width; ++c) row[c] *= 1e-30F;
        break;
      case 6:  // the largest codes
        for (size_t c = 0; c < width; ++c) row[c] = c % 3 > 0 ? 1.0F : -1.0F;
        break;
      case 7:
        std::copy_n(row - (j > 0 ? width : 0), width, row);
        break;
      default:
        for (size_t c = 0; c < width; ++c) row[c] *= 1e15F;
    }
  }
  return vectors;
}

QuantizedVectors view_of(const OwnedQuantizedVectors& owned, size_t items, size_t width) {
  return {items, width, owned.codes, owned.scales, owned.bounds};
}

TEST(QuantizedVectors, EveryCodeIsWithinHalfAStepAndWhereTheHeaderSays) {
  for (const size_t width : {1, 5, 64, 67}) {
    constexpr size_t kItems = 100;
    Random random(width, 1);
    const std::vector<float> vectors = rows_of_every_kind(kItems, width, random);
    const auto owned = quantize(kItems, width, vectors);
    ASSERT_TRUE(owned);
    const size_t padded = (width + 3) / 4 * 4;
    ASSERT_EQ(owned->codes.size(), code_count(kItems, width));
    ASSERT_EQ(owned->codes.size(), 128 * padded);
    ASSERT_EQ(owned->scales.size(), scale_count(kItems));
    std::vector<bool> seen(owned->codes.size());
    for (size_t j = 0; j < kItems; ++j) {
      const double scale = static_cast<double>(float_of_bf16(owned->scales[j]));
      EXPECT_LE(scale, static_cast<double>(owned->bounds.scale));
      double residual = 0;
      double squares = 0;
      for (size_t c = 0; c < width; ++c) {
        const size_t at = 16 * padded * (j / 16) + 64 * (c / 4) + 4 * (j % 16) + c % 4;
        seen[at] = true;
        const int code = owned->codes[at] - 128;
        const auto x = static_cast<double>(vectors[j * width + c]);
        ASSERT_LE(std::abs(x - scale * code), 0.5001 * scale) << j << " " << c;
        residual += (x - scale * code) * (x - scale * code);
        squares += code * code;
      }
      EXPECT_LE(std::sqrt(residual), static_cast<double>(owned->bounds.residual) * scale);
      EXPECT_LE(std::sqrt(squares), static_cast<double>(owned->bounds.codes));
    }
    for (size_t at = 0; at < seen.size(); ++at)
      ASSERT_TRUE(seen[at] || owned->codes[at] == 128) << at;
    for (size_t j = kItems; j < owned->scales.size(); ++j) EXPECT_EQ(owned->scales[j], 0);
  }
}

// The products of codes and floats of every instruction set, against each other's bound and against
// products in doubles.
TEST(QuantizedVectors, NoProductIsFartherFromItsEstimateThanTheMargin) {
  constexpr size_t kItems = 300;
  double closest = 1;  // how much of a margin was left
  for (const size_t width : {1, 3, 16, 64, 129, 1000}) {
    Random random(width, 2);
    const std::vector<float> vectors = rows_of_every_kind(kItems, width, random);
    const auto owned = quantize(kItems, width, vectors);
    ASSERT_TRUE(owned);
    const QuantizedVectors quantized = view_of(*owned, kItems, width);
    std::vector<float> queries = rows_of_every_kind(27, width, random);
    // Along a row's residual, where Cauchy and Schwarz leave least.
    for (const size_t j : {0, 3, 8, 9}) {
      const double scale = static_cast<double>(float_of_bf16(owned->scales[j]));
      for (size_t c = 0; c < width; ++c) {
        const size_t at = (width + 3) / 4 * 64 * (j / 16) + 64 * (c / 4) + 4 * (j % 16) + c % 4;
        queries.push_back(static_cast<float>(static_cast<double>(vectors[j * width + c]) / scale -
                                             (owned->codes[at] - 128)));
      }
    }
    QuantizedQuery query;
    for (size_t q = 0; q < queries.size() / width; ++q) {
      const float* y = queries.data() + q * width;
      ASSERT_TRUE(query.set(quantized, y));
      for (const char* isa : {"base", "v3", "v4", "v4bf16"}) {
        const Kernels* kernels = kernels_of(isa);
        if (kernels == nullptr) continue;
        const size_t padded = scale_count(kItems);
        const CodeBlock block{.codes = owned->codes.data(),
                              .query = query.codes(),
                              .steps = (width + 3) / 4,
                              .scales = owned->scales.data(),
                              .step = query.step(),
                              .correction = query.correction(),
                              .margin = query.margin()};
        std::vector<float> estimates(padded);
        std::vector<float> uppers(padded);
        std::vector<uint64_t> masks(padded / 64);
        kernels->scan_codes(padded, block, 0, nullptr, estimates.data(), uppers.data(),
                            masks.data());
        std::vector<float> products(kItems);
        kernels->matrix_vector(kItems, width, vectors.data(), y, nullptr, products.data());
        for (size_t j = 0; j < kItems; ++j) {
          double exact = 0;
          for (size_t c = 0; c < width; ++c)
            exact += static_cast<double>(vectors[j * width + c]) * static_cast<double>(y[c]);
          const auto estimate = static_cast<double>(estimates[j]);
          const double margin = static_cast<double>(uppers[j]) - estimate;
          ASSERT_LE(std::abs(exact - estimate), margin)
              << isa << " " << width << " " << q << " " << j;
          ASSERT_LE(products[j], uppers[j]) << isa << " " << width << " " << q << " " << j;
          ASSERT_GE(products[j], estimates[j] - (uppers[j] - estimates[j]));
          closest = std::min(closest, 1 - std::abs(exact - estimate) / margin);
        }
      }
    }
  }
  // The bound is not a loose one: these rows come near to it.
  EXPECT_LT(closest, 0.2);
}

TEST(QuantizedVectors, MarginsOfUsualVectorsAreSmall) {
  constexpr size_t kItems = 1000;
  constexpr size_t kWidth = 64;
  Random random(1, 1);
  std::vector<float> vectors(kItems * kWidth);
  for (float& x : vectors) x = static_cast<float>(random.normal());
  const auto owned = quantize(kItems, kWidth, vectors);
  ASSERT_TRUE(owned);
  QuantizedQuery query;
  ASSERT_TRUE(query.set(view_of(*owned, kItems, kWidth), vectors.data()));
  // Products have a standard deviation of |y|, about 8.
  EXPECT_LT(query.margin() * owned->bounds.scale, 2.0F);
}

TEST(QuantizedVectors, NothingIsMadeOfWhatHasNoBound) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity, 2e27F})
    EXPECT_FALSE(quantize(2, 2, std::vector<float>{1, 2, 3, bad})) << bad;
  EXPECT_FALSE(quantize(1, kWidestQuantized + 1, std::vector<float>(kWidestQuantized + 1)));
  EXPECT_TRUE(quantize(1, kWidestQuantized, std::vector<float>(kWidestQuantized)));
  EXPECT_TRUE(quantize(0, 3, {}));

  const auto owned = quantize(2, 2, std::vector<float>{1, 2, 3, 1e9F});
  ASSERT_TRUE(owned);
  QuantizedQuery query;
  for (const float bad : {nan, infinity, 3e38F})
    EXPECT_FALSE(query.set(view_of(*owned, 2, 2), std::vector<float>{1, bad}.data())) << bad;
  EXPECT_TRUE(query.set(view_of(*owned, 2, 2), std::vector<float>{1, 1e20F}.data()));
  EXPECT_TRUE(query.set(view_of(*owned, 2, 2), std::vector<float>{0, 0}.data()));
}

}  // namespace
}  // namespace personalize
