// How long questions took, as counts in buckets whose width is a quarter of an octave: 256 ns to
// 275 s in 122 numbers, each quantile within an eighth of the true one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace personalize {

inline constexpr size_t kLatencyBuckets = 122;
using LatencyCounts = std::array<uint32_t, kLatencyBuckets>;

// The bucket of a time. The first has all below 256 ns, the last all from 2^38 ns on.
size_t latency_bucket(int64_t nanoseconds);

// The smallest time that falls into the bucket.
double latency_bucket_start(size_t bucket);

// The time that a share `quantile` (0 to 1) of the questions did not exceed, in nanoseconds: linear
// within a bucket. 0 where nothing was counted.
double latency_quantile(const LatencyCounts& counts, double quantile);

}  // namespace personalize
