// Registers personalize_anchor, which tells the connection when its host closes it.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_anchor_table(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
