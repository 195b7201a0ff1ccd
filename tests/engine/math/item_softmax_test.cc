#include "engine/math/item_softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

// Every instruction set's softmax, in each of its types, against the same in double precision
// without a shift.
struct Tested {
  const char* isa;
  bool bf16;
};

std::ostream& operator<<(std::ostream& out, const Tested& tested) {
  return out << tested.isa << (tested.bf16 ? " bf16" : " f32");
}

class ItemSoftmaxTest : public testing::TestWithParam<Tested> {
 protected:
  void SetUp() override {
    const Kernels* kernels = kernels_of(GetParam().isa);
    if (kernels == nullptr) GTEST_SKIP() << "this machine has no " << GetParam().isa;
    softmax_ = GetParam().bf16 ? kernels->softmax_bf16 : kernels->softmax;
    ASSERT_NE(softmax_, nullptr);
    EXPECT_STREQ(softmax_->number, GetParam().bf16 ? "bf16" : "f32");
    EXPECT_EQ(kernels->softmax_bf16 != nullptr, std::string(GetParam().isa) == "v4bf16");
  }

  std::vector<float> normal(size_t n, double deviation) {
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(deviation * random_.normal());
    return values;
  }
  // bf16 keeps 8 bits of a factor; sums are exact enough not to count.
  double tolerance() const { return GetParam().bf16 ? 1.0 / 256 : 2e-6; }

  const ItemSoftmax* softmax_ = nullptr;
  Random random_{11, 5};
};

// One block with all that belongs to it, and the oracle.
struct Block {
  Block(const ItemSoftmax& softmax, size_t rows, size_t items, size_t size)
      : width((items + kItemPanel - 1) / kItemPanel * kItemPanel),
        panels(width / kItemPanel * softmax.panel_floats(size)),
        pairs(width / kItemPanel * softmax.pair_floats(size)),
        room(softmax.bytes(rows, width, size) / sizeof(float) + 1),
        block{rows, items, width, size, room.data()} {}
  void pack(const ItemSoftmax& softmax, const std::vector<float>& embedding) {
    for (size_t p = 0; p * kItemPanel < block.items; ++p)
      softmax.pack(std::min(kItemPanel, block.items - p * kItemPanel), block.size,
                   embedding.data() + p * kItemPanel * block.size,
                   panels.data() + p * softmax.panel_floats(block.size),
                   pairs.data() + p * softmax.pair_floats(block.size));
  }

  size_t width;
  AlignedFloats panels;
  AlignedFloats pairs;
  AlignedFloats room;
  SoftmaxBlock block;
};

TEST_P(ItemSoftmaxTest, IsThatOfADoublePrecisionSoftmaxWithItsGradients) {
  for (const size_t items : {3, 32, 100, 1000})
    for (const size_t rows : {1, 2, 15, 64})
      for (const size_t size : {16, 48})
        for (const bool recency : {false, true}) {
          Block room(*softmax_, rows, items, size);
          const SoftmaxBlock& block = room.block;
          const std::vector<float> e = normal(items * size, 0.5);
          const std::vector<float> y = normal(rows * size, 0.5);
          const std::vector<float> bias = normal(items, 1);
          const std::vector<float> recent = normal(items, 1);
          const std::vector<float> scale = normal(rows, 1);
          const std::vector<float> none(items);
          std::vector<const float*> recencies(rows, none.data());
          for (size_t r = 0; r < rows; r += 2) recencies[r] = recent.data();
          room.pack(*softmax_, e);
          softmax_->exponentials(block, {y.data(), room.panels.data(), bias.data(),
                                         recency ? recencies.data() : nullptr, 0.7F});
          // A few terms more, as the own history has them.
          const std::vector<int32_t> at = {static_cast<int32_t>(items - 1), 0};
          const std::vector<float> factors = {0.25F, 3.0F};
          for (size_t r = 0; r < rows; ++r)
            softmax_->scale_at(block, r, at.size(), at.data(), factors.data());

          std::vector<double> p(rows * items);
          std::vector<double> row_scale(rows);
          for (size_t r = 0; r < rows; ++r) {
            double sum = 0;
            for (size_t j = 0; j < items; ++j) {
              double z = bias[j] + (recency ? 0.7 * recencies[r][j] : 0);
              for (size_t d = 0; d < size; ++d)
                z += static_cast<double>(y[r * size + d]) * e[j * size + d];
              p[r * items + j] = std::exp(z);
              if (j == items - 1) p[r * items + j] *= 0.25;
              if (j == 0) p[r * items + j] *= 3;
              sum += p[r * items + j];
            }
            for (size_t j = 0; j < items; ++j) p[r * items + j] /= sum;
            const SoftmaxSums sums = softmax_->sums(block, r, recency ? recencies[r] : nullptr);
            std::vector<int32_t> all(items);
            for (size_t j = 0; j < items; ++j) all[j] = static_cast<int32_t>(j);
            std::vector<float> q(items);
            softmax_->read_at(block, r, items, all.data(), q.data());
            double along = 0;
            // bf16's logits are off by a few hundredths, each by its own.
            const double of_logits = GetParam().bf16 ? 0.05 : 1e-5;
            for (size_t j = 0; j < items; ++j) {
              ASSERT_NEAR(q[j] / sums.sum, p[r * items + j], of_logits * p[r * items + j])
                  << r << " " << j;
              p[r * items + j] = q[j] / sums.sum;  // the rest is judged from there
              along += p[r * items + j] * recencies[r][j];
            }
            if (!recency) along = 0;
            EXPECT_NEAR(sums.along / sums.sum, along, 2e-5);
            row_scale[r] = scale[r] / sums.sum;
          }

          std::vector<float> out(rows * size);
          softmax_->y_gradient(block, e.data(), room.pairs.data(), out.data());
          std::vector<float> float_scale(row_scale.begin(), row_scale.end());
          AlignedFloats gradient(items * size);
          AlignedFloats bias_gradient(items);
          for (size_t i = 0; i < items * size; ++i) gradient[i] = 1;
          for (size_t i = 0; i < items; ++i) bias_gradient[i] = 1;
          softmax_->item_gradient(block, y.data(), float_scale.data(), gradient.data(),
                                  bias_gradient.data());
          for (size_t r = 0; r < rows; ++r)
            for (size_t d = 0; d < size; ++d) {
              double wanted = 0;
              double magnitude = 0;
              for (size_t j = 0; j < items; ++j) {
                const double term = scale[r] * p[r * items + j] * e[j * size + d];
                wanted += term;
                magnitude += std::abs(term);
              }
              ASSERT_NEAR(out[r * size + d] * row_scale[r], wanted,
                          tolerance() * magnitude + 1e-6 * std::abs(scale[r]));
            }
          for (size_t j = 0; j < items; ++j) {
            double bias_wanted = 1;
            for (size_t r = 0; r < rows; ++r) bias_wanted += scale[r] * p[r * items + j];
            ASSERT_NEAR(bias_gradient[j], bias_wanted, 1e-5);
            for (size_t d = 0; d < size; ++d) {
              double wanted = 1;
              double magnitude = 0;
              for (size_t r = 0; r < rows; ++r) {
                const double term = scale[r] * p[r * items + j] * y[r * size + d];
                wanted += term;
                magnitude += std::abs(term);
              }
              ASSERT_NEAR(gradient[j * size + d], wanted, tolerance() * magnitude + 2e-7);
            }
          }
        }
}

