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

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <typename Work>
double fastest(const Work& work) {
  work();  // touches the memory
  double least = std::numeric_limits<double>::max();
  for (int i = 0; i < kRepetitions; ++i) {
    const double start = cpu_seconds();
    work();
    least = std::min(least, cpu_seconds() - start);
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

const MachineSpeed& machine_speed() {
  static const MachineSpeed speed{measure_product(), measure_updates()};
  return speed;
}

}  // namespace personalize
