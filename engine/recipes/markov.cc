#include "engine/recipes/markov.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "engine/math/dispatch.h"
#include "engine/math/finite.h"
#include "engine/math/machine_speed.h"
#include "engine/recipes/calibration.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/own_history.h"
#include "engine/recipes/popularity.h"
#include "engine/recipes/user_selection.h"

namespace personalize {
namespace {

constexpr size_t kCalibrationUsers = 2'000;
constexpr size_t kFewestCases = 50;
// What is good without fitting, on four data sets.
constexpr CalibrationWeights kUnfitted{.a = 0.045F, .w = 1.5F, .own = {}};
// What popularity weighs beside the chain where it only decides among what the chain leaves nearly
// equal. The likelihood by which the weights are fitted cares for all items; the first places are
// often better so: NDCG@10 of leave-last-two-out is 0.119 instead of 0.104 on MovieTweetings, 0.053
// instead of 0.047 on Amazon Beauty, and the same on denser data.
constexpr float kLittlePopularity = 0.03F;

std::vector<float> log_popularity(std::span<const float> events) {
  std::vector<float> logarithms(events.size());
  double mean = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    logarithms[i] = std::log(events[i] + 1);
    mean += logarithms[i];
  }
  mean /= static_cast<double>(std::max<size_t>(1, events.size()));
  for (float& x : logarithms) x -= static_cast<float>(mean);
  return logarithms;
}

// How the model's own numbers are stored ("markov.weights").
struct StoredWeights {
  CalibrationWeights weights;
  int64_t session_gap;
};

class MarkovModel final : public Model {
 public:
  static Result<std::unique_ptr<Model>> open(const BlobView& blob) {
    auto model = std::make_unique<MarkovModel>();
    PERSONALIZE_ASSIGN_OR_RETURN(model->popularity_, blob.section<float>("markov.popularity"));
    const size_t items = model->popularity_.size();
    PERSONALIZE_ASSIGN_OR_RETURN(model->users_, blob.section<float>("markov.users", items));
    PERSONALIZE_ASSIGN_OR_RETURN(model->chain_, MarkovChain::open(blob, items));
    PERSONALIZE_ASSIGN_OR_RETURN(const auto weights,
                                 blob.section<StoredWeights>("markov.weights", 1));
    model->weights_ = weights[0];
    const CalibrationWeights& fitted = model->weights_.weights;
    const float scalars[] = {fitted.a, fitted.w, fitted.own.count_weight,
                             fitted.own.session_weight};
    if (!all_finite(scalars) || !all_finite(fitted.own.recency) ||
        !all_finite(model->popularity_) || !all_finite(model->users_))
      return Status(StatusCode::kCorrupt, "the model holds numbers that are not finite");
    return std::unique_ptr<Model>(std::move(model));
  }

  size_t item_count() const override { return popularity_.size(); }
  ScoreKind score_kind() const override { return ScoreKind::kLogits; }

  void score(const Question& question, std::span<float> scores) const override {
    // Without a history the softmax of the scores is the items' share of the events.
    const CalibrationWeights& weights = weights_.weights;
    const float a = question.history.empty() ? 1 : weights.a;
    std::fill(scores.begin(), scores.end(), 0.0F);
    kernels().add_scaled(scores.size(), a, popularity_.data(), scores.data());
    if (question.history.empty()) return;

    thread_local MarkovTerms terms;
    chain_.terms(question.history, terms);
    for (size_t i = 0; i < terms.items.size(); ++i)
      scores[static_cast<size_t>(terms.items[i])] += weights.w * terms.terms[i];

    thread_local OwnHistory own;
    own.fit(item_count());
    own.add_all(question.history, weights_.session_gap);
    for (const OwnItem& item : own.items())
      scores[static_cast<size_t>(item.item)] +=
          own_history_term(weights.own, item, own.last_place(), own.session_start());
    own.clear();
  }

  ScoreKind similar_kind() const override { return ScoreKind::kCounts; }
  bool similar(ItemIndex /*item*/, std::span<float> scores) const override {
    std::copy(users_.begin(), users_.end(), scores.begin());
    return false;
  }

 private:
  std::span<const float> popularity_;  // ln(events + 1) less its mean
  std::span<const float> users_;       // how many users had the item
  MarkovChain chain_;
  StoredWeights weights_{};
};

std::vector<HyperparameterSpec> make_specs() {
  using Kind = HyperparameterSpec::Kind;
  return {
      {.name = "window",
       .kind = Kind::kInteger,
       .default_text = "10",
       .minimum = 1,
       .maximum = 50,
       .choices = {},
       .tunable = true,
       .meaning = "how many events after an event count as following it"},
      {.name = "decay",
       .kind = Kind::kReal,
       .default_text = "0.7",
       .minimum = 0.05,
       .maximum = 1,
       .choices = {},
       .tunable = true,
       .meaning = "what each further place in the window counts less"},
      {.name = "smoothing",
       .kind = Kind::kReal,
       .default_text = "50",
       .minimum = 1,
       .maximum = 1'000,
       .choices = {},
       .tunable = true,
       .meaning = "events added to an item's total: rare items say less"},
      session_gap_spec(),
      minimum_history_percentile_spec(),
      maximum_history_percentile_spec(),
  };
}

MarkovSettings markov_settings(const Hyperparameters& hyperparameters) {
  MarkovSettings settings;
  settings.window = static_cast<int32_t>(hyperparameters.integer("window"));
  settings.decay = static_cast<float>(hyperparameters.real("decay"));
  settings.smoothing = static_cast<float>(hyperparameters.real("smoothing"));
  return settings;
}

class MarkovRecipe final : public Recipe {
 public:
  std::string_view name() const override { return "markov"; }
  RecipeType type() const override { return RecipeType::kUserPersonalization; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return specs_; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions& options, Progress& progress) const override {
    try {
      return fit_or_throw(data, hyperparameters, options, progress);
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kNoMemory, "not enough memory to train markov");
    }
  }

