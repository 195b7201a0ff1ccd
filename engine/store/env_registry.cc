#include "engine/store/env_registry.h"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>

#include "engine/store/io_status.h"
#include "engine/store/process_mark.h"
#include "engine/store/store_directory.h"
#include "engine/store/store_file.h"

namespace personalize {

EnvRegistry& EnvRegistry::instance() {
  static std::atomic<EnvRegistry*> current = nullptr;
  EnvRegistry* registry = current.load();
  if (registry != nullptr && registry->process_ == process_mark()) return *registry;
  // The parent's mutex may be held for ever, by a thread that this child does not have.
  EnvRegistry* const mine = new EnvRegistry(registry);
  if (current.compare_exchange_strong(registry, mine)) return *mine;
  delete mine;
  return *registry;
}

bool EnvRegistry::Pause::is_open(const FileIdentity& identity) const {
  return registry_.entries_.contains(identity);
}

std::shared_ptr<SharedEnv> EnvRegistry::use(Entry& entry) {
  struct User {
    EnvRegistry* registry = nullptr;
    SharedEnv* env = nullptr;
    ~User() {
      if (env != nullptr) registry->release(env);
    }
  };
  // Whatever there is no memory for, nobody is released here, under the mutex.
  const auto user = std::make_shared<User>();
  user->registry = this;
  user->env = entry.env.get();
  entry.users++;
  return {user, user->env};
}

void EnvRegistry::release(SharedEnv* env) {
  if (process_ != process_mark()) return;  // in a forked child: the file is the parent's
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(env->identity());
  if (--entry->second.users == 0) entries_.erase(entry);
}

Result<std::shared_ptr<SharedEnv>> EnvRegistry::open(const std::string& path,
                                                     const StoreFileKind& kind, bool read_only,
                                                     const std::string& like_file) {
  const std::lock_guard lock(mutex_);
  PERSONALIZE_ASSIGN_OR_RETURN(
      const DirectoryLock directory,
      DirectoryLock::take(directory_of(path), DirectoryLock::Kind::kShared));
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return io_status(errno, "open", path);
  const auto open_already = entries_.find(FileIdentity::of(status));
  if (open_already != entries_.end()) {
    if (!read_only) PERSONALIZE_RETURN_IF_ERROR(open_already->second.env->allow_writes());
    return use(open_already->second);
  }
  for (const auto& [identity, entry] : entries_)
    if (entry.env->path() == path) entry.env->retire();
  PERSONALIZE_RETURN_IF_ERROR(verify_store_file(path, kind));
  PERSONALIZE_ASSIGN_OR_RETURN(std::unique_ptr<SharedEnv> opened,
                               SharedEnv::open(path, kind, read_only, like_file));
  if (opened->identity() != FileIdentity::of(status))
    return Status(StatusCode::kBusy, fmt::format("{} is being replaced; try again", path));
  Entry& entry = entries_[opened->identity()];
  entry.env = std::move(opened);
  return use(entry);
}

}  // namespace personalize
