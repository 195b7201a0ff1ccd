#include "engine/training/memory_size.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/store/unique_fd.h"

namespace personalize {
namespace {

struct Unit {
  std::string_view name;  // in lower case
  double bytes;
};
constexpr std::array<Unit, 10> kUnits = {{{"", 1},
                                          {"b", 1},
                                          {"kb", 1e3},
                                          {"mb", 1e6},
                                          {"gb", 1e9},
                                          {"tb", 1e12},
                                          {"kib", 0x1p10},
                                          {"mib", 0x1p20},
                                          {"gib", 0x1p30},
                                          {"tib", 0x1p40}}};
constexpr double kMostBytes = 0x1p62;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A small file of the system; "" if it can't be read. (Streams would make the extension a quarter
// larger.)
std::string text_of_file(const std::string& path) {
  const UniqueFd file = UniqueFd::open(path, O_RDONLY);
  std::string text(size_t{1} << 14, '\0');
  const ssize_t size = file.is_open() ? read(file.get(), text.data(), text.size()) : 0;
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return text;
}

// The whole number that a text begins with, after blanks.
std::optional<uint64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

uint64_t physical_memory(const std::string& root) {
  constexpr std::string_view kName = "MemTotal:";
  const std::string text = text_of_file(root + "/proc/meminfo");
  const size_t place = text.find(kName);
  if (place == std::string::npos) return 0;
  return leading_number(std::string_view(text).substr(place + kName.size())).value_or(0) * 1'024;
}

// Of the control group `path` and of all above it.
uint64_t least_limit(const std::string& folder, std::string path, const char* file) {
  uint64_t least = std::numeric_limits<uint64_t>::max();
  for (;;) {
    // No number is no limit: "max", or there is no such file.
    if (const auto limit = leading_number(text_of_file(folder + path + "/" + file)))
      least = std::min(least, *limit);
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return least;
    path.resize(slash);
  }
}

}  // namespace

std::optional<uint64_t> parse_memory_size(std::string_view text) {
  text = trimmed(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  std::string name(trimmed(text));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const Unit& candidate) { return candidate.name == name; });
  if (unit == kUnits.end()) return std::nullopt;
  const double bytes = number * unit->bytes;
  if (!(bytes >= 1 && bytes <= kMostBytes)) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

std::string memory_size_text(double bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; unit + 1 < kNames.size() && bytes >= 999.95; ++unit) bytes /= 1'000;
  return unit == 0 ? fmt::format("{:.0f} {}", bytes, kNames[0])
                   : fmt::format("{:.1f} {}", bytes, kNames[unit]);
}

uint64_t machine_memory(const std::string& root) {
  uint64_t memory = physical_memory(root);
  const std::string groups = text_of_file(root + "/proc/self/cgroup");
  // Lines "0::/path" (version 2) and "4:cpu,memory:/path" (version 1).
  for (size_t begin = 0; begin < groups.size();) {
    const size_t end = std::min(groups.find('\n', begin), groups.size());
    const std::string line = groups.substr(begin, end - begin);
    begin = end + 1;
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string_view kinds = std::string_view(line).substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    uint64_t limit = std::numeric_limits<uint64_t>::max();
    if (kinds.empty())
      limit = least_limit(root + "/sys/fs/cgroup", path, "memory.max");
    else if (kinds.find("memory") != std::string_view::npos)
      limit = least_limit(root + "/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
    memory = std::min(memory, limit);
  }
  return memory;
}

}  // namespace personalize
