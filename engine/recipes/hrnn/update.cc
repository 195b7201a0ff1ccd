#include "engine/recipes/hrnn/update.h"

#include <fmt/format.h>

#include <limits>

#include "engine/dataset/split.h"
#include "engine/recipes/hrnn/unseen_fit.h"
#include "engine/recipes/hrnn/warm_start.h"
#include "engine/recipes/popularity.h"

namespace personalize::hrnn {
namespace {

using Stop = std::function<bool()>;

// Of a training from nothing: a network that has been trained must not be shaken.
constexpr double kRateShare = 0.25;
constexpr size_t kPasses = 2;
// Old events that are learned again, for each new one.
constexpr double kReplay = 1;
// How many events of a history are read before a piece that is learned again: what lies further
// back hardly shows in the state.
constexpr int64_t kWarmUpEvents = 128;
constexpr MarkovSettings kNear = {.window = 5, .decay = 0.7F, .smoothing = 50, .cut = 128};

// The states before all segments: exact where events are new.
Result<std::vector<float>> states_before(const Trained& start, int64_t session_gap,
                                         const Sequences& sequences, const UpdateSegments& segments,
                                         int threads, const Stop& stop, const SideColumns* side) {
  const Cell cell = Cell::of(start, session_gap);
  const std::span<const Segment> all(segments.segments);
  PERSONALIZE_ASSIGN_OR_RETURN(std::vector<float> states,
                               fold(cell, sequences, all.first(segments.fresh),
                                    std::numeric_limits<int64_t>::max(), threads, stop, side));
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::vector<float> old,
      fold(cell, sequences, all.subspan(segments.fresh), kWarmUpEvents, threads, stop, side));
  states.insert(states.end(), old.begin(), old.end());
  return states;
}

// The columns, and how unseen items are placed by them now.
Status write_metadata(const FitMetadata& metadata, const Trained& trained,
                      std::span<const float> events, const Stored& stored,
                      const TrainingOptions& options, const Stop& stop, BlobWriter& blob) {
  metadata.write(blob);
  if (!stored.cold.has_value()) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const UnseenFit unseen,
                               refit_unseen(trained, metadata.bags, metadata.items.size(), events,
                                            *stored.cold, options.seed, options.threads, stop));
  unseen.write(stored.weights.a, blob);
  return Status::ok();
}

}  // namespace

Result<Fitted> update(const TrainingView& data, const PreviousModel& previous,
                      TrainingOptions options, Hyperparameters hyperparameters,
                      const FitMetadata* metadata, Progress& progress) {
  const Stop stop = [&progress] { return progress.stop(); };
  PERSONALIZE_ASSIGN_OR_RETURN(const Stored stored, read_model(previous.blob));
  const Shape& shape = stored.trained.layout.shape;
  if (shape.embedding != options.embedding || shape.hidden != options.hidden)
    return Status(StatusCode::kInvalidInput,
                  fmt::format("the model to go on from has hidden_dimension {} and "
                              "embedding_dimension {}",
                              shape.hidden, shape.embedding));
  const std::vector<float> events = count_events(data);
  WarmStart warm;
  {
    PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts near,
                                 count_transitions(data, kNear, options.threads, stop));
    Trained start =
        with_items(stored, *previous.vocabulary, *data.sequences, near, events, options.seed);
    UpdateSegments segments = update_segments(data, first_events_after(data, previous.newest),
                                              kReplay, options.window, options.seed);
    PERSONALIZE_ASSIGN_OR_RETURN(warm.states,
                                 states_before(start, stored.session_gap, *data.sequences, segments,
                                               options.threads, stop, options.metadata.side));
    warm.parameters = std::move(start.parameters);
    warm.value_columns = std::move(start.value_columns);
    warm.segments = std::move(segments.segments);
  }
  options.session_gap = stored.session_gap;
  options.metadata.items = {};  // what items share was learned before
  options.learning_rate *= kRateShare;
  options.epochs = warm.segments.empty() ? 0 : kPasses;
  auto trained = train(data, options, {}, &warm, progress, stop);
  if (!trained.is_ok()) {
    if (trained.status().code() != StatusCode::kInternal) return trained.status();
    return Status(StatusCode::kInvalidInput,
                  fmt::format("{} with learning_rate {}; training_mode FULL trains it anew",
                              trained.status().message(), options.learning_rate));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts counts,
                               count_transitions(data, {}, options.threads, stop));
  Fitted fitted;
  write_model(*trained, options.session_gap, stored.weights, counts, distinct_users(data), events,
              fitted.blob);
  if (metadata != nullptr)
    PERSONALIZE_RETURN_IF_ERROR(
        write_metadata(*metadata, *trained, events, stored, options, stop, fitted.blob));
  hyperparameters.resolve("session_gap", static_cast<double>(options.session_gap));
  hyperparameters.resolve("epochs", static_cast<double>(options.epochs));
  hyperparameters.resolve("learning_rate", options.learning_rate);
  fitted.hyperparameters = std::move(hyperparameters);
  return fitted;
}

}  // namespace personalize::hrnn
