// personalize_insights: what the data of a dataset group say about themselves, with advice.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_insights_table(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
