// The contextual columns of an interactions dataset, read beside its events.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/sources.h"
#include "extension/dataset_config.h"
#include "extension/metadata_value.h"
#include "extension/sqlite_api.h"
#include "extension/text_numbers.h"

namespace personalize {

// Behind EventSource::context_fields, read_context and context_text. Costs nothing while it is not
// wanted.
class ContextColumns {
 public:
  explicit ContextColumns(const DatasetConfig& config);

  std::span<const MetadataField> fields() const { return fields_; }
  void want(bool wanted) { wanted_ = wanted; }
  bool wanted() const { return wanted_ && !columns_.empty(); }
  // ", <column>, <column>" for a SELECT, or nothing if they are not wanted: columns of the business
  // table of a dataset with content=, else those of the event table's alias e.
  std::string select_list() const;

  // Before the events of a user, or of a page of them, are read.
  void clear() { numbers_.clear(); }
  // After an event was read: keeps its context, which `values` begin with.
  void read(std::span<sqlite3_value*> values);
  // Gives the events read since clear(), in that order, their contexts, which live until the next
  // clear() or read().
  template <typename Events, typename EventOf>
  void attach(Events& events, const EventOf& event_of) const {
    if (!wanted()) return;
    for (size_t i = 0; i < events.size(); ++i)
      event_of(events[i]).context = numbers_.data() + i * fields_.size();
  }

  Result<std::string_view> text(size_t field, double number) const;

 private:
  const bool is_content_;
  const std::vector<MetadataColumn> columns_;
  std::vector<MetadataField> fields_;
  std::vector<TextNumbers> texts_;  // one a field
  std::vector<double> numbers_;     // events x fields
  std::string storage_;
  bool wanted_ = false;
};

}  // namespace personalize
