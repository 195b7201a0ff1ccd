// SELECT personalize_put_users('{"users": [{"userId": "7", "properties": {"age": 30}}]}'); -- 1
// SELECT personalize_put_items('{"dataset": "items", "items": [{"itemId": "9", ...}, ...]}');    --
// 2
//
// Amazon's PutUsers and PutItems: write rows in place of those of the same id, and give how many.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_put_rows_functions(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
