// The file states.mdb: what is kept at best effort and can be lost at any moment. Written without a
// sync, thrown away when the machine was rebooted since (boot id), when it is full or damaged.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "engine/status.h"
#include "engine/store/shared_env.h"

namespace personalize {

// Its databases beside info, for LmdbTxn.
inline constexpr size_t kStateDatabase = 1;
inline constexpr size_t kRecommendationDatabase = 2;

// Whether PERSONALIZE_NO_STATE is set: nothing is remembered then.
bool remembering_is_switched_off();

// Opened by the first call that needs it. Safe from any number of threads.
class MemoFile {
 public:
  // `like_file` gives the file its rights.
  MemoFile(std::string directory, std::string like_file);

  // The open file; null if there is none and none can be made.
  std::shared_ptr<SharedEnv> file() const;
  // The same for what can do without: null, too, while opening a large file, which must first be
  // proven sound, would take longer than having it at all calls so far would have saved. So a
  // process that asks a few questions never opens it, and one that asks many has lost no more than
  // the same time again.
  std::shared_ptr<SharedEnv> file_if_worthwhile() const;
  // After a failure of reading or writing `file`: one that was removed or damaged is opened or made
  // anew at the next use.
  void lose(const std::shared_ptr<SharedEnv>& file, const Status& why);

 private:
  Result<std::shared_ptr<SharedEnv>> open_file() const;
  Status make_file() const;
  Status throw_away(const FileIdentity& identity) const;

  const std::string directory_, path_, like_file_;
  mutable std::mutex mutex_;                 // of what follows
  mutable std::shared_ptr<SharedEnv> file_;  // null before the first use and after it was lost
  mutable bool given_up_ = false;
  mutable int64_t done_without_ = 0;  // calls of file_if_worthwhile()
};

}  // namespace personalize
