#include "extension/about_functions.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/math/dispatch.h"
#include "engine/store/lmdb_env.h"
#include "extension/boundary.h"

namespace personalize {
namespace {

constexpr std::string_view kVersion = "v" PERSONALIZE_VERSION;

void version(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_text(context, kVersion.data(), static_cast<int>(kVersion.size()), SQLITE_STATIC);
}

// What a bug report needs.
void debug(sqlite3_context* context, int, sqlite3_value**) {
  guarded_function(context, [&] {
    const nlohmann::ordered_json facts = {{"version", kVersion},
                                          {"commit", PERSONALIZE_COMMIT},
                                          {"build_type", PERSONALIZE_BUILD_TYPE},
                                          {"flags", PERSONALIZE_FLAGS},
                                          {"sanitizers", PERSONALIZE_SANITIZE},
                                          {"compiler", "g++ " __VERSION__},
                                          {"sqlite", sqlite3_libversion()},
                                          {"sqlite_headers", SQLITE_VERSION},
                                          {"lmdb", lmdb_version()},
                                          {"instruction_set", kernels().isa},
                                          {"instruction_set_asked_for", requested_isa()}};
    const std::string text = facts.dump();
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return Status::ok();
  });
}

}  // namespace

Status register_about_functions(const std::shared_ptr<Connection>& connection) {
  PERSONALIZE_RETURN_IF_ERROR(register_scalar(connection, "personalize_version", 0,
                                              SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, version));
  return register_scalar(connection, "personalize_debug", 0, SQLITE_INNOCUOUS, debug);
}

}  // namespace personalize
