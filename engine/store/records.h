// What the engine keeps about a solution version besides its model: the version itself, its metrics
// and its training log. Stored as JSON values (doc/file_format.md), shown by personalize_versions,
// personalize_metrics, personalize_training_log and personalize_hyperparameters.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace personalize {

// States as Amazon Personalize names them.
inline constexpr std::string_view kVersionInProgress = "CREATE IN_PROGRESS";
inline constexpr std::string_view kVersionActive = "ACTIVE";
inline constexpr std::string_view kVersionFailed = "CREATE FAILED";

// One solution version, 'solution/number'.
struct VersionRecord {
  std::string solution;
  int number = 0;
  std::string dataset_group;
  std::string recipe;          // canonical name
  std::string status;          // one of the three above
  std::string failure_reason;  // of a failed one
  std::string training_mode = "FULL";
  int64_t created = 0, updated = 0;  // Unix seconds
  double training_seconds = 0;
  int64_t users = 0, items = 0, events = 0;  // trained with, after the filter
  std::optional<int64_t> newest_event;       // the latest timestamp learned from
  uint64_t seed = 0;
  int seeds = 1;           // evaluation fits, with seed, seed + 1, ...; 0 without an evaluation
  std::string evaluation;  // 'amazon', 'leave-one-out', ..., 'none'
  std::string event_type;  // EventFilter: '' = all
  std::optional<double> event_value_threshold;
  std::string tie_order;                               // arrival or shuffled: what was used
  std::map<std::string, std::string> hyperparameters;  // complete, "auto" resolved
  std::map<std::string, std::string> tuned;            // those of them that a search has found
  uint64_t model_bytes = 0;
  uint64_t model_id = 0;  // random; names the model's states in the state store
  int64_t process = 0;    // pid of the training process while CREATE IN_PROGRESS
  std::string build;      // version and instruction set that trained it

  std::string name() const { return solution + "/" + std::to_string(number); }
};

// One metric of a version. `k` is 0 for metrics without one (coverage, mean reciprocal rank has
// 25).
struct MetricRow {
  std::string metric;  // Amazon's key without _at_k: "precision",
                       // "normalized_discounted_cumulative_gain", ...
  int k = 0;
  double value = 0;                // mean over the users, and over the evaluation's seeds
  std::optional<double> baseline;  // popularity-count on the very same split
  std::optional<double> markov;    // a windowed Markov chain on the very same split
  std::string seen;  // "included" or "excluded": whether items of the history stay in the ranking
  std::optional<double> standard_error = {};  // of value, from the users; none for coverage
  std::optional<double> seed_deviation = {};  // of the seeds' values; none if there is one seed
};

// One line of a training log.
struct LogRow {
  int64_t sequence = 0;  // order within the version, from 0
  double time = 0;       // Unix seconds
  std::string stage;     // "read", "search", "trial", "evaluate", "fit", "store", "note", "failed"
  int epoch = 0, epochs = 0;
  std::optional<double> loss;
  std::optional<double> events_per_second;
  std::string message;
};

// Encoders give JSON text; decoders trust nothing: kCorrupt for whatever an encoder cannot have
// written.
std::string encode(const VersionRecord& record);
std::string encode(const std::vector<MetricRow>& metrics);
std::string encode(const LogRow& row);
Result<VersionRecord> decode_version(std::string_view json);
Result<std::vector<MetricRow>> decode_metrics(std::string_view json);
Result<LogRow> decode_log(std::string_view json);

}  // namespace personalize
