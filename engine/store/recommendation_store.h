// Which items were in a list that a campaign gave out under a recommendation id, so that an event
// with that id tells what its user was shown. In states.mdb, at best effort: of the lists of a
// database about the newest hundred thousand are there, none after a reboot.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/model_store.h"

namespace personalize {

// Amazon's limit, in bytes.
inline constexpr size_t kLongestRecommendationId = 40;

// Safe from any number of threads. Every failure is silent: a list that cannot be kept is not kept.
class RecommendationStore {
 public:
  virtual ~RecommendationStore() = default;

  // Gives a store that remembers nothing if the directory is read-only or PERSONALIZE_NO_STATE is
  // set. Shares the file of StateStore::open.
  static std::shared_ptr<RecommendationStore> open(const std::string& directory, OpenMode mode,
                                                   const std::string& like_file);

  // Keeps the list: its first items as far as they take 8 KB. Ids that are empty or too long are
  // not kept. Waits 10 ms at most for other writers.
  virtual void remember(std::string_view id, std::span<const std::string_view> items) = 0;
  // Replaces `items` by those of the list. False: it is not known (any more).
  virtual bool find(std::string_view id, std::vector<std::string>& items) = 0;
};

}  // namespace personalize
