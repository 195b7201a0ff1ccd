#include "engine/training/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <new>
#include <optional>

#include "engine/dataset/split.h"
#include "engine/dataset/stoppable_source.h"
#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/recipes/popularity.h"
#include "engine/training/abandoned_versions.h"
#include "engine/training/advice.h"
#include "engine/training/estimate.h"
#include "engine/training/fit_progress.h"
#include "engine/training/insights.h"
#include "engine/training/metric_summary.h"
#include "engine/training/metrics.h"
#include "engine/training/options.h"
#include "engine/training/previous_version.h"
#include "engine/training/search.h"
#include "engine/training/training_metadata.h"
#include "engine/training/version_writer.h"

namespace personalize {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status interrupted() { return {StatusCode::kInterrupted, "training was interrupted"}; }

// A fitted model, opened.
struct OpenModel {
  std::shared_ptr<AlignedBytes> bytes;
  std::unique_ptr<Model> model;
};

Result<OpenModel> open_model(const Recipe& recipe, const BlobWriter& blob) {
  OpenModel result;
  const std::vector<std::byte> bytes = blob.finish();
  result.bytes = std::make_shared<AlignedBytes>(bytes.size());
  if (result.bytes->data() == nullptr) return Status(StatusCode::kNoMemory, "out of memory");
  std::memcpy(result.bytes->data(), bytes.data(), bytes.size());
  PERSONALIZE_ASSIGN_OR_RETURN(const BlobView view, BlobView::parse(result.bytes->bytes()));
  PERSONALIZE_ASSIGN_OR_RETURN(result.model, recipe.open(view));
  return result;
}

std::optional<int64_t> newest_timestamp(const TrainingView& data) {
  std::optional<int64_t> newest;
  for (size_t user = 0; user < data.end.size(); user++) {
    if (data.length(user) == 0) continue;
    const int64_t last = data.sequences->timestamp[static_cast<size_t>(data.end[user]) - 1];
    newest = std::max(newest.value_or(last), last);
  }
  return newest;
}

// One training, from the solution to the stored version.
class Job {
 public:
  // `previous`: the version to go on from, or null.
  Job(const SearchPlan& plan, const TrainingOptions& options, const PreviousVersion* previous,
      TrainingHost& host, VersionWriter& version)
      : plan_(plan),
        recipe_(plan.candidates.front().recipe),
        hyperparameters_(plan.candidates.front().hyperparameters),
        options_(options),
        previous_(previous),
        host_(host),
        version_(version),
        fit_seconds_(options.budget_seconds / fits()) {}

  Status run(const Solution& solution, const TrainingSources& sources) {
    PERSONALIZE_RETURN_IF_ERROR(read(solution, sources.events));
    PERSONALIZE_RETURN_IF_ERROR(read_metadata(sources));
    PERSONALIZE_RETURN_IF_ERROR(tell_insights());
    PERSONALIZE_RETURN_IF_ERROR(tell_what_is_new());
    if (options_.mode == TrainingMode::kUpdate && (solution.perform_automl || solution.perform_hpo))
      PERSONALIZE_RETURN_IF_ERROR(version_.note(
          "training_mode UPDATE does not search: it keeps to what the version before has found"));
    if (plan_.searches()) PERSONALIZE_RETURN_IF_ERROR(choose());
    std::optional<Fitted> fitted;
    TrainingView learned_from = TrainingView::everything(sequences_);
    if (options_.evaluation != Evaluation::kNone)
      PERSONALIZE_RETURN_IF_ERROR(evaluate(fitted, learned_from));
    if (!fitted) {
      PERSONALIZE_ASSIGN_OR_RETURN(
          fitted, fit(*recipe_, hyperparameters_, learned_from, options_.seed, "fit"));
    }
    return store(*fitted, learned_from);
  }

 private:
  Status log(std::string_view stage, std::string message) {
    LogRow row;
    row.stage = stage;
    row.message = std::move(message);
    return version_.log(std::move(row));
  }

