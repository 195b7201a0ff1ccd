// The LMDB files that this process has open, each once: a second opening of the same file would
// take away the first one's locks. A child of fork() starts with none open.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/status.h"
#include "engine/store/process_mark.h"
#include "engine/store/shared_env.h"

namespace personalize {

class EnvRegistry {
 public:
  // Of this process.
  static EnvRegistry& instance();

  // The open file at `path`: opens it, after it was proven sound, if this process has not yet. It
  // is closed when the last pointer goes. Errors: kNotFound if there is no such file, kCorrupt with
  // what is wrong in it, and SharedEnv::open's.
  Result<std::shared_ptr<SharedEnv>> open(const std::string& path, const StoreFileKind& kind,
                                          bool read_only, const std::string& like_file);

  // Keeps all files from being opened, and tells which are, while it lives.
  class Pause {
   public:
    bool is_open(const FileIdentity& identity) const;

   private:
    friend class EnvRegistry;
    explicit Pause(EnvRegistry& registry) : registry_(registry), lock_(registry.mutex_) {}
    EnvRegistry& registry_;
    std::unique_lock<std::mutex> lock_;
  };
  Pause pause() { return Pause(*this); }

 private:
  struct Entry {
    std::unique_ptr<SharedEnv> env;
    int users = 0;
  };
  explicit EnvRegistry(EnvRegistry* parent) : process_(process_mark()), parent_(parent) {}
  std::shared_ptr<SharedEnv> use(Entry& entry);
  void release(SharedEnv* env);

  const uint64_t process_;
  EnvRegistry* const parent_;  // the forked process's: kept, as closing its files would harm it
  std::mutex mutex_;
  std::map<FileIdentity, Entry> entries_;
};

}  // namespace personalize
