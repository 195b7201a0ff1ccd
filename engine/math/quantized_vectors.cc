#include "engine/math/quantized_vectors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/math/finite.h"

namespace personalize {
namespace {

constexpr size_t kGroup = 16, kFour = 4, kBlock = 64;
constexpr int kMostCode = 127;
constexpr uint8_t kZeroCode = 128;
constexpr float kLargestNumber = 0x1p90F;
constexpr float kLargestProduct = 0x1p120F;
// Smaller rows have codes of 0, or coarse ones.
constexpr float kSmallestScale = 0x1p-100F;

size_t padded(size_t size, size_t whole) { return (size + whole - 1) / whole * whole; }

// The smallest bf16 number that is not below x >= 0.
uint16_t bf16_above(float x) {
  return static_cast<uint16_t>((std::bit_cast<uint32_t>(x) + 0xFFFFU) >> 16);
}
float from_bf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

float largest(std::span<const float> row) {
  float result = 0;
  for (const float x : row) result = std::max(result, std::abs(x));
  return result;
}

// Nearest integer in -kMostCode .. kMostCode.
int code_of(float x, float inverse_scale) {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const float limit = kMostCode;
  const float bounded = std::clamp(x * inverse_scale, -limit, limit);
  return static_cast<int>(bounded + kMagic - kMagic);
}

// Not below x, which is positive and was computed in doubles.
float rounded_up(double x) {
  return std::nextafter(static_cast<float>(x * (1 + 0x1p-22)), HUGE_VALF);
}

}  // namespace

size_t scale_count(size_t items) { return padded(items, kBlock); }
size_t code_count(size_t items, size_t width) { return scale_count(items) * padded(width, kFour); }

bool all_finite(const QuantizedVectors& vectors) {
  constexpr uint16_t kInfinity = 0x7F80;
  uint16_t largest = 0;
  for (const uint16_t scale : vectors.scales) largest = std::max(largest, scale);
  const QuantizationBounds& b = vectors.bounds;
  const float bounds[] = {b.residual, b.codes, b.scale};
  return largest < kInfinity && all_finite_and_positive(bounds);
}

std::optional<OwnedQuantizedVectors> quantize(size_t items, size_t width,
                                              std::span<const float> vectors) {
  if (width == 0 || width > kWidestQuantized || !all_finite(vectors)) return std::nullopt;
  OwnedQuantizedVectors result;
  result.codes.assign(code_count(items, width), kZeroCode);
  result.scales.assign(scale_count(items), 0);
  const size_t group_bytes = kGroup * padded(width, kFour);
  double most_residual = 0;  // squares
  double most_codes = 0;
  for (size_t j = 0; j < items; ++j) {
    const std::span<const float> row = vectors.subspan(j * width, width);
    const float size = largest(row);
    if (size > kLargestNumber) return std::nullopt;
    if (size == 0) continue;
    const uint16_t bits = bf16_above(std::max(size / kMostCode, kSmallestScale));
    const float scale = from_bf16(bits);
    const float inverse = 1 / scale;
    result.scales[j] = bits;
    result.bounds.scale = std::max(result.bounds.scale, scale);
    uint8_t* codes = result.codes.data() + j / kGroup * group_bytes + j % kGroup * kFour;
    double residual = 0;
    double squares = 0;
    for (size_t c = 0; c < width; ++c) {
      const int code = code_of(row[c], inverse);
      codes[c / kFour * kGroup * kFour + c % kFour] = static_cast<uint8_t>(code + kZeroCode);
      const double left = static_cast<double>(row[c]) / scale - code;
      residual += left * left;
      squares += static_cast<double>(code * code);
    }
    most_residual = std::max(most_residual, residual);
    most_codes = std::max(most_codes, squares);
  }
  result.bounds.residual = rounded_up(std::sqrt(most_residual));
  result.bounds.codes = rounded_up(std::sqrt(most_codes));
  return result;
}

bool QuantizedQuery::set(const QuantizedVectors& vectors, const float* y) {
  const std::span<const float> query(y, vectors.width);
  if (!all_finite(query)) return false;
  const float size = largest(query);
  const float inverse = size > 0 ? std::min(kMostCode / size, 1 / kSmallestScale) : 0;
  codes_.assign(padded(vectors.width, kFour), 0);
  int32_t sum = 0;
  double squares = 0;
  double along = 0;  // y . v
  for (size_t c = 0; c < query.size(); ++c) {
    const int code = code_of(query[c], inverse);
    codes_[c] = static_cast<int8_t>(code);
    sum += code;
    squares += static_cast<double>(query[c]) * query[c];
    along += static_cast<double>(query[c]) * code;
  }
  // So that y . u = 0: errors of the items along y, the best ones, have no sign in common.
  step_ = along > 0 ? static_cast<float>(squares / along) : 0;
  double residual = 0;
  for (size_t c = 0; c < query.size(); ++c) {
    const double left = static_cast<double>(query[c]) - static_cast<double>(step_) * codes_[c];
    residual += left * left;
  }
  correction_ = kZeroCode * sum;
  const double u = std::sqrt(residual);
  const double length = std::sqrt(squares);
  const QuantizationBounds& b = vectors.bounds;
  const double most = static_cast<double>(b.residual) + b.codes;
  const double rounding = static_cast<double>(vectors.width + 32) * 0x1p-24 * most * (length + u) +
                          0x1p-110 * (1 + most);
  margin_ = rounded_up((1 + 0x1p-20) * (b.residual * length + b.codes * u) + rounding);
  return most * (length + u) * b.scale < kLargestProduct && std::isfinite(margin_);
}

}  // namespace personalize