  Status read(const Solution& solution, EventSource& source) {
    const Clock::time_point start = Clock::now();
    StoppableSource stoppable(source,
                              [this] { return host_.stop() ? interrupted() : Status::ok(); });
    PERSONALIZE_ASSIGN_OR_RETURN(
        sequences_, read_sequences(stoppable, solution.filter, options_.tie_order, options_.seed,
                                   learns_from_metadata()));
    VersionRecord& record = version_.record();
    record.users = static_cast<int64_t>(sequences_.user_count());
    record.items = static_cast<int64_t>(sequences_.item_count());
    record.events = static_cast<int64_t>(sequences_.event_count());
    record.tie_order = sequences_.ties_shuffled ? "shuffled" : "arrival";
    PERSONALIZE_RETURN_IF_ERROR(
        log("read",
            fmt::format("{} users, {} items, {} of {} interactions, read in {:.1f} s", record.users,
                        record.items, record.events, sequences_.rows_read, seconds_since(start))));
    return check_enough_to_train(sequences_, solution);
  }

  // Whoever trains reads the log, and may never have asked for the insights.
  Status tell_insights() {
    const auto table = [](const MetadataTable& one) {
      return one.fields().empty() ? nullptr : &one;
    };
    for (const Insight& one : data_insights(sequences_, table(metadata_.items),
                                            table(metadata_.users), std::time(nullptr)))
      PERSONALIZE_RETURN_IF_ERROR(
          version_.note(fmt::format("{}: {}", severity_name(one.severity), one.advice)));
    return Status::ok();
  }

  // Whether a recipe that it may come to does.
  bool learns_from_metadata() const {
    return std::any_of(plan_.candidates.begin(), plan_.candidates.end(),
                       [](const SearchCandidate& one) { return one.recipe->uses_metadata(); });
  }

  Status read_metadata(const TrainingSources& sources) {
    if (!learns_from_metadata()) return Status::ok();
    PERSONALIZE_ASSIGN_OR_RETURN(
        metadata_,
        read_training_metadata(sources.items, sources.users, [this] { return host_.stop(); }));
    if (plan_.candidates.size() == 1)
      PERSONALIZE_RETURN_IF_ERROR(check_metadata(*recipe_, metadata_, sequences_));
    for (const std::string& note : metadata_notes(metadata_, sequences_))
      PERSONALIZE_RETURN_IF_ERROR(version_.note(note));
    return Status::ok();
  }

  Status tell_what_is_new() {
    if (previous_ == nullptr) {
      if (options_.mode != TrainingMode::kUpdate) return Status::ok();
      return version_.note(
          fmt::format("{} counts all interactions anew in a moment: its UPDATE is a FULL training",
                      recipe_->name()));
    }
    const TrainingView all = TrainingView::everything(sequences_);
    const std::vector<int64_t> first = first_events_after(all, *previous_->record.newest_event);
    int64_t events = 0;
    int64_t users = 0;
    for (size_t user = 0; user < first.size(); user++) {
      events += all.end[user] - first[user];
      users += first[user] < all.end[user] ? 1 : 0;
    }
    int64_t items = 0;
    for (size_t i = 0; i < sequences_.item_count(); i++)
      items +=
          previous_->vocabulary.find(sequences_.items.id(static_cast<ItemIndex>(i))) == kNoItem;
    return version_.note(fmt::format(
        "goes on from {}, which learned up to timestamp {}: {} later interactions of {} users, {} "
        "items it does not know",
        previous_->record.name(), *previous_->record.newest_event, events, users, items));
  }

  // Of an UPDATE only what the version before has not learned may be withheld and asked.
  Split make_split(uint64_t seed) const {
    const Split split = split_everything(seed);
    return previous_ == nullptr ? split : only_events_after(split, *previous_->record.newest_event);
  }

  Split split_everything(uint64_t seed) const {
    switch (options_.evaluation) {
      case Evaluation::kLeaveOneOut:
        return leave_one_out_split(sequences_);
      case Evaluation::kLeaveLastTwoOut:
        return leave_last_two_out_split(sequences_);
      case Evaluation::kTemporalHoldout:
        return temporal_holdout_split(sequences_);
      default:
        return amazon_split(sequences_, seed);
    }
  }

