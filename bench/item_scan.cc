// item_scan [ITEMS:WIDTH ...]: how long the exact best 10 of many items take, found by a scan of
// their codes, beside the time to read the codes once and the f32 pass over the vectors; with the
// normaliser of the softmax and without. Random vectors; the shortest of many repeats.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/support/machine.h"
#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/math/quantized_search.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr size_t kTop = 10;

template <typename Body>
double microseconds(const Body& body) {
  double best = 1e30;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(700);
  do {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double, std::micro> spent =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  } while (std::chrono::steady_clock::now() < until);
  return best;
}

void measure(size_t items, size_t width) {
  Random random(items, width);
  std::vector<float> vectors(items * width);
  for (float& x : vectors) x = static_cast<float>(random.normal());
  std::vector<float> bias(items), row(items), y(width), scores(items);
  for (float& x : bias) x = static_cast<float>(random.normal());
  for (float& x : row) x = static_cast<float>(random.normal());
  for (float& x : y)
    x = static_cast<float>(random.normal()) * 3 / std::sqrt(static_cast<float>(width));
  const OwnedQuantizedVectors owned = *quantize(items, width, vectors);
  // Cache lines of the codes, as a model has them.
  std::vector<uint8_t> room(owned.codes.size() + 64);
  const size_t shift = 64 - reinterpret_cast<uintptr_t>(room.data()) % 64;
  std::memcpy(room.data() + shift, owned.codes.data(), owned.codes.size());
  const QuantizedVectors quantized{
      items, width, {room.data() + shift, owned.codes.size()}, owned.scales, owned.bounds};
  const ScoreListed score_listed = [&](std::span<const ItemIndex> listed, std::span<float> out) {
    for (size_t i = 0; i < listed.size(); ++i) {
      const auto j = static_cast<size_t>(listed[i]);
      kernels().matrix_vector(1, width, vectors.data() + j * width, y.data(), &bias[j], &out[i]);
      kernels().add_scaled(1, 0.5F, &row[j], &out[i]);
    }
  };
  const QuantizedQuestion question{.vectors = &quantized,
                                   .y = y.data(),
                                   .bias = bias.data(),
                                   .row = row.data(),
                                   .row_weight = 0.5F};
  QuantizedSearch search;
  std::vector<Scored> found, wanted;
  const double stream = bench::stream_microseconds(quantized.codes.size());
  const double scan =
      microseconds([&] { search.best(question, nullptr, kTop, score_listed, found, nullptr); });
  const size_t scored = search.scored();
  QuantizedSearch on_one_thread(SIZE_MAX);
  const double single = microseconds(
      [&] { on_one_thread.best(question, nullptr, kTop, score_listed, found, nullptr); });
  const double single_summed = microseconds([&] {
    LogSum sum;
    on_one_thread.best(question, nullptr, kTop, score_listed, found, &sum);
  });
  double normaliser = 0;
  const double summed = microseconds([&] {
    LogSum sum;
    search.best(question, nullptr, kTop, score_listed, found, &sum);
    normaliser = sum.value();
  });
  double exact_normaliser = 0;
  const double dense = microseconds([&] {
    kernels().matrix_vector(items, width, vectors.data(), y.data(), bias.data(), scores.data());
    kernels().add_scaled(items, 0.5F, row.data(), scores.data());
    top_k(scores, nullptr, kTop, wanted, &exact_normaliser);
  });
  if (found != wanted) bench::die("item_scan: not the same list");
  const std::string what =
      fmt::format("{} items, d = {}: the exact best 10 by codes", items, width);
  const std::string bound =
      fmt::format("codes read once {:.1f} us ({:.1f} GB/s); f32 pass {:.1f} us", stream,
                  static_cast<double>(owned.codes.size()) / stream / 1e3, dense);
  bench::report(what + ", one thread",
                fmt::format("{:.1f} us, {:.2f} x; with the normaliser {:.1f} us, {:.2f} x", single,
                            single / stream, single_summed, single_summed / stream),
                bound, items == 1'000'000 && width == 64 ? "1.25 x" : "");
  bench::report(what + ", as questions do",
                fmt::format("{:.1f} us; with the normaliser {:.1f} us, off by {:.1e}; {} scored",
                            scan, summed, normaliser - exact_normaliser, scored),
                bound, "");
}

}  // namespace
}  // namespace personalize

int main(int argc, char** argv) {
  using personalize::measure;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    measure(std::stoull(text), std::stoull(text.substr(text.find(':') + 1)));
  }
  if (argc == 1)
    for (const size_t items : {60'000, 1'000'000})
      for (const size_t width : {64, 128}) measure(items, width);
  return 0;
}
