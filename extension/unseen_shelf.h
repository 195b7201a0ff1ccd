// The unseen items (engine/serving/unseen_items.h) of the models that a connection asks: read once
// from the items dataset, and looked after at every question, which sees them as its own snapshot
// has them.
//
// While nothing in the database changes, that costs a pragma. After a change:
//   native datasets  new rows are read; a re-read only after an update or deletion of items, which
//                    the shadow table <table>_change counts, or after a rollback.
//   content=         new rows of the business table (of larger rowid) are read at once. Any other
//                    change of the database may be one of theirs: tables of up to 1,000 rows are
//                    read again, larger ones too, but not for more than a twentieth of the time. So
//                    a changed or deleted row of a large one may be seen some questions late, as
//                    may the ROLLBACK TO of such a change.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "engine/dataset/metadata.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_watch.h"
#include "extension/responder.h"

namespace personalize {

// Part of Connection.
class UnseenShelf {
 public:
  // The unseen items of the responder's model; null for a model that places none and for a group
  // without an items dataset. Errors: those of reading the dataset.
  Result<std::shared_ptr<const UnseenTable>> get(Connection& connection,
                                                 const Responder& responder);

 private:
  struct Entry {
    std::unique_ptr<MetadataSource> source;  // null: the group has no items dataset
    bool opened = false;
    DatasetWatch watch;
    DatasetStamp stamp;
    DatasetPosition position;
    size_t rows = 0;     // of the last full read
    bool stale = false;  // a re-read was put off
    std::chrono::steady_clock::time_point read_at;
    std::chrono::steady_clock::duration read_took{};
    std::shared_ptr<const UnseenTable> table;
  };

  static Status open(Connection& connection, const Responder& responder, Entry& entry);
  static Status read_all(const Responder& responder, Entry& entry);
  static Status read_tail(Connection& connection, Entry& entry);

  std::map<std::pair<std::string, const LoadedModel*>, Entry> entries_;  // by schema and model
};

}  // namespace personalize
