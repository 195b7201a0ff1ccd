// Registers personalize_usage: what was asked of each campaign by the hour.
#pragma once

#include <memory>
#include <string>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_usage_table(const std::shared_ptr<Connection>& connection);

// The TPS-hours that the campaigns of a catalog have used as Amazon counts them, here by the hour:
// the larger of min_provisioned_tps and the mean of the hour's requests, for each hour from the
// campaign's first request until now; for a deleted campaign (which counts as of 1 TPS) until its
// last.
Result<double> tps_hours_used(Connection& connection, const std::string& schema);

}  // namespace personalize
