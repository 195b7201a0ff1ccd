#include "engine/training/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/json_text.h"

namespace personalize {
namespace {

using Json = nlohmann::json;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kEpochs = "epochs";

bool has_epochs(const Recipe& recipe) {
  return std::any_of(recipe.hyperparameters().begin(), recipe.hyperparameters().end(),
                     [](const HyperparameterSpec& spec) { return spec.name == kEpochs; });
}

// A value as JSON has it: 0.25, true, "sampled".
Json json_of(const std::string& text) {
  Json json = parse_json(text);
  return json.is_number() || json.is_boolean() ? json : Json(text);
}

Json json_of(const Settings& settings) {
  Json object = Json::object();
  for (const auto& [name, text] : settings) object[name] = json_of(text);
  return object;
}

struct Trial {
  int number = 0;
  const SearchCandidate* candidate = nullptr;
  Settings settings;  // none: the candidate's own hyperparameters
  double value = kNothing;
};

class Search {
 public:
  Search(const SearchPlan& plan, uint64_t seed, const SearchBudget& budget, TrialHost& host)
      : plan_(plan), seed_(seed), budget_(budget), host_(host) {
    const size_t fits = plan.candidates.size() + static_cast<size_t>(plan.jobs) - 1;
    one_ = budget.seconds / static_cast<double>(fits + static_cast<size_t>(budget.later_fits));
    share_ = one_ * static_cast<double>(fits);
  }

  Result<SearchResult> run() {
    best_.candidate = &plan_.candidates.front();
    for (const SearchCandidate& candidate : plan_.candidates)
      PERSONALIZE_RETURN_IF_ERROR(try_candidate(candidate));
    if (first_ && plan_.jobs > 1 && !best_.candidate->ranges.empty())
      PERSONALIZE_RETURN_IF_ERROR(tune());
    PERSONALIZE_RETURN_IF_ERROR(tell_result());
    SearchResult result;
    result.recipe = best_.candidate->recipe;
    result.hyperparameters = best_.candidate->hyperparameters;
    for (const auto& [name, text] : best_.settings) result.hyperparameters.resolve(name, text);
    result.tuned = best_.settings;
    if (budget_.seconds > 0)
      result.fit_seconds = std::max(one_, (budget_.seconds - spent_) / budget_.later_fits);
    return result;
  }

 private:
  // Where a trial stands among the rungs.
  struct Rung {
    int number = 1;
    int rungs = 1;
  };

  // Whether the search's share of the budget has this much left.
  bool has_time_for(double seconds) const { return share_ == 0 || spent_ + seconds <= share_; }

