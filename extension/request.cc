#include "extension/request.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

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

Request::Request(QuestionKind kind) : kind_(kind), start_(RateLimiter::now()) {}

Request::~Request() {
  if (responder_ == nullptr) return;
  const int64_t now = RateLimiter::now();
  responder_->usage->count_served(campaign_, kind_, now, now - start_);
}

Status Request::admit(Connection& connection, std::shared_ptr<const Responder> responder,
                      std::string_view caller) {
  if (!responder->campaign) {
    pass(std::move(responder));
    return Status::ok();
  }
  if (responder->campaign->max_tps) {
    PERSONALIZE_RETURN_IF_ERROR(take_slot(connection, *responder, caller));
  }
  campaign_ = static_cast<uint64_t>(responder->campaign->id);
  responder_ = std::move(responder);
  return Status::ok();
}

Status Request::take_slot(Connection& connection, const Responder& responder,
                          std::string_view caller) const {
  const CampaignEntry& campaign = *responder.campaign;
  const RateLimit limit{static_cast<uint64_t>(campaign.id), campaign.min_provisioned_tps,
                        campaign.max_tps, campaign.config.burst_seconds};
  const int64_t now = RateLimiter::now();
  Admission admission = responder.limiter->ask(limit, now);
  if (!admission.admitted) responder.usage->count_throttled(limit.campaign, kind_, now);
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

void Request::pass(std::shared_ptr<const Responder> responder) {
  responder_ = std::move(responder);
}

}  // namespace personalize
