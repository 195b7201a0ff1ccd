// Registers personalize_train(solution [, options]), which gives the name of the version it made.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_train_function(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
