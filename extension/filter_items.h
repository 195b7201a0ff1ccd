// The items that a group's filters ask about, in memory: the fields that filters have named, and
// which sets of items passed what. Looked after at every question, which sees the rows as its own
// snapshot has them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/serving/answer.h"
#include "engine/serving/filter_expression.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"
#include "extension/dataset_watch.h"

namespace personalize {

// Of one items dataset, while it is declared as it is.
class FilterItems {
 public:
  explicit FilterItems(Dataset dataset) : dataset_(std::move(dataset)) {}

  // Reads the rows again if they, or the fields that are needed, may be others than before. A
  // native dataset is read after a change of its items alone; a business table after any change
  // that this connection or another made to the database, and at every question of a transaction
  // that has written. Errors: those of reading.
  Status refresh(Connection& connection, const DatasetStamp& now, const FilterExpression& needed);

  // Sets are numbered by the items of a model and its unseen ones (null: none): what follows speaks
  // of these.
  void number_by(std::shared_ptr<const LoadedModel> model,
                 std::shared_ptr<const UnseenTable> unseen);

  // The set kept under `key`, made by make() if there is none.
  Result<std::shared_ptr<const ItemSet>> kept(
      const std::string& key, const std::function<Result<std::shared_ptr<const ItemSet>>()>& make);
  // The items whose rows pass.
  ItemSet passing(const std::function<bool(std::span<const FieldValue>)>& passes) const;
  // Of the rows.
  std::span<const MetadataField> fields() const { return table_.fields(); }

 private:
  // The rows' numbers in a model, and the sets in those numbers.
  struct Numbering {
    std::shared_ptr<const LoadedModel> model;
    std::shared_ptr<const UnseenTable> unseen;
    std::vector<ItemIndex> item;  // one a row; kNoItem: the model does not know it
    std::map<std::string, std::shared_ptr<const ItemSet>, std::less<>> sets;
  };

  Status read(Connection& connection);

  Dataset dataset_;
  bool watched_ = false, read_ = false;
  DatasetWatch watch_;
  DatasetStamp stamp_;
  DatasetPosition position_;
  std::set<std::string> wanted_;  // columns
  MetadataTable table_;
  std::vector<Numbering> numberings_;  // the last is the one spoken of
};

}  // namespace personalize
