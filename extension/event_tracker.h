// The rows of personalize_event_trackers: who may send events to which dataset group.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

struct EventTracker {
  std::string schema;
  std::string name;
  std::string dataset_group;
};

// The tracker with that tracking id in any catalog (catalog_schemas order), else the one with that
// name. Errors: kNotFound listing what there is; `caller` leads the message.
Result<EventTracker> find_event_tracker(Connection& connection, std::string_view tracking_id,
                                        std::string_view caller);

}  // namespace personalize
