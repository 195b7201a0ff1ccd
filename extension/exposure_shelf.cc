#include "extension/exposure_shelf.h"

namespace personalize {
namespace {

// So many are looked up one by one, at 3 us each.
constexpr size_t kFewItems = 100;

}  // namespace

Status ExposureShelf::open(Connection& connection, const Responder& responder, Entry& entry) {
  const uint64_t catalog_changes = connection.catalog_changes();
  if (entry.opened && entry.catalog_changes == catalog_changes) return Status::ok();
  entry = Entry();
  PERSONALIZE_ASSIGN_OR_RETURN(
      entry.reader,
      open_exposure_reader(connection, responder.schema, responder.model->record.dataset_group));
  entry.opened = true;
  entry.catalog_changes = catalog_changes;
  return Status::ok();
}

Status ExposureShelf::count(Connection& connection, const Responder& responder,
                            const UnseenTable* unseen, std::span<NewItem> items) {
  Entry& entry = entries_[{responder.schema, responder.model->record.dataset_group}];
  PERSONALIZE_RETURN_IF_ERROR(open(connection, responder, entry));
  if (entry.reader == nullptr) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const uint64_t generation, entry.reader->generation());
  if (generation != entry.generation) {
    if (items.size() <= kFewItems) {
      for (NewItem& item : items) {
        PERSONALIZE_ASSIGN_OR_RETURN(
            const int64_t shown,
            entry.reader->shown(item_id_of(*responder.model, unseen, item.item)));
        item.impressions = static_cast<double>(shown);
      }
      return Status::ok();
    }
    entry.generation = 0;
    entry.shown.clear();
    PERSONALIZE_RETURN_IF_ERROR(entry.reader->scan([&](std::string_view id, int64_t shown) {
      entry.shown[exploration_hash(id)] = static_cast<double>(shown);
    }));
    entry.generation = generation;
  }
  if (entry.shown.empty()) return Status::ok();
  for (NewItem& item : items)
    if (const auto found = entry.shown.find(item.hash); found != entry.shown.end())
      item.impressions = found->second;
  return Status::ok();
}

}  // namespace personalize
