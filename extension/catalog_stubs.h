// Registers stand-ins for the catalog's tables, for the time before the first dataset: they have no
// rows, and an INSERT into them says what to do first. Real tables of the same name hide them.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_catalog_stubs(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
