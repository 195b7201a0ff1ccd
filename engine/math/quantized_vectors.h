// Vectors of items as eight-bit codes, from which a product with any vector is estimated with a
// proven bound. A scan of them reads a quarter of the memory; quantized_search.h makes it exact.
//
// An item's vector E_j is scale_j * q_j + r_j, where q_j are integers in -127 .. 127, kept as bytes
// q + 128 (so that the correction of an unsigned by signed product is 128 * the sum of the other
// side's codes, nothing of an item). scale_j is kept as bf16, and is the very number that the codes
// were made with. A query y is step * v + u in the same way. Then
//
//   E_j . y = scale_j * step * (q_j . v)  +  scale_j * (q_j . u)  +  r_j . y
//
// where the first term is the estimate, whose integer product is exact. By Cauchy and Schwarz the
// rest is at most scale_j * (c2 * |u| + c1 * |y|), c1 = max |r_j| / scale_j, c2 = max |q_j|: one
// number a query, times the item's scale.
//
// Rounding. With h = 2^-24, |E_j| <= scale_j * (c1 + c2), so that also what rounding adds is a
// number of the query times scale_j: the product of width terms summed in floats in any order is
// off by at most (width + 1) * h * |E_j| * |y| (Higham 2002, 3.5, the second order being less than
// the one more), the estimate's conversion and two products by 3.1 * h * scale_j * c2 * (|y| +
// |u|). Margins are (width + 32) * h * scale_j * (c1 + c2) * (|y| + |u|) wider for that, which
// leaves 27 h for the products with factors, for the margin's own rounding, which also has a
// relative 2^-20 of the bound itself, and for the share of the product in what adding biases and
// rows rounds. The share of these numbers themselves is kAdditionMargin = 32 h of their sizes,
// where at most 9 h are needed: three for each of two scores, which add twice and multiply once,
// and three for upper and lower bounds. Below the normal numbers an operation is off by 2^-126 at
// most, also if the host has such numbers set to 0: together less than kSmallestMargin, width being
// 4,096 at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace personalize {

// The widest vectors that have codes.
inline constexpr size_t kWidestQuantized = 4'096;

// Rounded upwards, of all items.
struct QuantizationBounds {
  float residual = 0;  // c1
  float codes = 0;     // c2
  float scale = 0;     // the largest
};

// How many codes and scales there are: items are padded to whole 64, whose scales are 0, widths to
// whole 4, whose codes are 128 as those of padding items.
size_t scale_count(size_t items);
size_t code_count(size_t items, size_t width);

// A view. Items lie in groups of 16, of which the first four codes of each item come first, then
// the next four of each, and so on: code c of item j is at
// 16 * padded width * (j / 16) + 64 * (c / 4) + 4 * (j % 16) + c % 4.
struct QuantizedVectors {
  size_t items = 0, width = 0;
  std::span<const uint8_t> codes;    // code_count() of them, best at the start of a cache line
  std::span<const uint16_t> scales;  // scale_count() bf16 numbers, as the upper half of a float
  QuantizationBounds bounds;
};

// Whether no scale and no bound is infinite, no number or negative. Spans must have their sizes.
bool all_finite(const QuantizedVectors& vectors);

struct OwnedQuantizedVectors {
  std::vector<uint8_t> codes;
  std::vector<uint16_t> scales;
  QuantizationBounds bounds;
};

// The codes of items * width floats, row after row. None if a number is not finite or larger than
// 2^90, or the width is 0 or more than kWidestQuantized. Any thread.
std::optional<OwnedQuantizedVectors> quantize(size_t items, size_t width,
                                              std::span<const float> vectors);

// A query's codes. Its memory is kept from query to query.
class QuantizedQuery {
 public:
  // Takes y, vectors.width floats. False if no bound can be given: a number is not finite, or a
  // product might be larger than 2^120.
  bool set(const QuantizedVectors& vectors, const float* y);

  // For a CodeBlock.
  const int8_t* codes() const { return codes_.data(); }
  float step() const { return step_; }
  int32_t correction() const { return correction_; }
  // |E_j . y, summed in floats in any order, - the estimate| is at most this times scale_j, plus
  // kSmallestMargin.
  float margin() const { return margin_; }

 private:
  std::vector<int8_t> codes_;
  float step_ = 0;
  int32_t correction_ = 0;
  float margin_ = 0;
};

}  // namespace personalize
