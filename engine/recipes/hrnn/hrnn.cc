#include "engine/recipes/hrnn/hrnn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

#include "engine/recipes/hrnn/cost.h"
#include "engine/recipes/hrnn/defaults.h"
#include "engine/recipes/hrnn/fit_metadata.h"
#include "engine/recipes/hrnn/item_ages.h"
#include "engine/recipes/hrnn/model.h"
#include "engine/recipes/hrnn/specs.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/hrnn/training_cost.h"
#include "engine/recipes/hrnn/unseen_fit.h"
#include "engine/recipes/hrnn/update.h"
#include "engine/recipes/hrnn/withheld.h"
#include "engine/recipes/popularity.h"
#include "engine/recipes/spectral.h"
#include "engine/recipes/user_selection.h"

namespace personalize {
namespace {

using hrnn::FitMetadata;
using hrnn::Shape;
using hrnn::Softmax;
using hrnn::Trained;
using hrnn::TrainingOptions;
using Stop = std::function<bool()>;

constexpr size_t kCalibrationUsers = 500;
constexpr size_t kCalibrationShare = 4;  // at most one user in so many
constexpr size_t kMostCalibrationFloats = size_t{1} << 25;
constexpr float kEmbeddingDeviation = 0.05F;
// Of a budget; the rest is for what comes before and after the epochs.
constexpr double kBudgetShare = 0.9;
// What a network's numbers mean depends on these.
constexpr std::string_view kShape[] = {"hidden_dimension", "embedding_dimension", "recency_mask",
                                       "session_gap"};

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

// What tells the recipes of the family apart.
struct Kind {
  const char* name;
  RecipeType type = RecipeType::kUserPersonalization;
  bool metadata = false;
  bool explores = false;
  bool cold_start = false;  // says by hyperparameters what a new item is
};

class HrnnRecipe final : public Recipe {
 public:
  explicit HrnnRecipe(const Kind& kind) : kind_(kind) {}

  std::string_view name() const override { return kind_.name; }
  RecipeType type() const override { return kind_.type; }
  bool uses_metadata() const override { return kind_.metadata; }
  bool explores() const override { return kind_.explores; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return specs_; }
  bool answers_similar_items() const override { return true; }
  std::span<const std::string_view> update_needs_same() const override { return kShape; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions& options, Progress& progress) const override {
    try {
      return fit_or_throw(data, hyperparameters, options, progress);
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kNoMemory,
                    fmt::format("not enough memory to train {}", kind_.name));
    }
  }

