// The table-valued function personalize_cost.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_cost_table(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