  Status log_trial(const Trial& trial, const Rung& rung, const Result<TrialOutcome>& outcome) {
    Json row = {{"trial", trial.number},
                {"recipe", trial.candidate->recipe->name()},
                {"rung", rung.number},
                {"rungs", rung.rungs},
                {"hyperparameters", json_of(trial.settings)},
                {"metric", plan_.objective.name()}};
    if (outcome.is_ok()) {
      if (has_epochs(*trial.candidate->recipe))
        row["epochs"] = outcome->hyperparameters.integer(kEpochs);
      row["value"] = trial.value;
      row["seconds"] = std::round(outcome->seconds * 1'000) / 1'000;
    } else {
      row["failed"] = outcome.status().message();
    }
    return host_.log("trial", row.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  Status try_candidate(const SearchCandidate& candidate) {
    const bool alone = plan_.candidates.size() == 1;
    if (!alone && first_ && !has_time_for(one_))
      return host_.log(
          "note", fmt::format("the budget leaves no time to try {}", candidate.recipe->name()));
    auto outcome = host_.run(*candidate.recipe, candidate.hyperparameters, one_);
    if (!outcome.is_ok()) {
      if (outcome.status().code() != StatusCode::kInvalidInput) return outcome.status();
      return host_.log("note",
                       fmt::format("{}: {}",
                                   alone ? "there is no search"
                                         : fmt::format("{} is left out", candidate.recipe->name()),
                                   outcome.status().message()));
    }
    spent_ += outcome->seconds;
    Trial trial{next_number_++, &candidate, {}, plan_.objective.of(outcome->metrics)};
    Rung rung;
    if (alone) {
      rung.rungs = rung_count(static_cast<size_t>(plan_.jobs - 1),
                              epochs_of(candidate, outcome->hyperparameters));
      rung.number = rung.rungs;
    }
    Trial shown = trial;  // with what "auto" came to
    for (const SearchRange& range : candidate.ranges)
      shown.settings[range.name] = outcome->hyperparameters.text(range.name);
    PERSONALIZE_RETURN_IF_ERROR(log_trial(shown, rung, outcome));
    if (first_ && !plan_.objective.better(trial.value, best_.value)) return Status::ok();
    best_ = trial;
    first_ = *std::move(outcome);
    return Status::ok();
  }

  static int64_t epochs_of(const SearchCandidate& candidate, const Hyperparameters& resolved) {
    return has_epochs(*candidate.recipe) ? resolved.integer(kEpochs) : 1;
  }

  // The rungs: trials of the best candidate, which that itself need not climb.
  Status tune() {
    const SearchCandidate& candidate = *best_.candidate;
    const SearchSpace space(candidate.ranges, first_->hyperparameters, seed_);
    std::vector<Trial> trials;
    for (Settings& settings : space.draw_different(static_cast<size_t>(plan_.jobs - 1)))
      trials.push_back({next_number_++, &candidate, std::move(settings), kNothing});
    if (trials.size() + 1 < static_cast<size_t>(plan_.jobs))
      PERSONALIZE_RETURN_IF_ERROR(
          host_.log("note", fmt::format("the ranges hold {} different settings, for {} jobs",
                                        trials.size() + 1, plan_.jobs)));
    const int64_t epochs = epochs_of(candidate, first_->hyperparameters);
    const int rungs = rung_count(trials.size(), epochs);
    for (int rung = 1; rung <= rungs && !trials.empty(); rung++) {
      PERSONALIZE_RETURN_IF_ERROR(climb({rung, rungs}, epochs >> (rungs - rung), epochs, trials));
      std::stable_sort(trials.begin(), trials.end(), [&](const Trial& a, const Trial& b) {
        return plan_.objective.better(a.value, b.value);
      });
      while (!trials.empty() && std::isnan(trials.back().value)) trials.pop_back();
      if (rung < rungs)
        trials.resize(ended_ ? std::min<size_t>(1, trials.size()) : (trials.size() + 1) / 2);
      if (ended_) rung = std::max(rung, rungs - 1);
    }
    if (!trials.empty() && plan_.objective.better(trials.front().value, best_.value))
      best_ = trials.front();
    return Status::ok();
  }

  // Gives all trials their value with so many epochs of `most`; none to those that fail, and to
  // those for which there is no time.
  Status climb(const Rung& rung, int64_t epochs, int64_t most, std::vector<Trial>& trials) {
    const double share = static_cast<double>(epochs) / static_cast<double>(most);
    // What is tried in a lower rung must have time to climb on.
    const double reserve = rung.number < rung.rungs ? first_->seconds : 0;
    double expected = share * first_->seconds;
    for (Trial& trial : trials) {
      trial.value = kNothing;
      if (!has_time_for(expected + reserve)) {
        if (!ended_)
          PERSONALIZE_RETURN_IF_ERROR(
              host_.log("note", fmt::format("the budget ends rung {} of {} before trial {}",
                                            rung.number, rung.rungs, trial.number)));
        ended_ = true;
        continue;
      }
      Hyperparameters hyperparameters = trial.candidate->hyperparameters;
      for (const auto& [name, text] : trial.settings) hyperparameters.resolve(name, text);
      if (epochs < most) hyperparameters.resolve(kEpochs, static_cast<double>(epochs));
      const auto outcome = host_.run(*trial.candidate->recipe, hyperparameters, share * one_);
      if (outcome.is_ok()) {
        trial.value = plan_.objective.of(outcome->metrics);
        spent_ += outcome->seconds;
        expected = outcome->seconds;
      } else if (outcome.status().code() != StatusCode::kInvalidInput) {
        return outcome.status();
      }
      PERSONALIZE_RETURN_IF_ERROR(log_trial(trial, rung, outcome));
    }
    return Status::ok();
  }

  Status tell_result() {
    if (!first_) return Status::ok();
    const std::string metric = plan_.objective.name();
    std::string text =
        fmt::format("best of {} trials: trial {}, {}, {} {:.4f} on validation", next_number_,
                    best_.number, best_.candidate->recipe->name(), metric, best_.value);
    if (plan_.jobs > 1)
      text +=
          best_.settings.empty()
              ? ", with the solution's own hyperparameters"
              : fmt::format(" ({:.4f} with the solution's own hyperparameters), with {}",
                            plan_.objective.of(first_->metrics), json_of(best_.settings).dump());
    return host_.log("search", text);
  }

  const SearchPlan& plan_;
  const uint64_t seed_;
  const SearchBudget& budget_;
  TrialHost& host_;
  double one_ = 0;    // of the budget, for a fit with all epochs
  double share_ = 0;  // of the budget, for the search
  double spent_ = 0;
  bool ended_ = false;  // a trial was left out for want of time
  int next_number_ = 0;
  std::optional<TrialOutcome> first_;  // of the best candidate with its own hyperparameters
  Trial best_;
};

}  // namespace

int rung_count(size_t trials, int64_t epochs) {
  int rungs = 1;
  for (; trials > 1 && (epochs >> rungs) >= 1; rungs++) trials = (trials + 1) / 2;
  return rungs;
}

Result<SearchResult> search(const SearchPlan& plan, uint64_t seed, const SearchBudget& budget,
                            TrialHost& host) {
  return Search(plan, seed, budget, host).run();
}

}  // namespace personalize
