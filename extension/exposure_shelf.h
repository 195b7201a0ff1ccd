// How often new items were shown, from what a connection has read of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/serving/exploration.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/exposure_reader.h"
#include "extension/responder.h"

namespace personalize {

// Part of Connection.
class ExposureShelf {
 public:
  // Sets NewItem::impressions of new items of the responder's model or `unseen` (null: none), as
  // the snapshot of the statement that asks has them; impressions in a business table are not
  // counted. Few items are looked up one by one; for many, all counts are read, and kept until the
  // database changes. Errors: those of reading them.
  Status count(Connection& connection, const Responder& responder, const UnseenTable* unseen,
               std::span<NewItem> items);

 private:
  struct Entry {
    std::unique_ptr<ExposureReader> reader;  // null: nothing is counted
    bool opened = false;
    uint64_t catalog_changes = 0;
    uint64_t generation = 0;                     // of shown
    std::unordered_map<uint64_t, double> shown;  // by exploration_hash of the id
  };
  static Status open(Connection& connection, const Responder& responder, Entry& entry);
  std::map<std::pair<std::string, std::string>, Entry> entries_;  // by schema and group
};

}  // namespace personalize
