// Taking a slot of a campaign's rate, or waiting for one.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "extension/responder.h"

namespace personalize {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
// How long a waiting question sleeps before it looks for an interrupt.
constexpr int64_t kNap = 20 * kMillisecond;

void sleep_for(int64_t nanoseconds) {
  const timespec time = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  nanosleep(&time, nullptr);
}

}  // namespace

Status admit(Connection& connection, Responder& responder, std::string_view caller) {
  if (!responder.campaign) return Status::ok();
  const CampaignEntry& campaign = *responder.campaign;
  const RateLimit limit{static_cast<uint64_t>(campaign.id), campaign.min_provisioned_tps,
                        campaign.max_tps, campaign.config.burst_seconds};
  Admission admission = responder.limiter->ask(limit, RateLimiter::now());
  while (!admission.admitted) {
    if (!campaign.wait_on_throttle) {
      const int64_t wait = (admission.wait_nanoseconds + kMillisecond - 1) / kMillisecond;
      return {StatusCode::kThrottling,
              fmt::format("ThrottlingException: campaign '{}' is over its {} TPS; next slot in {} "
                          "ms (batch_recommend and questions that name a version are not "
                          "throttled)",
                          campaign.name, admission.rate, wait)};
    }
    sleep_for(std::min(admission.wait_nanoseconds, kNap));
    if (connection.interrupted())
      return {StatusCode::kInterrupted, fmt::format("{}: interrupted", caller)};
    admission = responder.limiter->ask(limit, RateLimiter::now(), true);
  }
  return Status::ok();
}

}  // namespace personalize
