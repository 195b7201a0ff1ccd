// One training: a solution and the events of its group become a solution version.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/dataset/sequences.h"
#include "engine/dataset/sources.h"
#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/store/model_store.h"
#include "engine/store/records.h"

namespace personalize {

enum class TrainingMode { kFull, kUpdate };

// How a version is measured before its final fit.
enum class Evaluation {
  kAmazon,  // a tenth of the users are test users; their newest tenth of events (at least one) is
            // withheld
  kLeaveOneOut,      // every user's last event (of users with 3 or more)
  kLeaveLastTwoOut,  // the same, learning without the event before it, which is known when asked
  kTemporalHoldout,  // every user's newest tenth
  kNone,
};

// The second argument of personalize_train, as JSON: seed, seeds, training_mode, evaluation
// ("amazon", "leave-one-out", "leave-last-two-out", "temporal-holdout", "none"), final_fit,
// budget_seconds, threads, tie_order.
struct TrainingOptions {
  uint64_t seed = 1;
  // Evaluation fits, with seed, seed + 1, ...; Amazon's split is drawn anew with each.
  int seeds = 1;
  TrainingMode mode = TrainingMode::kFull;
  Evaluation evaluation = Evaluation::kAmazon;
  // Whether the stored model learns from the withheld events too (after it was measured without
  // them).
  bool final_fit = true;
  // For fitting; each of the evaluation's fits and the final one may use an equal part. 0: none.
  double budget_seconds = 0;
  int threads = 0;  // 0: one a core, at most 16
  TieOrder tie_order = TieOrder::kAuto;
  // Bytes that a training may take (the setting max_training_memory; not in the JSON). 0: no limit.
  uint64_t max_memory = 0;

  // Errors: kInvalidInput naming the unknown key (and the known ones), or the key, its value and
  // what would be right.
  static Result<TrainingOptions> parse(std::string_view json);
};

// What is trained: a row of personalize_solutions.
struct Solution {
  std::string name;
  std::string dataset_group = "default";
  std::string recipe;  // as declared; Amazon's names are understood; empty with perform_automl
  std::string hyperparameters;         // JSON object or empty
  std::string feature_transformation;  // JSON object or empty: the percentile hyperparameters, as
                                       // Amazon's featureTransformationParameters
  EventFilter filter;
  bool perform_automl = false;  // the best of several recipes is to be found
  bool perform_hpo = false;     // the best hyperparameters are to be found
  std::string hpo_config;       // JSON object or empty; read with one of these only
};

// Errors: kNotFound or kInvalidInput if this solution could never be trained: an unknown recipe,
// hyperparameters out of range, an hpo_config that asks for what there is not. What
// personalize_solutions checks when a row is inserted.
Status check_solution(const Solution& solution);

// What a training reads.
struct TrainingSources {
  // Without metadata: a group with interactions alone.
  TrainingSources(EventSource& events) : events(events) {}  // NOLINT(google-explicit-constructor)
  TrainingSources(EventSource& events, MetadataSource* items, MetadataSource* users)
      : events(events), items(items), users(users) {}
  EventSource& events;
  // Null: the group has no such dataset. Read for recipes that use metadata only.
  MetadataSource* items = nullptr;
  MetadataSource* users = nullptr;
};

// How a training talks to its host. Called on the thread that called train() only.
class TrainingHost {
 public:
  virtual ~TrainingHost() = default;
  // True when the training is to end. Cheap; asked at least every 50 ms.
  virtual bool stop() = 0;
  // What is also stored in the training log, for a progress line on a terminal.
  virtual void row(std::string_view version, const LogRow& row) = 0;
};

// Reads each of `sources` in one scan, then leaves it alone; chooses recipe and hyperparameters
// where the solution asks for that (search.h; on a validation split of what the evaluation never
// withholds); evaluates, fits, and stores version 'solution/N' with its metrics and log. N is
// larger than any number the solution's versions ever had. The metrics (metric_summary.h) are those
// of fits on a split's training part, beside them popularity-count's (baseline) and the recipe
// markov's with its defaults on the same split; of a related-items recipe they are those of the
// scores it gives users (sims.h). A solution that could never be trained (check_solution), an
// UPDATE with nothing to go on from (find_previous_version), and one that would take more than
// options.max_memory (check_training_memory) are refused before there is a version. An UPDATE goes
// on from the newest ACTIVE version, is measured on events that one has not learned, keeps to the
// recipe and hyperparameters that a search had found for it, and is a FULL training if the recipe
// takes a moment anyway (Recipe::update_needs_same). Log rows are committed while it runs, so that
// other processes can watch. On failure or stop the version is left marked CREATE FAILED with its
// reason, and the Status says the same; kInterrupted within 200 ms of host.stop(). Too few events
// for any model: kInvalidInput with what there is and what is needed; fewer than Amazon's floor (25
// users with 2 events, 1,000 events): trains, and leaves advice in the log.
Result<VersionRecord> train(const Solution& solution, const TrainingOptions& options,
                            const TrainingSources& sources, ModelStore& store, TrainingHost& host);

}  // namespace personalize
