#include "engine/training/previous_version.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/store/versions.h"

namespace personalize {
namespace {

Status differs(const VersionRecord& record, std::string_view what) {
  return {
      StatusCode::kInvalidInput,
      fmt::format("training_mode UPDATE goes on from version '{}', {}; train with training_mode "
                  "FULL",
                  record.name(), what)};
}

Status check_fits(const VersionRecord& record, const Solution& solution, const Recipe& recipe,
                  const Hyperparameters& hyperparameters) {
  if (record.recipe != recipe.name()) {
    return differs(record,
                   fmt::format("which is of the recipe {}, not {}", record.recipe, recipe.name()));
  }
  const EventFilter& filter = solution.filter;
  const bool same_threshold = record.event_value_threshold.has_value() == filter.has_threshold &&
                              record.event_value_threshold.value_or(0) ==
                                  (filter.has_threshold ? filter.event_value_threshold : 0);
  if (record.event_type != filter.event_type || !same_threshold) {
    return differs(record,
                   "which learned from interactions of another event_type or "
                   "event_value_threshold");
  }
  for (const std::string_view name : recipe.update_needs_same()) {
    const auto found = record.hyperparameters.find(std::string(name));
    const std::string before = found == record.hyperparameters.end() ? "unknown" : found->second;
    if (!hyperparameters.is_auto(name) && before != hyperparameters.text(name)) {
      return differs(
          record, fmt::format("whose {} is {}, not {}", name, before, hyperparameters.text(name)));
    }
  }
  if (!record.newest_event)
    return differs(record, "which does not know up to when it learned: an earlier build made it");
  return Status::ok();
}

Result<VersionRecord> newest_one(ModelStore& store, const Solution& solution) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::optional<VersionRecord> latest,
                               latest_version(store, solution.name));
  if (latest) return *std::move(latest);
  return Status(StatusCode::kNotFound,
                fmt::format("training_mode UPDATE goes on from the last version, and solution "
                            "'{}' has no ACTIVE one; train with training_mode FULL first",
                            solution.name));
}

}  // namespace

Hyperparameters PreviousVersion::shaped(Hyperparameters hyperparameters,
                                        const Recipe& recipe) const {
  for (const std::string_view name : recipe.update_needs_same()) {
    const auto found = record.hyperparameters.find(std::string(name));
    if (!hyperparameters.is_auto(name) || found == record.hyperparameters.end()) continue;
    const std::string& text = found->second;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size())
      hyperparameters.resolve(name, value);
  }
  return hyperparameters;
}

Result<PreviousVersion> find_previous_version(ModelStore& store, const Solution& solution,
                                              const Recipe& recipe,
                                              const Hyperparameters& hyperparameters) {
  PreviousVersion previous;
  PERSONALIZE_ASSIGN_OR_RETURN(previous.record, newest_one(store, solution));
  PERSONALIZE_RETURN_IF_ERROR(check_fits(previous.record, solution, recipe, hyperparameters));
  PERSONALIZE_ASSIGN_OR_RETURN(
      previous.bytes,
      store.get_aligned(StoreKind::kModel, version_key(solution.name, previous.record.number)));
  PERSONALIZE_ASSIGN_OR_RETURN(previous.blob, BlobView::parse(previous.bytes->bytes()));
  PERSONALIZE_ASSIGN_OR_RETURN(previous.vocabulary, Vocabulary::open(previous.blob));
  return previous;
}

Result<Settings> go_on_with_choice(ModelStore& store, const Solution& solution, SearchPlan& plan) {
  PERSONALIZE_ASSIGN_OR_RETURN(const VersionRecord record, newest_one(store, solution));
  for (SearchCandidate& candidate : plan.candidates) {
    if (candidate.recipe->name() != record.recipe) continue;
    for (const auto& [name, text] : record.tuned)
      if (candidate.hyperparameters.values().contains(name))  // of another build it may be unknown
        candidate.hyperparameters.resolve(name, text);
    plan.candidates = {SearchCandidate(std::move(candidate))};
    plan.jobs = 1;
    return record.tuned;
  }
  return differs(record, fmt::format("which is of the recipe {}, which the solution does not try",
                                     record.recipe));
}

}  // namespace personalize
