#include "engine/serving/loaded_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

namespace personalize {
namespace {

// How many models stay in memory though no connection holds them: an application that opens a
// connection for each request must not read its model anew each time.
constexpr size_t kKept = 4;

// The models of the process. A model that somebody holds is always found; of the others, the last
// few used.
class ModelCache {
 public:
  std::shared_ptr<const LoadedModel> find(const std::string& directory,
                                          const VersionRecord& record) {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.model_id != record.model_id || entry.number != record.number ||
          entry.solution != record.solution || entry.directory != directory)
        continue;
      std::shared_ptr<const LoadedModel> model = entry.model.lock();
      if (model != nullptr) keep(model);
      return model;
    }
    return nullptr;
  }

  void add(const std::string& directory, const std::shared_ptr<const LoadedModel>& model) {
    const std::lock_guard lock(mutex_);
    keep(model);
    std::erase_if(entries_, [](const Entry& entry) { return entry.model.expired(); });
    const VersionRecord& record = model->record;
    entries_.push_back({directory, record.solution, record.number, record.model_id, model});
  }

 private:
  struct Entry {
    std::string directory;
    std::string solution;
    int number;
    uint64_t model_id;
    std::weak_ptr<const LoadedModel> model;
  };
  void keep(const std::shared_ptr<const LoadedModel>& model) {
    std::erase(kept_, model);
    kept_.push_back(model);
    if (kept_.size() > kKept) kept_.erase(kept_.begin());
  }
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<const LoadedModel>> kept_;  // the last used at the end
};

ModelCache& cache() {
  static auto* cache = new ModelCache();  // lives as long as the process: hosts exit in any order
  return *cache;
}

Status damaged(const VersionRecord& record, std::string_view what) {
  return {
      StatusCode::kCorrupt,
      fmt::format("the model of version '{}' is damaged: {}; train it again", record.name(), what)};
}

Status check_popularity(std::span<const float> popularity, const VersionRecord& record) {
  const bool sound = std::all_of(popularity.begin(), popularity.end(),
                                 [](float users) { return std::isfinite(users) && users >= 0; });
  return sound ? Status::ok() : damaged(record, "a popularity is negative or no number");
}

Result<std::shared_ptr<const LoadedModel>> open_model(ModelStore& store, VersionRecord record) {
  auto loaded = std::make_shared<LoadedModel>();
  loaded->record = std::move(record);
  const VersionRecord& version = loaded->record;
  loaded->filter.event_type = version.event_type;
  loaded->filter.has_threshold = version.event_value_threshold.has_value();
  loaded->filter.event_value_threshold = version.event_value_threshold.value_or(0);
  PERSONALIZE_ASSIGN_OR_RETURN(loaded->recipe, find_recipe(version.recipe));
  PERSONALIZE_ASSIGN_OR_RETURN(
      loaded->bytes,
      store.get_aligned(StoreKind::kModel, version_key(version.solution, version.number)));
  PERSONALIZE_ASSIGN_OR_RETURN(const BlobView blob, BlobView::parse(loaded->bytes->bytes()));
  PERSONALIZE_ASSIGN_OR_RETURN(loaded->vocabulary, Vocabulary::open(blob));
  PERSONALIZE_ASSIGN_OR_RETURN(loaded->popularity,
                               blob.section<float>("popularity", loaded->vocabulary.size()));
  PERSONALIZE_RETURN_IF_ERROR(check_popularity(loaded->popularity, version));
  PERSONALIZE_ASSIGN_OR_RETURN(loaded->model, loaded->recipe->open(blob));
  if (loaded->model->item_count() != loaded->vocabulary.size())
    return damaged(version, fmt::format("it scores {} items and names {}",
                                        loaded->model->item_count(), loaded->vocabulary.size()));
  return std::shared_ptr<const LoadedModel>(std::move(loaded));
}

}  // namespace

Result<std::shared_ptr<const LoadedModel>> load_model(ModelStore& store, std::string_view solution,
                                                      int number) {
  const std::string name = fmt::format("{}/{}", solution, number);
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                               store.get(StoreKind::kVersion, version_key(solution, number)));
  if (!stored)
    return Status(StatusCode::kNotFound,
                  fmt::format("ResourceNotFoundException: version '{}' does not exist", name));
  PERSONALIZE_ASSIGN_OR_RETURN(VersionRecord record, decode_version(*stored));
  if (record.status != kVersionActive) {
    const std::string reason =
        record.failure_reason.empty() ? "" : fmt::format(" ({})", record.failure_reason);
    return Status(StatusCode::kNotFound,
                  fmt::format("ResourceNotFoundException: version '{}' is {}{}; only an ACTIVE one "
                              "can answer",
                              name, record.status, reason));
  }
  if (auto model = cache().find(store.directory(), record)) return model;
  PERSONALIZE_ASSIGN_OR_RETURN(std::shared_ptr<const LoadedModel> model,
                               open_model(store, std::move(record)));
  cache().add(store.directory(), model);
  return model;
}

}  // namespace personalize
