#include "engine/recipes/hrnn/hrnn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

#include "engine/recipes/hrnn/cost.h"
#include "engine/recipes/hrnn/defaults.h"
#include "engine/recipes/hrnn/model.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/hrnn/training_cost.h"
#include "engine/recipes/hrnn/update.h"
#include "engine/recipes/popularity.h"
#include "engine/recipes/spectral.h"
#include "engine/recipes/user_selection.h"

namespace personalize {
namespace {

using hrnn::Shape;
using hrnn::Softmax;
using hrnn::Trained;
using hrnn::TrainingOptions;
using Stop = std::function<bool()>;

constexpr size_t kCalibrationUsers = 500;
constexpr size_t kCalibrationShare = 4;  // at most one user in so many
constexpr size_t kMostCalibrationFloats = size_t{1} << 25;
constexpr size_t kFewestCases = 50;
// What is good without fitting, on four data sets.
constexpr CalibrationWeights kUnfitted{.a = 0.75F, .w = 0.35F, .own = {}};
constexpr float kEmbeddingDeviation = 0.05F;
// Of a budget; the rest is for what comes before and after the epochs.
constexpr double kBudgetShare = 0.9;
// What a network's numbers mean depends on these.
constexpr std::string_view kShape[] = {"hidden_dimension", "embedding_dimension", "recency_mask",
                                       "session_gap"};

HyperparameterSpec softmax_spec() {
  return {.name = "softmax",
          .kind = HyperparameterSpec::Kind::kText,
          .default_text = "auto",
          .minimum = 0,
          .maximum = 0,
          .choices = {"auto", "full", "sampled"},
          .tunable = false,
          .meaning =
              "whether an event is learned against all items or a sample of them; auto: "
              "full unless that would take too long"};
}

std::vector<HyperparameterSpec> make_specs() {
  using Kind = HyperparameterSpec::Kind;
  const auto spec = [](const char* name, Kind kind, const char* default_text, double minimum,
                       double maximum, bool tunable, const char* meaning) {
    return HyperparameterSpec{.name = name,
                              .kind = kind,
                              .default_text = default_text,
                              .minimum = minimum,
                              .maximum = maximum,
                              .choices = {},
                              .tunable = tunable,
                              .meaning = meaning};
  };
  return {
      spec("hidden_dimension", Kind::kInteger, "auto", 32, 256, true,
           "size of a user's state; auto: 128, or 256 where there are many events (Amazon's "
           "default, "
           "43, costs accuracy)"),
      spec("embedding_dimension", Kind::kInteger, "128", 16, 256, true, "size of an item's vector"),
      spec("bptt", Kind::kInteger, "64", 2, 64, true,
           "events through which gradients flow back (Amazon's range ends at 32)"),
      spec("recency_mask", Kind::kBoolean, "true", 0, 1, true,
           "whether items that were popular lately are favoured"),
      spec("learning_rate", Kind::kReal, "auto", 1e-5, 0.1, true,
           "of Adam, at the top of its schedule"),
      spec("dropout", Kind::kReal, "0.25", 0, 0.9, true,
           "share of inputs and outputs that are left out at random in training"),
      spec("epochs", Kind::kInteger, "auto", 1, 1'000, false,
           "times each event is learned from; auto: more where there are fewer events and long "
           "histories"),
      spec("batch_size", Kind::kInteger, "16", 1, 256, false,
           "histories that are trained side by side"),
      softmax_spec(),
      session_gap_spec(),
      minimum_history_percentile_spec(),
      maximum_history_percentile_spec(),
  };
}

size_t calibration_users(size_t items) {
  return std::min(kCalibrationUsers, kMostCalibrationFloats / std::max<size_t>(1, items));
}

size_t event_count(const TrainingView& data) {
  size_t events = 0;
  for (size_t user = 0; user < data.end.size(); ++user)
    events += static_cast<size_t>(data.length(user));
  return events;
}

size_t user_count(const TrainingView& data) {
  size_t users = 0;
  for (size_t user = 0; user < data.end.size(); ++user) users += data.length(user) > 0 ? 1 : 0;
  return users;
}

// "auto" becomes what so many events of so many users ask for. The session gap is left as it is.
TrainingOptions training_options(size_t events, size_t users, Hyperparameters& resolved,
                                 const FitOptions& fit) {
  const hrnn::Defaults defaults = hrnn::defaults_for(events, users);
  const auto resolve = [&resolved](std::string_view name, double value) {
    if (resolved.is_auto(name)) resolved.resolve(name, value);
  };
  resolve("hidden_dimension", static_cast<double>(defaults.hidden));
  resolve("epochs", static_cast<double>(defaults.epochs));
  resolve("learning_rate", defaults.learning_rate);
  TrainingOptions options;
  options.embedding = static_cast<size_t>(resolved.integer("embedding_dimension"));
  options.hidden = static_cast<size_t>(resolved.integer("hidden_dimension"));
  options.lanes = static_cast<size_t>(resolved.integer("batch_size"));
  options.window = static_cast<size_t>(resolved.integer("bptt"));
  options.epochs = static_cast<size_t>(resolved.integer("epochs"));
  options.learning_rate = resolved.real("learning_rate");
  options.dropout = static_cast<float>(resolved.real("dropout"));
  options.recency = resolved.boolean("recency_mask");
  if (const std::string& softmax = resolved.text("softmax"); softmax != "auto")
    options.softmax = softmax == "full" ? Softmax::kFull : Softmax::kSampled;
  options.session_gap = static_cast<int64_t>(resolved.real("session_gap"));
  options.seed = fit.seed;
  options.threads = fit.threads;
  return options;
}

// Decides over which items the softmax is, if that is left to us, and says why.
void choose_softmax(const Shape& shape, size_t events, TrainingOptions& options,
                    Hyperparameters& resolved, Progress& progress) {
  const auto cost = [&](Softmax softmax) {
    TrainingOptions other = options;
    other.softmax = softmax;
    return hrnn::training_cost(shape, events, other);
  };
  const bool sampled = cost(options.softmax).sampled;
  if (sampled && options.softmax == Softmax::kAuto)
    progress.note(fmt::format("softmax sampled: about {:.0f} s; over all {} items about {:.0f} s",
                              cost(Softmax::kSampled).seconds, shape.items,
                              cost(Softmax::kFull).seconds));
  options.softmax = sampled ? Softmax::kSampled : Softmax::kFull;
  resolved.resolve("softmax", sampled ? "sampled" : "full");
}

// What E starts from.
Result<std::vector<float>> first_embedding(const TrainingView& data, const TrainingOptions& options,
                                           const Stop& stop) {
  std::vector<float> embedding(data.sequences->item_count() * options.embedding);
  PERSONALIZE_ASSIGN_OR_RETURN(
      const MarkovCounts near,
      count_transitions(data, {.window = 5, .decay = 0.7F, .smoothing = 50, .cut = 128},
                        options.threads, stop));
  PERSONALIZE_RETURN_IF_ERROR(spectral_embedding(near, options.embedding, kEmbeddingDeviation,
                                                 options.seed, stop, embedding));
  return embedding;
}

// Fits a and w on the events that `split` withholds from a training.
Result<CalibrationWeights> fit_weights(const CalibrationSplit& split, const Trained& trained,
                                       const TrainingOptions& options, const MarkovCounts& counts,
                                       const Stop& stop) {
  if (split.users.size() < kFewestCases) return kUnfitted;
  const hrnn::Cell cell = hrnn::Cell::of(trained, options.session_gap);
  const MarkovChain chain(counts);
  const Sequences& all = *split.rest.sequences;
  const size_t items = all.item_count();
  std::vector<float> logits(split.users.size() * items);
  std::vector<CalibrationCase> cases;
  std::vector<ModelEvent> history;
  std::vector<float> state(cell.shape.hidden);
  MarkovTerms terms;
  OwnHistory own;
  own.fit(items);
  for (const size_t user : split.users) {
    if (stop()) return Status(StatusCode::kInterrupted, "training was interrupted");
    const int64_t end = split.rest.end[user];
    user_history(all, split.rest.begin(user), end, history);
    std::copy(cell.initial.begin(), cell.initial.end(), state.begin());
    for (size_t i = 0; i < history.size(); ++i) {
      if (i % 1'024 == 1'023 && stop())
        return Status(StatusCode::kInterrupted, "training was interrupted");
      cell.step(history, i, state.data());
    }
    float* row = logits.data() + cases.size() * items;
    cell.dense_logits(history, state.data(), row);
    own.add_all(history, options.session_gap);
    for (const OwnItem& item : own.items())
      row[item.item] += own_history_term(cell.own, item, own.last_place(), own.session_start());
    chain.terms(history, terms);
    CalibrationCase one;
    one.target = all.item[static_cast<size_t>(end)];
    one.base = {row, items};
    one.markov_items = terms.items;
    one.markov_terms = terms.terms;
    cases.push_back(std::move(one));
  }
  return calibrate(cases, {.a = 1, .w = 0.5F, .own = {}}, false, stop);
}

// Trains with as many of the epochs as the budget (if not 0) has time for, at least one: fewer
// epochs with their own schedule, not a schedule cut off. A rate at which the numbers grow beyond
// bounds is halved, twice at most. `options` gets what was done.
Result<Trained> train_within_budget(const TrainingView& data, TrainingOptions& options,
                                    std::span<const float> embedding, double budget_seconds,
                                    Progress& progress, const Stop& stop) {
  if (budget_seconds > 0) {
    PERSONALIZE_ASSIGN_OR_RETURN(const double seconds,
                                 hrnn::seconds_per_epoch(data, options, embedding, progress, stop));
    const double most = std::max(1.0, std::floor(kBudgetShare * budget_seconds / seconds));
    if (most < static_cast<double>(options.epochs)) {
      progress.note(fmt::format("{} of {} epochs fit the budget of {} s, at {:.1f} s each", most,
                                options.epochs, budget_seconds, seconds));
      options.epochs = static_cast<size_t>(most);
    }
  }
  const double asked = options.learning_rate;
  for (int attempt = 0;; ++attempt) {
    auto trained = hrnn::train(data, options, embedding, nullptr, progress, stop);
    if (trained.is_ok() || trained.status().code() != StatusCode::kInternal) return trained;
    if (attempt == 2)
      return Status(StatusCode::kInvalidInput,
                    fmt::format("{} with learning_rate {}, and with a half and a quarter of it; "
                                "try a smaller one, for instance {}",
                                trained.status().message(), asked,
                                std::min(asked / 10, hrnn::Defaults{}.learning_rate)));
    options.learning_rate /= 2;
    progress.note(fmt::format("{}: again with learning_rate {}", trained.status().message(),
                              options.learning_rate));
  }
}

class HrnnRecipe final : public Recipe {
 public:
  HrnnRecipe(const char* name, RecipeType type) : name_(name), type_(type) {}

