// The table-valued function explain, also as personalize_explain.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_explain_table(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
