// Which items a question's filter leaves to be searched.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/serving/answer.h"
#include "engine/serving/filter_values.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/filter_items.h"
#include "extension/filter_lookup.h"
#include "extension/metadata_value.h"
#include "extension/responder.h"

namespace personalize {

// What a filter may speak of. An empty text: not known in this question.
struct FilterQuestion {
  std::string_view filter;  // an expression or a filter's name
  std::string_view values;  // JSON, or ""
  std::string_view user, item;
  std::string_view caller;  // leads messages
};

// Part of Connection.
class QuestionFilters {
 public:
  // The items of the responder's model, and of `unseen` (null: none), that pass. Amazon's rules: of
  // several clauses, those that any INCLUDE gives (all items, if none applies) less those that any
  // EXCLUDE gives; a clause applies where its IF holds for the user's row; an EXCLUDE whose
  // parameter was left out does not apply. An item without a row in the items dataset passes no
  // condition on Items. The set is shared with later questions. Errors: kInvalidInput, kNotFound,
  // and those of reading the datasets.
  Result<std::shared_ptr<const ItemSet>> allowed(Connection& connection, const Responder& responder,
                                                 const std::shared_ptr<const UnseenTable>& unseen,
                                                 const FilterQuestion& question);

  // Whether question.user passes a filter of users (UserID). Rules and errors as above.
  Result<bool> passes(Connection& connection, const Responder& responder,
                      const FilterQuestion& question);

  // A filter that left no item.
  struct Emptied {
    std::string schema, filter, detail;
  };
  // The last few of this connection's questions of which the filter left nothing; the latest last.
  const std::vector<Emptied>& emptied() const { return emptied_; }

 private:
  // The datasets of a group, while they are declared as they are.
  struct Group {
    DatasetStamp declared;
    std::unique_ptr<FilterItems> items;  // null: there is no such dataset
    std::unique_ptr<MetadataSource> user_rows, item_rows;
    std::string events;  // the interactions' table
    std::vector<MetadataColumn> event_columns;
  };
  // What is to be known before rows are looked at.
  struct Read {
    DatasetStamp now;
    std::shared_ptr<const Filter> filter;
    FilterValues values;
    Group* group = nullptr;
  };
  struct Work;

  Result<Read> read(Connection& connection, const Responder& responder,
                    const FilterQuestion& question, FilterSubject subject);

  Result<Group*> group_of(Connection& connection, const Responder& responder,
                          const DatasetStamp& now);
  void note_emptied(const Responder& responder, const FilterQuestion& question, size_t item_count);

  std::map<std::string, Group, std::less<>> groups_;  // by schema and group
  std::vector<Emptied> emptied_;
};

}  // namespace personalize