  // Fits of the evaluation and the final one.
  int fits() const {
    const int evaluations = options_.evaluation == Evaluation::kNone ? 0 : options_.seeds;
    return std::max(1, evaluations + (options_.final_fit ? 1 : 0));
  }

  // What no seed's evaluation withholds.
  TrainingView never_withheld() const {
    TrainingView view = TrainingView::everything(sequences_);
    if (options_.evaluation == Evaluation::kNone) return view;
    for (int i = 0; i < options_.seeds; i++) {
      const Split split = make_split(options_.seed + static_cast<uint64_t>(i));
      for (size_t user = 0; user < view.end.size(); user++)
        view.end[user] = std::min(view.end[user], split.training.end[user]);
    }
    return view;
  }

  // Fits and measures for a search.
  class Trials : public TrialHost {
   public:
    Trials(Job& job, const Split& split) : job_(job), split_(split) {}
    Result<TrialOutcome> run(const Recipe& recipe, const Hyperparameters& hyperparameters,
                             double budget_seconds) override {
      const Clock::time_point start = Clock::now();
      job_.fit_seconds_ = budget_seconds;
      PERSONALIZE_ASSIGN_OR_RETURN(Fitted fitted, job_.fit(recipe, hyperparameters, split_.training,
                                                           job_.options_.seed, kSearchStage));
      PERSONALIZE_ASSIGN_OR_RETURN(const Measurement measured,
                                   job_.measure_fitted(recipe, fitted, split_));
      return TrialOutcome{metric_rows(split_, measured), std::move(fitted.hyperparameters),
                          seconds_since(start)};
    }
    Status log(std::string_view stage, std::string message) override {
      return job_.log(stage, std::move(message));
    }

   private:
    Job& job_;
    const Split& split_;
  };

  // Chooses the recipe and the hyperparameters.
  Status choose() {
    const bool last_only = options_.evaluation == Evaluation::kLeaveOneOut ||
                           options_.evaluation == Evaluation::kLeaveLastTwoOut;
    const Split split =
        validation_split(never_withheld(), last_only, kMostValidationUsers, options_.seed);
    if (split.test_users.empty())
      return version_.note(fmt::format(
          "there is no search: nobody has enough interactions to withhold some for validation; {} "
          "has its own hyperparameters",
          recipe_->name()));
    Trials trials(*this, split);
    PERSONALIZE_ASSIGN_OR_RETURN(
        SearchResult found,
        search(plan_, options_.seed, {options_.budget_seconds, fits()}, trials));
    recipe_ = found.recipe;
    hyperparameters_ = std::move(found.hyperparameters);
    version_.record().tuned = std::move(found.tuned);
    fit_seconds_ = found.fit_seconds;
    return Status::ok();
  }

  Result<Fitted> fit(const Recipe& recipe, const Hyperparameters& hyperparameters,
                     const TrainingView& data, uint64_t seed, std::string_view stage) {
    if (host_.stop()) return interrupted();
    FitProgress progress(version_, host_, stage);
    FitOptions fit_options;
    fit_options.seed = seed;
    fit_options.threads = options_.threads;
    fit_options.budget_seconds = fit_seconds_;
    if (recipe.uses_metadata()) {
      PERSONALIZE_RETURN_IF_ERROR(check_metadata(recipe, metadata_, sequences_));
      fit_options.metadata = &metadata_;
    }
    PreviousModel previous;
    if (&recipe == recipe_ && previous_ != nullptr) {
      previous = previous_->model();
      fit_options.previous = &previous;
    }
    auto fitted = recipe.fit(data, hyperparameters, fit_options, progress);
    if (!progress.status().is_ok()) return progress.status();
    if (!fitted.is_ok() && fitted.status().code() == StatusCode::kInterrupted) return interrupted();
    return fitted;
  }

  Result<Measurement> measure_fitted(const Recipe& recipe, const Fitted& fitted,
                                     const Split& split) {
    PERSONALIZE_ASSIGN_OR_RETURN(const OpenModel opened, open_model(recipe, fitted.blob));
    auto measured = measure_users(
        *opened.model, split, thread_count(options_.threads), [this] { return host_.stop(); },
        &metadata_.users);
    if (!measured.is_ok() && measured.status().code() == StatusCode::kInterrupted)
      return interrupted();
    return measured;
  }

