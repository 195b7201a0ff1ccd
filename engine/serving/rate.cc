#include "engine/serving/rate.h"

#include <time.h>

#include <algorithm>
#include <cmath>

namespace personalize {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
// How far an honest arrival time may lie ahead beyond the burst: one request at 1 TPS, and as much
// again.
constexpr int64_t kHonestLead = 2 * kSecond;
constexpr auto kRelaxed = std::memory_order_relaxed;

int64_t clamp_rate(uint64_t stored, const RateLimit& limit) {
  const int64_t most = std::max(limit.min_tps, limit.max_tps.value_or(limit.min_tps));
  if (stored < static_cast<uint64_t>(limit.min_tps) || stored > static_cast<uint64_t>(most))
    return limit.min_tps;
  return static_cast<int64_t>(stored);
}

// The capacity after a second in which `offered` requests were asked for.
int64_t next_rate(int64_t rate, uint64_t offered, uint64_t seconds_since, const RateLimit& limit) {
  if (seconds_since > 1) return limit.min_tps;  // a whole second without a request
  const auto demand = static_cast<int64_t>(offered);
  if (demand > rate) return std::min({*limit.max_tps, demand, 2 * rate});
  const auto lower = static_cast<int64_t>(0.9 * static_cast<double>(rate));
  return std::max({limit.min_tps, demand, lower});
}

// Counts one request into the current second; whoever opens a second sets the rate by the last one.
int64_t grown_rate(RateSlot& slot, const RateLimit& limit, int64_t now, bool again) {
  const uint64_t second = static_cast<uint64_t>(now / kSecond) & 0xffffffff;
  uint64_t window = slot.window.load(kRelaxed);
  for (;;) {
    // A second that is ahead: another thread's clock was read after ours, and that one counts.
    if ((((window >> 32) - second) & 0xffffffff) <= 2) {
      if (!again && (window & 0xffffffff) != 0xffffffff) slot.window.fetch_add(1, kRelaxed);
      break;
    }
    const uint64_t opened = second << 32 | (again ? 0 : 1);
    if (!slot.window.compare_exchange_weak(window, opened, kRelaxed)) continue;
    const uint64_t since = (second - (window >> 32)) & 0xffffffff;
    const int64_t before = clamp_rate(slot.rate.load(kRelaxed), limit);
    const int64_t after = next_rate(before, window & 0xffffffff, since, limit);
    slot.rate.store(static_cast<uint64_t>(after), kRelaxed);
    break;
  }
  return clamp_rate(slot.rate.load(kRelaxed), limit);
}

}  // namespace

int64_t RateLimiter::now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

Admission ask(RateSlot& slot, const RateLimit& limit, int64_t now, bool again) {
  if (!limit.max_tps) return {true, 0, 0};
  const int64_t rate = std::max<int64_t>(
      1, *limit.max_tps > limit.min_tps ? grown_rate(slot, limit, now, again) : limit.min_tps);
  const int64_t interval = (kSecond + rate - 1) / rate;
  const auto burst = static_cast<int64_t>(
      std::llround(std::clamp(limit.burst_seconds, 0.0, 10.0) * static_cast<double>(kSecond)));
  uint64_t arrival = slot.arrival.load(kRelaxed);
  for (;;) {
    int64_t base;
    if (arrival > static_cast<uint64_t>(now + burst + kHonestLead)) {
      // Another boot's or another clock's, or junk: as if the burst were used up.
      base = now + burst;
    } else {
      base = std::max(static_cast<int64_t>(arrival), now);
    }
    if (base - now > burst) return {false, base - now - burst, rate};
    if (slot.arrival.compare_exchange_weak(arrival, static_cast<uint64_t>(base + interval),
                                           kRelaxed))
      return {true, 0, rate};
  }
}

}  // namespace personalize
