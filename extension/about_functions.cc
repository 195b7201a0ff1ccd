#include "extension/about_functions.h"

#include <string_view>

#include "extension/boundary.h"

namespace personalize {
namespace {

constexpr std::string_view kVersion = "v" PERSONALIZE_VERSION;

void version(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_text(context, kVersion.data(), static_cast<int>(kVersion.size()), SQLITE_STATIC);
}

}  // namespace

Status register_about_functions(const std::shared_ptr<Connection>& connection) {
  return register_scalar(connection, "personalize_version", 0,
                         SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, version);
}

}  // namespace personalize
