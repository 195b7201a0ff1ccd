// Registers personalize_status (what is there, and why a campaign can't answer) and
// personalize_check (what is wrong).
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_status_tables(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
