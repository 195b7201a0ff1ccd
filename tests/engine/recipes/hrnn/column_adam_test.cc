#include "engine/recipes/hrnn/column_adam.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/math/random.h"
#include "engine/recipes/hrnn/adam.h"

namespace personalize::hrnn {
namespace {

constexpr size_t kItems = 70;
constexpr size_t kD = 20;
constexpr size_t kColumns = 40;

// Adam by its definition.
struct SlowAdam {
  double value = 0, first = 0, second = 0;
  void step(double rate, double gradient, int steps) {
    first = 0.9 * first + 0.1 * gradient;
    second = 0.999 * second + 0.001 * gradient * gradient;
    value -= rate * (first / (1 - std::pow(0.9, steps))) /
             (std::sqrt(second / (1 - std::pow(0.999, steps))) + 1e-8);
  }
};

ColumnBags random_bags() {
  ColumnBags bags;
  Random random(3, 0);
  for (size_t i = 0; i < kItems; ++i) {
    for (ColumnIndex c = 0; c < kColumns; ++c)
      if (i % 9 != 4 && random.below(10) == 0) bags.columns.push_back(c);
    bags.end_row();
  }
  return bags;
}

// Gives three groups of lanes random gradients that sum up to `total`.
void fill(std::vector<AlignedFloats>& room, std::vector<double>& total, double size,
          uint64_t seed) {
  Random random(seed, 5);
  total.assign(room[0].size(), 0);
  for (AlignedFloats& gradient : room)
    for (size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = static_cast<float>(size * random.normal());
      total[i] += gradient[i];
    }
}

// Runs some updates; `sizes`: of their gradients' elements. Returns the parameters.
std::vector<float> run(const Layout& layout, const ItemColumns* items,
                       std::span<const double> sizes, int threads) {
  Network network(layout);
  Adam adam(layout, items);
  ThreadTeam team(threads);
  std::vector<AlignedFloats> room(3);
  std::vector<AlignedFloats*> gradients;
  for (AlignedFloats& gradient : room) {
    gradient = AlignedFloats(layout.size);
    gradients.push_back(&gradient);
  }
  std::vector<double> total;
  for (size_t s = 0; s < sizes.size(); ++s) {
    fill(room, total, sizes[s], s);
    EXPECT_TRUE(adam.step(0.01, gradients, network, team, [] {}));
  }
  const std::span<float> all = network.parameters.span();
  return {all.begin(), all.end()};
}

TEST(ColumnAdam, MovesEveryItemByItsOwnStepAndThoseOfItsColumns) {
  const Layout layout({kItems, kD, 9, 5});
  const ColumnBags bags = random_bags();
  const ItemColumns items{&bags, kColumns, 0.3};
  const double sizes[] = {1e-4, 3e-3, 1, 2e-4};  // two of them are clipped
  const std::vector<float> moved = run(layout, &items, sizes, 2);

  // E_i[k] = own_i[k] + s_i * sum of F_c[k], k = D for b.
  std::vector<SlowAdam> own(kItems * (kD + 1));
  std::vector<SlowAdam> shared(kColumns * (kD + 1));
  std::vector<AlignedFloats> room(3);
  for (AlignedFloats& gradient : room) gradient = AlignedFloats(layout.size);
  const auto place = [&](size_t item, size_t k) {
    return k < kD ? layout.embedding + item * kD + k : layout.bias + item;
  };
  const auto scale = [&](size_t item) {
    return 1 / std::sqrt(static_cast<double>(bags.of(item).size()));
  };
  std::vector<double> total;
  for (int s = 0; s < 4; ++s) {
    fill(room, total, sizes[s], static_cast<uint64_t>(s));
    double norm = 0;
    for (const double g : total) norm += g * g;
    const double clip = std::min(1.0, 1 / std::sqrt(norm));
    std::vector<double> of_column(shared.size());
    for (size_t item = 0; item < kItems; ++item)
      for (size_t k = 0; k <= kD; ++k) {
        const double g = clip * total[place(item, k)];
        own[item * (kD + 1) + k].step(0.01, g, s + 1);
        for (const ColumnIndex c : bags.of(item)) of_column[c * (kD + 1) + k] += scale(item) * g;
      }
    for (size_t i = 0; i < shared.size(); ++i)
      if (of_column[i] != 0) shared[i].step(0.003, of_column[i], s + 1);
  }
  for (size_t item = 0; item < kItems; ++item)
    for (size_t k = 0; k <= kD; ++k) {
      double wanted = own[item * (kD + 1) + k].value;
      for (const ColumnIndex c : bags.of(item))
        wanted += scale(item) * shared[c * (kD + 1) + k].value;
      ASSERT_NEAR(moved[place(item, k)], wanted, 2e-5) << item << " " << k;
    }
}

TEST(ColumnAdam, LeavesAllElseAndItemsWithoutColumnsAsTheyAre) {
  const Layout layout({kItems, kD, 9, 5});
  const ColumnBags bags = random_bags();
  const ItemColumns items{&bags, kColumns, 1};
  const double sizes[] = {1e-3, 1e-3};
  const std::vector<float> with = run(layout, &items, sizes, 1);
  const std::vector<float> without = run(layout, nullptr, sizes, 1);
  for (size_t i = layout.feature; i < layout.size; ++i) ASSERT_EQ(with[i], without[i]);
  size_t changed = 0;
  for (size_t item = 0; item < kItems; ++item)
    for (size_t k = 0; k < kD; ++k) {
      const size_t i = layout.embedding + item * kD + k;
      if (bags.of(item).empty()) {
        ASSERT_EQ(with[i], without[i]);
      }
      changed += with[i] != without[i] ? 1 : 0;
    }
  EXPECT_GT(changed, kItems * kD / 2);
}

TEST(ColumnAdam, GivesTheSameBitsForAnyNumberOfThreads) {
  const Layout layout({kItems, kD, 9, 5});
  const ColumnBags bags = random_bags();
  const ItemColumns items{&bags, kColumns, 1};
  const double sizes[] = {1e-3, 1, 1e-3};
  EXPECT_EQ(run(layout, &items, sizes, 1), run(layout, &items, sizes, 3));
}

}  // namespace
}  // namespace personalize::hrnn
