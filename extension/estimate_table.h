// The table-valued function personalize_estimate.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_estimate_table(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
