// How many requests a second a campaign answers: one arrival time in memory that all threads and
// processes share (the file '<database>.personalize/rate', mapped), moved by compare-and-swap.
//
// The algorithm is GCRA, a leaky bucket without a bucket: `arrival` is the time at which all
// requests admitted so far would have come had they come evenly. A request is admitted if that is
// at most burst_seconds ahead of now, and then moves it on by 1 / rate. A denied request moves
// nothing. A process killed in the middle has spent at most one request; there is no lock.
//
// Capacity: min_tps, growing towards max_tps while more is asked for than there is. Once a second
// (whoever asks first) the last second's demand sets it: above capacity it becomes the demand, at
// most doubled; below, it falls by a tenth; after an idle second it is min_tps again. Without
// max_tps nothing is denied. When the rate changes, the arrival time stays: nobody gets a free
// bucket.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace personalize {

// What a row of personalize_campaigns says about its capacity.
struct RateLimit {
  uint64_t campaign = 0;           // its id, not 0
  int64_t min_tps = 1;             // 1 .. 1,000,000
  std::optional<int64_t> max_tps;  // nothing: no limit
  double burst_seconds = 1.0;      // how much unused capacity may be spent at once: 0 .. 10
};

struct Admission {
  bool admitted = true;
  int64_t wait_nanoseconds = 0;  // if not admitted: when the next slot is, from now
  int64_t rate = 0;              // the capacity now, in requests a second
};

struct CampaignRate {
  uint64_t campaign = 0;
  int64_t rate = 0;  // the capacity when it was asked last; 0: it never grew
};

// One connection's door to the limits that all connections, processes and children of fork() share.
// Used by one thread at a time; any number of them may be open on a directory.
class RateLimiter {
 public:
  virtual ~RateLimiter() = default;

  // The limiter of `directory`, whose file is made with the mode of `like_file`. Never fails: where
  // the file cannot be made, read or written, the limits hold in this process alone.
  static std::shared_ptr<RateLimiter> open(const std::string& directory,
                                           const std::string& like_file);

  // Asks for one request at time `now`. With `again` it is a request that was denied before and has
  // waited, which is no new demand. About 10 ns.
  virtual Admission ask(const RateLimit& limit, int64_t now, bool again = false) = 0;

  // Every campaign that was ever asked, in no order.
  virtual std::vector<CampaignRate> rates() const = 0;

  // Whether other processes see the same limits.
  virtual bool shared() const = 0;

  // CLOCK_MONOTONIC in nanoseconds: never steps, one for all processes of a machine.
  static int64_t now();
};

// One campaign's numbers, a cache line. Read from a file that anybody may have written to: whatever
// stands here, ask() goes on and is right again within two seconds.
struct alignas(64) RateSlot {
  std::atomic<uint64_t> campaign;  // 0: free
  std::atomic<uint64_t> arrival;   // nanoseconds
  std::atomic<uint64_t> window;    // second << 32 | requests asked for in it
  std::atomic<uint64_t> rate;      // requests a second; outside of min_tps .. max_tps: min_tps
  uint64_t unused[4];
};
static_assert(sizeof(RateSlot) == 64 && std::atomic<uint64_t>::is_always_lock_free);

// The algorithm on one slot.
Admission ask(RateSlot& slot, const RateLimit& limit, int64_t now, bool again);

}  // namespace personalize