TEST_P(ItemSoftmaxTest, LogitsOfAnySizeNeitherOverflowNorVanish) {
  constexpr size_t kItems = 200;
  constexpr size_t kSize = 16;
  Block room(*softmax_, 1, kItems, kSize);
  const std::vector<float> zeros(kItems * kSize);
  room.pack(*softmax_, zeros);
  // The largest logit comes late, and another one later still.
  std::vector<float> bias(kItems, -500.0F);
  bias[40] = -480;
  bias[150] = 200;
  bias[199] = 201;
  softmax_->exponentials(room.block,
                         {zeros.data(), room.panels.data(), bias.data(), nullptr, 0.0F});
  const SoftmaxSums sums = softmax_->sums(room.block, 0, nullptr);
  const std::vector<int32_t> at = {0, 40, 150, 199};
  std::vector<float> q(at.size());
  softmax_->read_at(room.block, 0, at.size(), at.data(), q.data());
  EXPECT_LT(q[0] / sums.sum, 1e-25);
  EXPECT_LT(q[1] / sums.sum, 1e-25);
  EXPECT_NEAR(q[2] / sums.sum, 1 / (1 + std::exp(1.0)), tolerance());
  EXPECT_NEAR(q[3] / sums.sum, 1 / (1 + std::exp(-1.0)), tolerance());
}

TEST_P(ItemSoftmaxTest, WhatIsNoNumberStaysNoNumber) {
  constexpr size_t kItems = 70;
  constexpr size_t kSize = 16;
  for (const size_t item : {0, 33, 69})
    for (const float bad : {std::nanf(""), HUGE_VALF}) {
      Block room(*softmax_, 1, kItems, kSize);
      const std::vector<float> y(kSize, 1.0F);
      std::vector<float> e(kItems * kSize, 0.1F);
      e[item * kSize] = bad;
      const std::vector<float> bias(kItems);
      room.pack(*softmax_, e);
      softmax_->exponentials(room.block,
                             {y.data(), room.panels.data(), bias.data(), nullptr, 0.0F});
      EXPECT_FALSE(std::isfinite(1 / softmax_->sums(room.block, 0, nullptr).sum))
          << item << " " << bad;
    }
}

INSTANTIATE_TEST_SUITE_P(Isa, ItemSoftmaxTest,
                         testing::Values(Tested{"base", false}, Tested{"v3", false},
                                         Tested{"v4", false}, Tested{"v4bf16", false},
                                         Tested{"v4bf16", true}),
                         [](const auto& tested) {
                           return std::string(tested.param.isa) +
                                  (tested.param.bf16 ? "InBf16" : "InF32");
                         });

}  // namespace
}  // namespace personalize
