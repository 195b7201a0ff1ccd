// What a fit tells of itself, as rows of the training log.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "engine/recipes/recipe.h"
#include "engine/status.h"
#include "engine/training/job.h"
#include "engine/training/version_writer.h"

namespace personalize {

// Of the log's rows while trials are fitted. Only their epochs are shown: what a trial's fit has to
// say is no news of the version.
inline constexpr std::string_view kSearchStage = "search";

// `version` and `host` must outlive it. Nothing is written if `stage` is empty.
class FitProgress : public Progress {
 public:
  FitProgress(VersionWriter& version, TrainingHost& host, std::string_view stage)
      : version_(version), host_(host), stage_(stage) {}

  bool stop() override { return !status_.is_ok() || host_.stop(); }
  void epoch(const EpochRow& epoch) override {
    if (stage_.empty()) return;
    LogRow row;
    row.stage = stage_;
    row.epoch = epoch.epoch;
    row.epochs = epoch.epochs;
    row.loss = epoch.loss;
    row.events_per_second = epoch.events_per_second;
    keep(version_.log(std::move(row)));
  }
  void note(std::string_view text) override {
    if (!stage_.empty() && stage_ != kSearchStage) keep(version_.note(text));
  }

  // OK, or why the log could not be written: the fit was then stopped for it.
  const Status& status() const { return status_; }

 private:
  void keep(Status status) {
    if (status_.is_ok()) status_ = std::move(status);
  }
  VersionWriter& version_;
  TrainingHost& host_;
  std::string stage_;
  Status status_;
};

}  // namespace personalize
