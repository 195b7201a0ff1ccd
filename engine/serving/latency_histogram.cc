#include "engine/serving/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace personalize {
namespace {

constexpr int kFirstOctave = 8;
constexpr size_t kParts = 4;  // an octave

}  // namespace

size_t latency_bucket(int64_t nanoseconds) {
  if (nanoseconds < int64_t{1} << kFirstOctave) return 0;
  const auto time = static_cast<uint64_t>(nanoseconds);
  const int octave = static_cast<int>(std::bit_width(time)) - 1;
  const size_t part = (time >> (octave - 2)) & (kParts - 1);
  const size_t bucket = 1 + static_cast<size_t>(octave - kFirstOctave) * kParts + part;
  return std::min(bucket, kLatencyBuckets - 1);
}

double latency_bucket_start(size_t bucket) {
  if (bucket == 0) return 0;
  const size_t octave = (bucket - 1) / kParts, part = (bucket - 1) % kParts;
  return std::ldexp(static_cast<double>(kParts + part),
                    static_cast<int>(octave) + kFirstOctave - 2);
}

double latency_quantile(const LatencyCounts& counts, double quantile) {
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), uint64_t{0}));
  const double wanted = quantile * all;
  double below = 0;
  for (size_t bucket = 0; bucket < kLatencyBuckets; bucket++) {
    const double count = counts[bucket];
    if (count > 0 && below + count >= wanted) {
      const double start = latency_bucket_start(bucket);
      if (bucket + 1 == kLatencyBuckets) return start;
      const double end = latency_bucket_start(bucket + 1);
      return start + (end - start) * std::max(0.0, wanted - below) / count;
    }
    below += count;
  }
  return 0;
}

}  // namespace personalize
