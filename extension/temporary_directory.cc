#include "extension/temporary_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

namespace personalize {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<TemporaryDirectory>, std::less<>> by_uuid;
};

// Never destroyed: connections may outlive the program's static objects.
Registry& registry() {
  static Registry& registry = *new Registry();
  return registry;
}

Status failure(const std::string& path, int error) {
  const StatusCode code = error == ENOSPC || error == EDQUOT  ? StatusCode::kFull
                          : error == EROFS || error == EACCES ? StatusCode::kReadOnly
                                                              : StatusCode::kIo;
  return {code, fmt::format("personalize: can't make the directory {} for the models of a database "
                            "without a file: {}; set TMPDIR",
                            path, std::strerror(error))};
}

}  // namespace

TemporaryDirectory::TemporaryDirectory(std::string path)
    : path_(std::move(path)), owner_(getpid()) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (getpid() == owner_) std::filesystem::remove_all(path_, ignored);
}

Result<std::shared_ptr<TemporaryDirectory>> TemporaryDirectory::of(std::string_view uuid) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::erase_if(all.by_uuid, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = all.by_uuid.find(uuid); found != all.by_uuid.end()) {
    if (auto alive = found->second.lock()) return alive;
  }
  const char* parent = std::getenv("TMPDIR");
  std::string path =
      fmt::format("{}/personalize-XXXXXX", parent == nullptr || *parent == '\0' ? "/tmp" : parent);
  if (mkdtemp(path.data()) == nullptr) return failure(path, errno);
  std::shared_ptr<TemporaryDirectory> made(new TemporaryDirectory(path));
  all.by_uuid[std::string(uuid)] = made;
  return made;
}

}  // namespace personalize
