// The numbers that stand for the user's text ids inside the engine.
#pragma once

#include <cstdint>

namespace personalize {

// An item's place in a model's vocabulary: dense, 0 .. item count - 1. kNoItem: not in it.
using ItemIndex = int32_t;
inline constexpr ItemIndex kNoItem = -1;

// An item's number in an EventSource's own dictionary. Two sources, or a source and a model, number
// the same item differently; EventSource::item_id gives the text both share.
using ItemCode = int32_t;

// An event type's number in an EventSource's own dictionary. kNoEventType: the event has none.
using EventTypeCode = int32_t;
inline constexpr EventTypeCode kNoEventType = -1;

}  // namespace personalize