  FitCost cost(const DataSize& size, const Hyperparameters& hyperparameters,
               const FitOptions& options) const override {
    const auto items = static_cast<double>(size.items);
    const auto users = static_cast<double>(std::max<uint64_t>(1, size.users));
    const double history = static_cast<double>(size.events) / users;
    const auto cases = static_cast<size_t>(std::min<double>(kCalibrationUsers, users));
    const CountingCost counting =
        counting_cost(size, markov_settings(hyperparameters), options.threads);
    const double second = 1 / machine_speed().updates;
    const double calibrating =
        8 * counting.entries + calibration_bytes(cases, counting.terms, history) + 28 * items;
    FitCost cost;
    cost.model_bytes = 8 * counting.entries + 20 * items;
    // The allocator keeps some of what is given back between the phases.
    cost.bytes =
        1.15 * std::max({counting.bytes, calibrating, 8 * counting.entries + cost.model_bytes});
    cost.seconds =
        2 * counting.seconds + calibration_seconds(cases, items, counting.terms, history);
    cost.score_seconds = second * (2 * items + 3 * counting.terms + 3 * history);
    return cost;
  }

  Result<std::unique_ptr<Model>> open(const BlobView& blob) const override {
    return MarkovModel::open(blob);
  }

 private:
  static Result<CalibrationWeights> fit_weights(const CalibrationSplit& split,
                                                const MarkovSettings& settings, int64_t session_gap,
                                                int threads, const std::function<bool()>& stop) {
    if (split.users.size() < kFewestCases) return kUnfitted;
    PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts counts,
                                 count_transitions(split.rest, settings, threads, stop));
    const MarkovChain chain(counts);
    const Sequences& all = *split.rest.sequences;
    const std::vector<float> base = log_popularity(count_events(split.rest));
    std::vector<CalibrationCase> cases;
    std::vector<ModelEvent> history;
    MarkovTerms terms;
    OwnHistory own;
    own.fit(all.item_count());
    for (const size_t user : split.users) {
      const int64_t end = split.rest.end[user];
      user_history(all, split.rest.begin(user), end, history);
      chain.terms(history, terms);
      own.add_all(history, session_gap);
      cases.push_back({all.item[static_cast<size_t>(end)],
                       base,
                       terms.items,
                       terms.terms,
                       {own.items().begin(), own.items().end()},
                       own.last_place(),
                       own.session_start()});
      own.clear();
    }
    PERSONALIZE_ASSIGN_OR_RETURN(const CalibrationWeights fitted,
                                 calibrate(cases, kUnfitted, true, stop));
    CalibrationWeights little = fitted;
    little.a = std::min(fitted.a, kLittlePopularity * fitted.w);
    PERSONALIZE_ASSIGN_OR_RETURN(const double gain, ranking_gain(cases, fitted, stop));
    PERSONALIZE_ASSIGN_OR_RETURN(const double gain_of_little, ranking_gain(cases, little, stop));
    return gain_of_little > gain ? little : fitted;
  }

  static Result<Fitted> fit_or_throw(const TrainingView& data,
                                     const Hyperparameters& hyperparameters,
                                     const FitOptions& options, Progress& progress) {
    if (data.sequences->event_count() == 0)
      return Status(StatusCode::kInvalidInput,
                    "there are 0 interactions to learn from; markov needs at least 1");
    Hyperparameters resolved = hyperparameters;
    const TrainingView selected =
        select_users(data, resolved.real("min_user_history_length_percentile"),
                     resolved.real("max_user_history_length_percentile"));
    if (resolved.is_auto("session_gap"))
      resolved.resolve("session_gap", static_cast<double>(automatic_session_gap(selected)));
    const auto session_gap = static_cast<int64_t>(resolved.real("session_gap"));
    const MarkovSettings settings = markov_settings(resolved);
    const auto stop = [&progress] { return progress.stop(); };

    const CalibrationSplit split =
        withhold_last_events(selected, kCalibrationUsers, 1, options.seed);
    StoredWeights stored{};
    PERSONALIZE_ASSIGN_OR_RETURN(stored.weights,
                                 fit_weights(split, settings, session_gap, options.threads, stop));
    stored.session_gap = session_gap;
    // With the weights fitted, the withheld events count too.
    PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts counts,
                                 count_transitions(selected, settings, options.threads, stop));
    BlobWriter blob;
    blob.add("markov.popularity", log_popularity(count_events(selected)));
    blob.add("markov.users", distinct_users(selected));
    counts.write(blob);
    blob.add("markov.weights", std::span<const StoredWeights>(&stored, 1));
    return Fitted{std::move(blob), std::move(resolved)};
  }

  std::vector<HyperparameterSpec> specs_ = make_specs();
};

}  // namespace

const Recipe& markov_recipe() {
  static const MarkovRecipe recipe;
  return recipe;
}

}  // namespace personalize
