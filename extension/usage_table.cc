#include "extension/usage_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <vector>

#include "engine/serving/rate.h"
#include "engine/serving/usage.h"
#include "extension/report_table.h"
#include "extension/store_access.h"

namespace personalize {
namespace {

constexpr int64_t kSecondsAnHour = 3'600;

// What is counted of a catalog, and the campaigns it has now.
struct Campaign {
  std::string name;
  int64_t min_tps = 1;
  int64_t capacity = 1;
  bool asked = false;
};
struct Usage {
  std::vector<UsageRow> rows;  // by hour
  std::map<uint64_t, Campaign> campaigns;
};

Result<Usage> usage_of(Connection& connection, const std::string& schema) {
  Usage usage;
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format(
          "SELECT id, name, min_provisioned_tps FROM {}.personalize_campaigns", sql_name(schema))));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    usage.campaigns[static_cast<uint64_t>(statement.integer(0))] = {
        std::string(statement.text(1)), statement.integer(2), statement.integer(2)};
  }
  const Result<std::string> directory = store_directory(connection, schema);
  if (!directory.is_ok()) return usage;  // nothing was ever asked
  usage.rows = read_usage(*directory);
  const auto limiter = RateLimiter::open(*directory, database_file(connection, schema));
  for (const CampaignRate& rate : limiter->rates())
    if (const auto found = usage.campaigns.find(rate.campaign);
        found != usage.campaigns.end() && rate.rate > 0)
      found->second.capacity = rate.rate;
  for (const UsageRow& row : usage.rows)
    if (const auto found = usage.campaigns.find(row.key.campaign); found != usage.campaigns.end())
      found->second.asked = true;
  return usage;
}

std::string hour_text(uint32_t hour) {
  const std::time_t second = std::time_t{hour} * kSecondsAnHour;
  std::tm time = {};
  gmtime_r(&second, &time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:00", time.tm_year + 1900, time.tm_mon + 1,
                     time.tm_mday, time.tm_hour);
}

double microseconds(double nanoseconds) { return std::round(nanoseconds / 100) / 10; }

// The row as the table shows it; `second` is of now.
std::vector<ReportValue> values_of(const UsageRow& row, const Usage& usage, int64_t second) {
  const auto campaign = usage.campaigns.find(row.key.campaign);
  const bool is_current = row.key.hour == second / kSecondsAnHour;
  const int64_t seconds =
      is_current ? std::max<int64_t>(1, second % kSecondsAnHour) : kSecondsAnHour;
  std::vector<ReportValue> values = {hour_text(row.key.hour),
                                     {},
                                     std::string(question_kind_name(row.key.kind)),
                                     static_cast<int64_t>(row.served),
                                     static_cast<int64_t>(row.throttled),
                                     static_cast<double>(row.served) / static_cast<double>(seconds),
                                     {},
                                     {},
                                     {}};
  if (campaign != usage.campaigns.end()) {
    values[1] = campaign->second.name;
    if (is_current) values[8] = campaign->second.capacity;
  } else if (row.key.campaign != 0) {
    values[1] = fmt::format("#{}", row.key.campaign);
  }
  if (row.served > 0) {
    values[6] = microseconds(latency_quantile(row.latencies, 0.5));
    values[7] = microseconds(latency_quantile(row.latencies, 0.99));
  }
  return values;
}

// By hour, campaign and kind. A campaign that was never asked has a row of zeros, the first.
Status fill_usage(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Usage usage, usage_of(request.connection, request.schema));
  const int64_t second = UsageCounter::wall_clock();
  const auto add = [&rows](std::vector<ReportValue> values) {
    rows.emplace_back();
    rows.back().values = std::move(values);
  };
  for (const auto& [id, campaign] : usage.campaigns)
    if (!campaign.asked)
      add({{}, campaign.name, {}, int64_t{0}, int64_t{0}, 0.0, {}, {}, campaign.capacity});
  for (const UsageRow& row : usage.rows) add(values_of(row, usage, second));
  return Status::ok();
}

constexpr ReportDescriptor kReport = {"personalize_usage",
                                      "hour TEXT, campaign TEXT, kind TEXT, served INTEGER, "
                                      "throttled INTEGER, tps REAL, p50_us REAL, "
                                      "p99_us REAL, capacity_tps INTEGER",
                                      false,
                                      false,
                                      true,
                                      fill_usage,
                                      nullptr};

}  // namespace

Status register_usage_table(const std::shared_ptr<Connection>& connection) {
  return register_report_table(connection, kReport);
}

Result<double> tps_hours_used(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Usage usage, usage_of(connection, schema));
  struct Span {
    uint32_t first = 0, last = 0;
    std::map<uint32_t, uint64_t> served;  // by hour, all kinds
  };
  std::map<uint64_t, Span> spans;
  for (const UsageRow& row : usage.rows) {
    if (row.key.campaign == 0) continue;
    Span& span = spans.try_emplace(row.key.campaign, Span{row.key.hour, 0, {}}).first->second;
    span.last = row.key.hour;
    span.served[row.key.hour] += row.served;
  }
  const auto now = static_cast<uint32_t>(UsageCounter::wall_clock() / kSecondsAnHour);
  double hours = 0;
  for (const auto& [id, span] : spans) {
    const auto campaign = usage.campaigns.find(id);
    const bool deleted = campaign == usage.campaigns.end();
    const auto minimum = static_cast<double>(deleted ? 1 : campaign->second.min_tps);
    const uint32_t last = deleted ? span.last : std::max(span.last, now);
    hours += minimum * (static_cast<double>(last - span.first) + 1);
    for (const auto& [hour, served] : span.served)
      hours += std::max(0.0, static_cast<double>(served) / kSecondsAnHour - minimum);
  }
  return hours;
}

}  // namespace personalize