  FitCost cost(const DataSize& size, const Hyperparameters& hyperparameters,
               const FitOptions& fit) const override {
    Hyperparameters resolved = hyperparameters;
    const TrainingOptions options = training_options(size.events, size.users, resolved, fit);
    return hrnn::fit_cost(size, options, calibration_users(size.items), fit.budget_seconds,
                          kind_.metadata);
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
                                kind_.name, event_count(selected), data.sequences->user_count()));
    if (resolved.is_auto("session_gap"))
      resolved.resolve("session_gap", static_cast<double>(automatic_session_gap(selected)));
    TrainingOptions options =
        training_options(event_count(selected), user_count(selected), resolved, fit);
    const Stop stop = [&progress] { return progress.stop(); };
    const size_t items = data.sequences->item_count();
    choose_softmax({items, options.embedding, options.hidden, 0}, event_count(selected), options,
                   resolved, progress);
    FitMetadata metadata;
    if (kind_.metadata) {
      PERSONALIZE_ASSIGN_OR_RETURN(metadata, read_metadata(selected, fit));
      options.metadata = metadata.for_training(event_count(selected));
      note_metadata(metadata, options, progress);
    }
    if (fit.previous != nullptr) {
      PERSONALIZE_ASSIGN_OR_RETURN(Fitted fitted,
                                   hrnn::update(selected, *fit.previous, options, resolved,
                                                kind_.metadata ? &metadata : nullptr, progress));
      write_ages(selected, fit, resolved, fitted.blob);
      return fitted;
    }
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
    Fitted fitted;
    PERSONALIZE_ASSIGN_OR_RETURN(
        const CalibrationWeights weights,
        calibrate_all(split, trained, options, counts, metadata, progress, fitted.blob));
    // With the weights fitted, the withheld events count too.
    PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts all_counts,
                                 count_transitions(selected, {}, fit.threads, stop));
    hrnn::write_model(trained, options.session_gap, weights, all_counts, distinct_users(selected),
                      count_events(selected), fitted.blob);
    write_ages(selected, fit, resolved, fitted.blob);
    fitted.hyperparameters = std::move(resolved);
    return fitted;
  }

  static Result<FitMetadata> read_metadata(const TrainingView& data, const FitOptions& fit) {
    if (fit.previous != nullptr)
      return FitMetadata::of_model(fit.previous->blob, *data.sequences, fit.metadata);
    return FitMetadata::learn(*data.sequences, fit.metadata);
  }

  static void note_metadata(const FitMetadata& metadata, const TrainingOptions& options,
                            Progress& progress) {
    progress.note(fmt::format("metadata: {} columns of items, {} of users, {} of contexts",
                              metadata.items.size(), metadata.users.size(),
                              metadata.context.size()));
    if (metadata.any_items() && options.softmax == Softmax::kSampled)
      progress.note("with a sampled softmax, items' metadata places unseen items alone");
  }

  // Fits what is fitted on withheld events: the network's and the Markov chain's weights, and how
  // unseen items are placed, which goes into the blob with the columns.
  static Result<CalibrationWeights> calibrate_all(const CalibrationSplit& split,
                                                  const Trained& trained,
                                                  const TrainingOptions& options,
                                                  const MarkovCounts& counts,
                                                  const FitMetadata& metadata, Progress& progress,
                                                  BlobWriter& blob) {
    const Stop stop = [&progress] { return progress.stop(); };
    PERSONALIZE_ASSIGN_OR_RETURN(const hrnn::Withheld withheld,
                                 hrnn::ask_withheld(split, trained, options.session_gap, counts,
                                                    options.metadata.side, stop));
    PERSONALIZE_ASSIGN_OR_RETURN(const CalibrationWeights weights,
                                 hrnn::fit_weights(withheld, stop));
    progress.note(fmt::format("calibrated on {} withheld events: network {:.3f}, markov {:.3f}",
                              split.users.size(), weights.a, weights.w));
    metadata.write(blob);
    if (!metadata.any_items()) return weights;
    PERSONALIZE_ASSIGN_OR_RETURN(
        const hrnn::UnseenFit unseen,
        hrnn::fit_unseen(trained, metadata.bags, metadata.items.size(), count_events(split.rest),
                         withheld, weights, options.seed, options.threads, stop));
    progress.note(fmt::format(
        "unseen items by their metadata: lambda {}, alpha {:.3f}, beta {:.3f}, "
        "noise {:.3f}",
        unseen.lambda, unseen.weights.alpha, unseen.weights.beta, unseen.weights.noise));
    unseen.write(weights.a, blob);
    return weights;
  }

  // What a campaign must know of the items' ages.
  void write_ages(const TrainingView& data, const FitOptions& fit, const Hyperparameters& resolved,
                  BlobWriter& blob) const {
    if (!kind_.explores) return;
    const std::vector<float> events = count_events(data);
    const std::vector<int64_t> created =
        hrnn::creation_times(data, fit.metadata != nullptr ? &fit.metadata->items : nullptr);
    ItemAges ages{.events = events,
                  .created = created,
                  .newest_event = hrnn::newest_event(data),
                  .few_events = kFewEvents};
    if (kind_.cold_start) {
      ages.few_events = static_cast<float>(resolved.integer("cold_start_max_interactions"));
      ages.most_days = resolved.real("cold_start_max_duration");
      ages.as_of_question = resolved.text("cold_start_relative_from") == "currentTime";
      ages.newest_event = *std::max_element(created.begin(), created.end());
    }
    hrnn::write_item_ages(ages, blob);
  }

  static constexpr float kFewEvents = 15;

  Kind kind_;
  std::vector<HyperparameterSpec> specs_ = hrnn::hyperparameter_specs(kind_.cold_start);
};

}  // namespace

const Recipe& hrnn_recipe() {
  static const HrnnRecipe recipe({.name = "hrnn"});
  return recipe;
}

const Recipe& personalized_ranking_recipe() {
  static const HrnnRecipe recipe(
      {.name = "personalized-ranking", .type = RecipeType::kPersonalizedRanking, .metadata = true});
  return recipe;
}

const Recipe& hrnn_metadata_recipe() {
  static const HrnnRecipe recipe({.name = "hrnn-metadata", .metadata = true});
  return recipe;
}

const Recipe& hrnn_coldstart_recipe() {
  static const HrnnRecipe recipe(
      {.name = "hrnn-coldstart", .metadata = true, .explores = true, .cold_start = true});
  return recipe;
}

const Recipe& user_personalization_recipe() {
  static const HrnnRecipe recipe(
      {.name = "user-personalization", .metadata = true, .explores = true});
  return recipe;
}

const Recipe& item_affinity_recipe() {
  static const HrnnRecipe recipe({.name = "item-affinity", .type = RecipeType::kUserSegmentation});
  return recipe;
}

}  // namespace personalize
