#include "extension/exposure_counter.h"

#include <fmt/format.h>

#include "extension/impression.h"

namespace personalize {

Status ExposureCounter::count(std::string_view impression, int64_t change) {
  if (impression.empty()) return Status::ok();
  if (!count_) {
    PERSONALIZE_ASSIGN_OR_RETURN(count_, connection_.cached(fmt::format(
                                             "INSERT INTO {} VALUES (?1, ?2) ON CONFLICT(item) DO "
                                             "UPDATE SET shown = shown + excluded.shown",
                                             table_)));
  }
  for (const std::string& item : items_of_impression(impression)) {
    PERSONALIZE_ASSIGN_OR_RETURN(const int64_t code, items_.find_or_add(item));
    PERSONALIZE_RETURN_IF_ERROR(count_.bind(1, code).bind(2, change).run());
  }
  return Status::ok();
}

}  // namespace personalize