  // Another recipe with its defaults, on the same splits, without a word in the log.
  struct Rival {
    std::string_view recipe;
    std::optional<double> MetricRow::*column;
    std::vector<double> sums = {};  // of the rows' values; empty if it can make nothing of the data
  };

  Status measure_rival(Rival& rival, const Split& split, uint64_t seed) {
    PERSONALIZE_ASSIGN_OR_RETURN(const Recipe* recipe, find_recipe(rival.recipe));
    PERSONALIZE_ASSIGN_OR_RETURN(const Hyperparameters defaults,
                                 Hyperparameters::parse("", recipe->hyperparameters()));
    auto fitted = fit(*recipe, defaults, split.training, seed, "");
    if (!fitted.is_ok()) {
      rival.sums.clear();
      return fitted.status().code() == StatusCode::kInvalidInput ? Status::ok() : fitted.status();
    }
    PERSONALIZE_ASSIGN_OR_RETURN(const Measurement measured,
                                 measure_fitted(*recipe, *fitted, split));
    const std::vector<MetricRow> rows = metric_rows(split, measured);
    if (seed == options_.seed) rival.sums.resize(rows.size());
    for (size_t i = 0; i < rival.sums.size(); i++) rival.sums[i] += rows[i].value;
    return Status::ok();
  }

  // Fits and measures once for each seed, and fills metrics_. Without a final fit
  // `fitted` and `learned_from` become the first seed's. Where so little is left to learn from that
  // no model is possible, there are no metrics.
  Status evaluate(std::optional<Fitted>& fitted, TrainingView& learned_from) {
    const Clock::time_point start = Clock::now();
    MetricSummary summary;
    size_t test_users = 0;
    Rival rivals[] = {{"popularity-count", &MetricRow::baseline}, {"markov", &MetricRow::markov}};
    for (int i = 0; i < options_.seeds; i++) {
      const uint64_t seed = options_.seed + static_cast<uint64_t>(i);
      const Split split = make_split(seed);
      if (split.test_users.empty()) {
        return version_.note(
            previous_ != nullptr
                ? fmt::format("no metrics: {} has learned whatever could be withheld",
                              previous_->record.name())
                : "no metrics: nobody has enough interactions to withhold some and learn from the "
                  "others");
      }
      auto trained = fit(*recipe_, hyperparameters_, split.training, seed, "evaluate");
      if (!trained.is_ok()) {
        if (trained.status().code() != StatusCode::kInvalidInput) return trained.status();
        return version_.note(fmt::format("no metrics: {}", trained.status().message()));
      }
      PERSONALIZE_ASSIGN_OR_RETURN(const Measurement measured,
                                   measure_fitted(*recipe_, *trained, split));
      summary.add(split, measured);
      test_users = split.test_users.size();
      for (Rival& rival : rivals) PERSONALIZE_RETURN_IF_ERROR(measure_rival(rival, split, seed));
      if (options_.seeds > 1) {
        PERSONALIZE_RETURN_IF_ERROR(log(
            "evaluate", fmt::format("seed {}: {}", seed,
                                    evaluation_summary(metric_rows(split, measured), test_users))));
      }
      if (options_.final_fit || i > 0) continue;
      fitted = *std::move(trained);
      learned_from = split.training;
    }
    metrics_ = summary.rows();
    for (const Rival& rival : rivals)
      for (size_t row = 0; row < rival.sums.size(); row++)
        metrics_[row].*rival.column = rival.sums[row] / options_.seeds;
    const std::string seeds =
        options_.seeds > 1 ? fmt::format("mean of {} seeds; ", options_.seeds) : "";
    return log("evaluate",
               fmt::format("{}{}; in {:.1f} s", seeds, evaluation_summary(metrics_, test_users),
                           seconds_since(start)));
  }

