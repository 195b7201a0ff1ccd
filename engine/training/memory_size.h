// Amounts of memory: as text, and how much this machine has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace personalize {

// A number of bytes: '4000000000', '4 GB' (of 1,000), '3.5 GiB' (of 1,024); kB, MB, TB, KiB, MiB,
// TiB alike, whatever the case. Nothing if it is none, or is below 1.
std::optional<uint64_t> parse_memory_size(std::string_view text);

// In the largest unit that leaves 1 or more, one decimal: "3.5 GB".
std::string memory_size_text(double bytes);

// The memory of the machine, or what the control groups of this process leave of it. `root` is
// prefixed to the paths of the system's files, for tests. 0 if nothing could be read.
uint64_t machine_memory(const std::string& root = "");

}  // namespace personalize
