// Dates and times as ISO 8601 writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace personalize {

// The Unix seconds of '2024-05-01', '2024-05-01T12:30', '2024-05-01 12:30:15.25', with or without
// 'Z' or an offset ('+02:00', '+0200') behind the time; UTC without one. Fractions of a second are
// cut off. Nothing for any other text and for dates that are none, such as 2023-02-29.
std::optional<int64_t> parse_iso_time(std::string_view text);

}  // namespace personalize
