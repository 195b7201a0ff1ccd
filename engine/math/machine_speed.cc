#include "engine/math/machine_speed.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <vector>

#include "engine/math/aligned_floats.h"
#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr int kRepetitions = 5;  // of which the fastest counts

template <typename Work>
double fastest(const Work& work) {
  work();  // touches the memory
  double least = std::numeric_limits<double>::max();
  for (int i = 0; i < kRepetitions; ++i) {
    const double start = thread_seconds();
    work();
    least = std::min(least, thread_seconds() - start);
  }
  return std::max(least, 1e-9);
}

double measure_product() {
  constexpr size_t kRows = 64, kColumns = 512, kDepth = 128;
  const AlignedFloats a(kRows * kDepth);
  const AlignedFloats b(kDepth * kColumns);
  AlignedFloats c(kRows * kColumns);
  const double seconds = fastest([&] {
    kernels().product(kRows, kColumns, kDepth, {a.data(), kDepth, 1}, b.data(), kColumns, c.data(),
                      kColumns, false);
  });
  return static_cast<double>(kRows * kColumns * kDepth) / seconds;
}

// Of the training softmax as hrnn takes it where the embedding dimension is a multiple of 16.
double measure_softmax() {
  constexpr size_t kItems = 2'048, kSize = 128;
  const ItemSoftmax& softmax =
      kernels().softmax_bf16 != nullptr ? *kernels().softmax_bf16 : *kernels().softmax;
  const AlignedFloats y(kMostSoftmaxRows * kSize);
  const AlignedFloats scale(kMostSoftmaxRows);
  const AlignedFloats embedding(kItems * kSize);
  const AlignedFloats bias(kItems);
  AlignedFloats panels(kItems / kItemPanel * softmax.panel_floats(kSize));
  AlignedFloats pairs(kItems / kItemPanel * softmax.pair_floats(kSize));
  AlignedFloats q((softmax.bytes(kMostSoftmaxRows, kItems, kSize) + 3) / 4);
  AlignedFloats y_gradient(kMostSoftmaxRows * kSize);
  AlignedFloats item_gradient(kItems * kSize);
  AlignedFloats bias_gradient(kItems);
  const SoftmaxBlock block{kMostSoftmaxRows, kItems, kItems, kSize, q.data()};
  const SoftmaxInputs inputs{y.data(), panels.data(), bias.data(), nullptr, 0};
  const double seconds = fastest([&] {
    softmax.exponentials(block, inputs);
    softmax.y_gradient(block, embedding.data(), pairs.data(), y_gradient.data());
    softmax.item_gradient(block, y.data(), scale.data(), item_gradient.data(),
                          bias_gradient.data());
  });
  return static_cast<double>(3 * kMostSoftmaxRows * kItems * kSize) / seconds;
}

double measure_updates() {
  constexpr size_t kTable = 16'384, kUpdates = 65'536;
  std::vector<float> table(kTable);
  std::vector<uint32_t> place(kUpdates);
  Random random(1, 0);
  for (uint32_t& p : place) p = static_cast<uint32_t>(random.below(kTable));
  const double seconds = fastest([&] {
    for (const uint32_t p : place) table[p] += 1;
  });
  return static_cast<double>(kUpdates) / seconds;
}

}  // namespace

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

const MachineSpeed& machine_speed() {
  static const MachineSpeed speed{measure_product(), measure_softmax(), measure_updates()};
  return speed;
}

}  // namespace personalize
