// Registers personalize_score(user_id, item_id [, campaign]).
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_score_function(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
