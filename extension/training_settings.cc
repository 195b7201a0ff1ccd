#include "extension/training_settings.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "engine/training/memory_size.h"
#include "extension/catalog.h"

namespace personalize {

Result<uint64_t> max_training_memory(Connection& connection, std::string_view schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<std::string> setting,
                               find_setting(connection, schema, "max_training_memory"));
  if (!setting) return machine_memory() / 2;
  const std::optional<uint64_t> bytes = parse_memory_size(*setting);
  if (bytes) return *bytes;
  return Status(StatusCode::kInvalidInput,
                fmt::format("InvalidInputException: personalize_settings: max_training_memory is "
                            "'{}', which is no number of bytes",
                            *setting));
}

bool InterruptProbe::interrupted() {
  constexpr std::chrono::milliseconds kBetween(10);
  const auto now = std::chrono::steady_clock::now();
  if (!interrupted_ && now >= next_) {
    interrupted_ = connection_.interrupted();
    next_ = now + kBetween;
  }
  return interrupted_;
}

}  // namespace personalize