  Status store(Fitted& fitted, const TrainingView& learned_from) {
    if (host_.stop()) return interrupted();
    fitted.blob.add("popularity", distinct_users(learned_from));
    sequences_.items.write(fitted.blob);
    PERSONALIZE_ASSIGN_OR_RETURN(const OpenModel opened, open_model(*recipe_, fitted.blob));
    version_.record().recipe = recipe_->name();
    version_.record().newest_event = newest_timestamp(learned_from);
    fitted.blob = BlobWriter();  // once more the model's memory
    const auto& values = fitted.hyperparameters.values();
    version_.record().hyperparameters = {values.begin(), values.end()};
    return version_.finish(opened.bytes->bytes(), metrics_);
  }

  const SearchPlan& plan_;
  const Recipe* recipe_;
  Hyperparameters hyperparameters_;
  const TrainingOptions& options_;
  const PreviousVersion* previous_;
  TrainingHost& host_;
  VersionWriter& version_;
  double fit_seconds_;  // of the budget, for the next fit; 0: no limit
  Sequences sequences_;
  Metadata metadata_;  // nothing, unless the recipe uses it
  std::vector<MetricRow> metrics_;
};

// Without a recipe and hyperparameters where these are yet to be chosen among several recipes.
VersionRecord draft_of(const Solution& solution, const TrainingOptions& options,
                       const SearchPlan& plan, bool updates) {
  VersionRecord draft;
  draft.solution = solution.name;
  draft.dataset_group = solution.dataset_group;
  if (plan.candidates.size() == 1) {
    const SearchCandidate& only = plan.candidates.front();
    draft.recipe = only.recipe->name();
    draft.hyperparameters = {only.hyperparameters.values().begin(),
                             only.hyperparameters.values().end()};
  }
  draft.training_mode = updates ? "UPDATE" : "FULL";
  draft.seed = options.seed;
  draft.seeds = options.evaluation == Evaluation::kNone ? 0 : options.seeds;
  draft.evaluation = evaluation_name(options.evaluation);
  draft.event_type = solution.filter.event_type;
  if (solution.filter.has_threshold)
    draft.event_value_threshold = solution.filter.event_value_threshold;
  draft.build = fmt::format("{} {}", PERSONALIZE_VERSION, kernels().isa);
  return draft;
}

}  // namespace

Result<VersionRecord> train(const Solution& solution, const TrainingOptions& options,
                            const TrainingSources& sources, ModelStore& store, TrainingHost& host) {
  PERSONALIZE_ASSIGN_OR_RETURN(SearchPlan plan, search_plan(solution));
  PERSONALIZE_RETURN_IF_ERROR(fail_abandoned_versions(store));
  Settings tuned;
  std::optional<PreviousVersion> previous;
  if (options.mode == TrainingMode::kUpdate) {
    if (plan.searches()) {
      PERSONALIZE_ASSIGN_OR_RETURN(tuned, go_on_with_choice(store, solution, plan));
    }
    SearchCandidate& only = plan.candidates.front();
    if (!only.recipe->update_needs_same().empty()) {
      PERSONALIZE_ASSIGN_OR_RETURN(
          previous, find_previous_version(store, solution, *only.recipe, only.hyperparameters));
      only.hyperparameters = previous->shaped(std::move(only.hyperparameters), *only.recipe);
    }
  }
  PERSONALIZE_RETURN_IF_ERROR(
      check_training_memory(solution, options, sources, [&host] { return host.stop(); }));
  VersionRecord draft = draft_of(solution, options, plan, previous.has_value());
  draft.tuned = std::move(tuned);
  PERSONALIZE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionWriter> version,
                               VersionWriter::begin(store, host, std::move(draft)));
  Status status;
  try {
    status =
        Job(plan, options, previous ? &*previous : nullptr, host, *version).run(solution, sources);
  } catch (const std::bad_alloc&) {
    status = {StatusCode::kNoMemory, "out of memory"};
  } catch (const std::exception& unexpected) {
    status = {StatusCode::kInternal, unexpected.what()};
  }
  if (!status.is_ok()) {
    version->fail(status.message());
    return status;
  }
  return version->record();
}

}  // namespace personalize
