#include "extension/version_shelf.h"

#include <algorithm>

namespace personalize {

Status VersionShelf::refresh(Connection& connection) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Stores* stores,
                               open_stores(connection, schema_, OpenMode::kReadWrite));
  PERSONALIZE_ASSIGN_OR_RETURN(const uint64_t transaction, stores->models->last_transaction());
  if (stores->models != stores_.models || transaction != transaction_) {
    versions_.reset();
    models_.clear();
  }
  stores_ = *stores;
  transaction_ = transaction;
  return Status::ok();
}

Result<const std::vector<VersionRecord>*> VersionShelf::versions() {
  if (!versions_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const auto stored, stores_.models->list(StoreKind::kVersion, ""));
    std::vector<VersionRecord> versions;
    for (const auto& [key, json] : stored) {
      PERSONALIZE_ASSIGN_OR_RETURN(VersionRecord record, decode_version(json));
      versions.push_back(std::move(record));
    }
    versions_ = std::move(versions);
  }
  return &*versions_;
}

Result<std::optional<int>> VersionShelf::latest(std::string_view solution) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord>* all, versions());
  std::optional<int> latest;
  for (const VersionRecord& record : *all)
    if (record.solution == solution && record.status == kVersionActive)
      latest = std::max(record.number, latest.value_or(0));
  return latest;
}

Result<std::shared_ptr<const LoadedModel>> VersionShelf::load(std::string_view solution,
                                                              int number) {
  const std::string name = std::string(solution) + "/" + std::to_string(number);
  if (const auto found = models_.find(name); found != models_.end()) return found->second;
  PERSONALIZE_ASSIGN_OR_RETURN(std::shared_ptr<const LoadedModel> model,
                               load_model(*stores_.models, solution, number));
  models_[name] = model;
  return model;
}

}  // namespace personalize
