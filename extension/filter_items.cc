#include "extension/filter_items.h"

#include <algorithm>

#include "extension/column_types.h"
#include "extension/metadata_reader.h"
#include "extension/metadata_value.h"

namespace personalize {
namespace {

// More than an application has models in use.
constexpr size_t kMostNumberings = 8;
// A set takes a bit an item.
constexpr size_t kMostSets = 64;

}  // namespace

Status FilterItems::refresh(Connection& connection, const DatasetStamp& now,
                            const FilterExpression& needed) {
  const size_t wanted = wanted_.size();
  for (const FilterClause& clause : needed.clauses)
    for (const auto& group : clause.any_of)
      for (const FilterCondition& condition : group)
        if (condition.field.dataset == FilterDataset::kItems)
          wanted_.insert(upper_case(condition.field.name));
  const bool more = wanted_.size() > wanted;
  // What fails below leaves a table without the new columns.
  if (more) read_ = false;
  if (!watched_) {
    PERSONALIZE_ASSIGN_OR_RETURN(watch_, DatasetWatch::make(connection, dataset_));
    watched_ = true;
  }
  // ROLLBACK TO takes rows of a business table back without a word to us.
  const bool certain = !watch_.is_content() || !now.writing;
  if (read_ && certain && now == stamp_) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const DatasetPosition position, watch_.position(connection));
  const bool changed =
      watch_.is_content() || now.rollbacks != stamp_.rollbacks || position != position_;
  if (!read_ || changed) {
    read_ = false;
    PERSONALIZE_RETURN_IF_ERROR(read(connection));
    read_ = true;
  }
  stamp_ = now;
  position_ = position;
  return Status::ok();
}

Status FilterItems::read(Connection& connection) {
  std::vector<MetadataColumn> columns;
  for (MetadataColumn& column : filter_columns(dataset_.config))
    if (wanted_.contains(column.column.name)) columns.push_back(std::move(column));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<MetadataSource> source,
                               open_metadata_source(connection, dataset_, std::move(columns)));
  numberings_.clear();
  PERSONALIZE_ASSIGN_OR_RETURN(table_, read_metadata(*source));
  return Status::ok();
}

void FilterItems::number_by(std::shared_ptr<const LoadedModel> model,
                            std::shared_ptr<const UnseenTable> unseen) {
  const auto found = std::find_if(
      numberings_.begin(), numberings_.end(),
      [&](const Numbering& one) { return one.model == model && one.unseen == unseen; });
  if (found != numberings_.end()) {
    std::rotate(found, found + 1, numberings_.end());
    return;
  }
  if (numberings_.size() >= kMostNumberings) numberings_.erase(numberings_.begin());
  Numbering numbering{std::move(model), std::move(unseen), {}, {}};
  numbering.item.reserve(table_.size());
  for (size_t row = 0; row < table_.size(); row++)
    numbering.item.push_back(find_item(*numbering.model, numbering.unseen.get(), table_.id(row)));
  numberings_.push_back(std::move(numbering));
}

Result<std::shared_ptr<const ItemSet>> FilterItems::kept(
    const std::string& key, const std::function<Result<std::shared_ptr<const ItemSet>>()>& make) {
  auto& sets = numberings_.back().sets;
  if (const auto found = sets.find(key); found != sets.end()) return found->second;
  PERSONALIZE_ASSIGN_OR_RETURN(std::shared_ptr<const ItemSet> set, make());
  if (sets.size() >= kMostSets) sets.clear();
  sets[key] = set;
  return set;
}

ItemSet FilterItems::passing(const std::function<bool(std::span<const FieldValue>)>& passes) const {
  const Numbering& numbering = numberings_.back();
  ItemSet set = ItemSet::none(item_count_of(*numbering.model, numbering.unseen.get()));
  std::vector<FieldValue> values;
  for (size_t row = 0; row < table_.size(); row++) {
    if (numbering.item[row] == kNoItem) continue;
    table_.row(row, values);
    if (passes(values)) set.add(numbering.item[row]);
  }
  return set;
}

}  // namespace personalize
