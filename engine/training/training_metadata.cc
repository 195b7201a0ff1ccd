#include "engine/training/training_metadata.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace personalize {
namespace {

// Ends a scan when it is to stop.
class StoppableRows : public MetadataSink {
 public:
  StoppableRows(MetadataTable& table, const std::function<bool()>& stop)
      : table_(table), stop_(stop) {}
  Status row(std::string_view id, std::span<const FieldValue> values) override {
    if (stop_()) return {StatusCode::kInterrupted, "training was interrupted"};
    table_.add(id, values);
    return Status::ok();
  }

 private:
  MetadataTable& table_;
  const std::function<bool()>& stop_;
};

Result<MetadataTable> read_table(MetadataSource* source, const std::function<bool()>& stop) {
  if (source == nullptr) return MetadataTable();
  MetadataTable table(source->fields());
  StoppableRows rows(table, stop);
  PERSONALIZE_RETURN_IF_ERROR(source->scan(rows));
  return table;
}

// `found` of the `count` items or users with interactions have a row.
void add_notes(std::string_view what, const MetadataTable& table, size_t found, size_t count,
               std::vector<std::string>& notes) {
  if (table.fields().empty()) return;
  notes.push_back(fmt::format("{}: {} fields, {} rows, {} of {} {} with interactions have one",
                              what, table.fields().size(), table.size(), found, count, what));
}

}  // namespace

Result<Metadata> read_training_metadata(MetadataSource* items, MetadataSource* users,
                                        const std::function<bool()>& stop) {
  Metadata metadata;
  PERSONALIZE_ASSIGN_OR_RETURN(metadata.items, read_table(items, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(metadata.users, read_table(users, stop));
  return metadata;
}

Status check_metadata(const Recipe& recipe, const Metadata& metadata, const Sequences& sequences) {
  constexpr std::string_view kItems =
      "CREATE VIRTUAL TABLE items USING personalize_items(GENRES string categorical, PRICE float)";
  if (!metadata.items.fields().empty()) return Status::ok();
  if (recipe.name() == "hrnn-coldstart")
    return {StatusCode::kInvalidInput,
            fmt::format("hrnn-coldstart knows new items by their metadata, and the dataset group "
                        "has no items with fields that are categorical, textual, numbers or "
                        "booleans; {}",
                        kItems)};
  if (recipe.name() == "hrnn-metadata" && metadata.users.fields().empty() &&
      sequences.contexts.fields().empty())
    return {StatusCode::kInvalidInput,
            fmt::format("hrnn-metadata learns from metadata, and the dataset group has none: no "
                        "items, users or interactions with fields that are categorical, textual, "
                        "numbers or booleans; {}, or use the recipe hrnn",
                        kItems)};
  return Status::ok();
}

std::vector<std::string> metadata_notes(const Metadata& metadata, const Sequences& sequences) {
  size_t items = 0;
  for (size_t item = 0; item < sequences.item_count(); ++item)
    items += metadata.items.find(sequences.items.id(static_cast<ItemIndex>(item))) != kNoItem;
  size_t users = 0;
  for (const std::string& user : sequences.users) users += metadata.users.find(user) != kNoItem;
  std::vector<std::string> notes;
  add_notes("items", metadata.items, items, sequences.item_count(), notes);
  add_notes("users", metadata.users, users, sequences.user_count(), notes);
  if (!sequences.contexts.fields().empty())
    notes.push_back(fmt::format("interactions: {} contextual columns, {} different contexts",
                                sequences.contexts.fields().size(), sequences.contexts.size()));
  return notes;
}

}  // namespace personalize
