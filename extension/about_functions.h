// personalize_version() and personalize_debug().
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_about_functions(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
