// The stored side of one training: its version record, log and metrics, from CREATE IN_PROGRESS to
// ACTIVE or CREATE FAILED.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "engine/store/model_store.h"
#include "engine/store/records.h"
#include "engine/training/job.h"

namespace personalize {

// Used from one thread. If neither finish() nor fail() was called, the version stays IN_PROGRESS
// and fail_abandoned_versions() will find it.
class VersionWriter {
 public:
  // Gives the solution of `draft` its next version number (larger than any it ever had, deleted
  // ones too, and different from what another process gets at the same time) and stores the record
  // as IN_PROGRESS. `store` and `host` must outlive the writer.
  static Result<std::unique_ptr<VersionWriter>> begin(ModelStore& store, TrainingHost& host,
                                                      VersionRecord draft);
  ~VersionWriter();
  VersionWriter(const VersionWriter&) = delete;
  VersionWriter& operator=(const VersionWriter&) = delete;

  // To be filled in as things become known; stored by finish() and fail().
  VersionRecord& record() { return record_; }

  // Shows `row` to the host and commits it, together with rows that came too quickly after one
  // another to be worth a commit each. Sets the row's sequence and time.
  Status log(LogRow row);
  Status note(std::string_view text);

  // Stores the model, the metrics, the rest of the log and the record as ACTIVE, in one
  // transaction. kNotFound if somebody has deleted the version meanwhile.
  Status finish(std::span<const std::byte> model, const std::vector<MetricRow>& metrics);

  // Marks the version CREATE FAILED with `reason`, as well as the store allows.
  void fail(std::string_view reason);

 private:
  VersionWriter(ModelStore& store, TrainingHost& host, VersionRecord record);
  void show(LogRow& row);
  Status write_pending(StoreWriter& writer) const;

  ModelStore& store_;
  TrainingHost& host_;
  VersionRecord record_;
  std::string key_;
  int64_t next_sequence_ = 0;
  std::vector<LogRow> pending_;
  std::chrono::steady_clock::time_point began_, last_commit_;
};

}  // namespace personalize
