// SELECT personalize_put_events('{"trackingId": ..., "sessionId": ..., "eventList": [...]}');   --
// 2 SELECT personalize_put_event('web', 'session-1', 'user-1', '{"eventType": "click", ...}'); -- 1
//
// Amazon's PutEvents: writes interactions, and gives how many.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_put_events_functions(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
