// Registers personalize_repair() and personalize_forget(user_id [, group]).
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_upkeep_functions(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