  std::string_view name() const override { return name_; }
  RecipeType type() const override { return type_; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return specs_; }
  bool answers_similar_items() const override { return true; }
  std::span<const std::string_view> update_needs_same() const override { return kShape; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions& options, Progress& progress) const override {
    try {
      return fit_or_throw(data, hyperparameters, options, progress);
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kNoMemory, fmt::format("not enough memory to train {}", name_));
    }
  }

  FitCost cost(const DataSize& size, const Hyperparameters& hyperparameters,
               const FitOptions& fit) const override {
    Hyperparameters resolved = hyperparameters;
    const TrainingOptions options = training_options(size.events, size.users, resolved, fit);
    return hrnn::fit_cost(size, options, calibration_users(size.items), fit.budget_seconds);
  }

  Result<std::unique_ptr<Model>> open(const BlobView& blob) const override {
    return hrnn::open_model(blob);
  }

 private:
  Result<Fitted> fit_or_throw(const TrainingView& data, const Hyperparameters& hyperparameters,
                              const FitOptions& fit, Progress& progress) const {
    Hyperparameters resolved = hyperparameters;
    const TrainingView selected =
        select_users(data, resolved.real("min_user_history_length_percentile"),
                     resolved.real("max_user_history_length_percentile"));
    const bool any_pair = std::any_of(
        selected.end.begin(), selected.end.end(),
        [&, user = size_t{0}](int64_t) mutable { return selected.length(user++) >= 2; });
    if (!any_pair)
      return Status(StatusCode::kInvalidInput,
                    fmt::format("{} learns what follows what, and no user has two interactions "
                                "({} interactions of {} users in all); popularity-count needs no "
                                "histories",
                                name_, event_count(selected), data.sequences->user_count()));
    if (resolved.is_auto("session_gap"))
      resolved.resolve("session_gap", static_cast<double>(automatic_session_gap(selected)));
    TrainingOptions options =
        training_options(event_count(selected), user_count(selected), resolved, fit);
    const Stop stop = [&progress] { return progress.stop(); };
    const size_t items = data.sequences->item_count();
    choose_softmax({items, options.embedding, options.hidden, 0}, event_count(selected), options,
                   resolved, progress);
    if (fit.previous != nullptr)
      return hrnn::update(selected, *fit.previous, options, std::move(resolved), progress);
    const CalibrationSplit split =
        withhold_last_events(selected, calibration_users(items), kCalibrationShare, fit.seed);

    PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts counts,
                                 count_transitions(split.rest, {}, fit.threads, stop));
    PERSONALIZE_ASSIGN_OR_RETURN(std::vector<float> embedding,
                                 first_embedding(split.rest, options, stop));
    PERSONALIZE_ASSIGN_OR_RETURN(
        const Trained trained,
        train_within_budget(split.rest, options, embedding, fit.budget_seconds, progress, stop));
    std::vector<float>().swap(embedding);  // of many items it is large
    resolved.resolve("epochs", static_cast<double>(options.epochs));
    resolved.resolve("learning_rate", options.learning_rate);
    PERSONALIZE_ASSIGN_OR_RETURN(const CalibrationWeights weights,
                                 fit_weights(split, trained, options, counts, stop));
    progress.note(fmt::format("calibrated on {} withheld events: network {:.3f}, markov {:.3f}",
                              split.users.size(), weights.a, weights.w));
    // With the weights fitted, the withheld events count too.
    PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts all_counts,
                                 count_transitions(selected, {}, fit.threads, stop));
    Fitted fitted;
    hrnn::write_model(trained, options.session_gap, weights, all_counts, distinct_users(selected),
                      count_events(selected), fitted.blob);
    fitted.hyperparameters = std::move(resolved);
    return fitted;
  }

  const char* name_;
  RecipeType type_;
  std::vector<HyperparameterSpec> specs_ = make_specs();
};

}  // namespace

const Recipe& hrnn_recipe() {
  static const HrnnRecipe recipe("hrnn", RecipeType::kUserPersonalization);
  return recipe;
}

const Recipe& personalized_ranking_recipe() {
  static const HrnnRecipe recipe("personalized-ranking", RecipeType::kPersonalizedRanking);
  return recipe;
}

}  // namespace personalize
