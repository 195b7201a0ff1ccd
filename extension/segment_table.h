// The table-valued function user_segment, also as personalize_user_segment.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_segment_table(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
