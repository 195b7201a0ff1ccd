#include "engine/recipes/similar_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "engine/math/machine_speed.h"
#include "engine/math/parallel.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/popularity.h"
#include "engine/recipes/similar_model.h"
#include "engine/recipes/similar_vectors.h"
#include "engine/recipes/spectral.h"
#include "engine/recipes/user_selection.h"

namespace personalize {
namespace {

constexpr size_t kMostCases = 500;
constexpr double kMostComparisons = 2e8;  // cases times items
constexpr size_t kLeastShare = 3;         // no more than a third of the users are withheld from

using Kind = HyperparameterSpec::Kind;
const HyperparameterSpec kSpecs[] = {
    {"item_id_hidden_dim",
     Kind::kInteger,
     "100",
     30,
     200,
     {},
     true,
     "numbers of an item's vector that are learned from events"},
    {"item_metadata_hidden_dim",
     Kind::kInteger,
     "100",
     30,
     200,
     {},
     true,
     "numbers of an item's vector that stand for its metadata"},
};

size_t case_limit(double items) {
  return std::clamp(static_cast<size_t>(kMostComparisons / std::max(1.0, items)), size_t{50},
                    kMostCases);
}

// The metadata of a training: columns of each item of the vocabulary, and of all rows there are.
struct Described {
  MetadataEncoder encoder;
  hrnn::ColumnBags of_item;
  hrnn::ColumnBags of_row;
  size_t with_columns = 0;  // items of the vocabulary
};

Described describe(const Sequences& sequences, const Metadata* metadata) {
  Described described;
  if (metadata == nullptr || metadata->items.fields().empty()) return described;
  const MetadataTable& table = metadata->items;
  described.encoder = MetadataEncoder::learn(table);
  if (described.encoder.size() == 0) return described;
  const FieldPlaces places = described.encoder.places_in(table.fields());
  std::vector<FieldValue> values;
  const auto append = [&](size_t row, hrnn::ColumnBags& bags) {
    table.row(row, values);
    described.encoder.encode(places, values, 0, bags.columns);
  };
  for (size_t row = 0; row < table.size(); ++row) {
    append(row, described.of_row);
    described.of_row.end_row();
  }
  for (size_t i = 0; i < sequences.item_count(); ++i) {
    const ItemIndex row = table.find(sequences.items.id(static_cast<ItemIndex>(i)));
    if (row != kNoItem) append(static_cast<size_t>(row), described.of_item);
    described.of_item.end_row();
    if (!described.of_item.of(i).empty()) ++described.with_columns;
  }
  return described;
}

class SimilarItemsRecipe final : public Recipe {
 public:
  std::string_view name() const override { return "similar-items"; }
  RecipeType type() const override { return RecipeType::kRelatedItems; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return kSpecs; }
  bool answers_similar_items() const override { return true; }
  bool uses_metadata() const override { return true; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions& options, Progress& progress) const override {
    try {
      return fit_or_throw(data, hyperparameters, options, progress);
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kNoMemory, "not enough memory to train similar-items");
    }
  }

  FitCost cost(const DataSize& size, const Hyperparameters& hyperparameters,
               const FitOptions& options) const override {
    const auto items = static_cast<double>(size.items);
    const auto learned = static_cast<double>(hyperparameters.integer("item_id_hidden_dim"));
    const auto described = static_cast<double>(hyperparameters.integer("item_metadata_hidden_dim"));
    const CountingCost counting = counting_cost(size, {}, options.threads);
    const auto worked =
        static_cast<double>(spectral_columns(size.items, static_cast<size_t>(learned)));
    const double threads = thread_count(options.threads);
    const auto cases = static_cast<double>(case_limit(items));
    constexpr double kColumns = kMostColumns;  // how many there are is not known before
    FitCost cost;
    cost.model_bytes = 4 * items * (learned + described + 2) + 4 * kColumns * (learned + described);
    const double predicting = 4 * learned * (2 * items + 8 * kColumns);
    cost.bytes = 1.15 * (2 * cost.model_bytes + counting.bytes + 12 * 2 * counting.entries +
                         8 * items * worked + predicting + 12 * threads * items + 64 * items);
    const double products = 12 * 2 * counting.entries * worked + 30 * items * worked * worked;
    cost.seconds = 2 * (counting.seconds + products / machine_speed().products) +
                   (2 * cases * items * (learned + described) + 200 * cases * items) / threads /
                       machine_speed().updates / 4;
    cost.score_seconds = items * (learned + described) / machine_speed().products * 4;
    return cost;
  }

  Result<std::unique_ptr<Model>> open(const BlobView& blob) const override {
    return similar::open_model(blob);
  }

 private:
  static Result<Fitted> fit_or_throw(const TrainingView& data,
                                     const Hyperparameters& hyperparameters,
                                     const FitOptions& options, Progress& progress) {
    const Sequences& sequences = *data.sequences;
    if (sequences.event_count() == 0)
      return Status(StatusCode::kInvalidInput,
                    "there are 0 interactions to learn from; similar-items "
                    "needs at least 1");
    const auto stop = [&progress] { return progress.stop(); };
    const Described described = describe(sequences, options.metadata);
    if (described.with_columns == 0)
      progress.note(
          "nothing is known of the items (no items dataset of the group has a "
          "value that "
          "two of them share): similar-items learns from interactions alone");
    MetadataProjection projection;
    if (described.with_columns > 0) {
      const auto size = static_cast<size_t>(hyperparameters.integer("item_metadata_hidden_dim"));
      PERSONALIZE_ASSIGN_OR_RETURN(
          projection,
          learn_projection(described.of_row, described.encoder.size(), size, options.seed, stop));
    }
    similar::VectorSettings settings;
    settings.learned_size = static_cast<size_t>(hyperparameters.integer("item_id_hidden_dim"));
    settings.seed = options.seed;
    settings.threads = options.threads;
    similar::ItemColumns items;
    if (described.with_columns > 0) items = {&described.of_item, described.encoder.size()};

    const CalibrationSplit split = withhold_last_events(
        data, case_limit(static_cast<double>(sequences.item_count())), kLeastShare, options.seed);
    similar::ChosenWeights chosen;
    {
      PERSONALIZE_ASSIGN_OR_RETURN(
          const similar::ItemVectors vectors,
          similar::learn_vectors(split.rest, items, projection, settings, stop));
      PERSONALIZE_ASSIGN_OR_RETURN(chosen,
                                   similar::choose_weights(split, vectors, options.threads, stop));
    }
    progress.note(fmt::format("weighed on {} withheld events: metadata {:.2f}, popularity {:.2f}",
                              chosen.cases, chosen.weights.metadata, chosen.weights.popularity));
    // With the weights chosen, the withheld events count too.
    PERSONALIZE_ASSIGN_OR_RETURN(const similar::ItemVectors vectors,
                                 similar::learn_vectors(data, items, projection, settings, stop));
    Fitted fitted;
    similar::write_model(vectors, chosen.weights,
                         described.with_columns > 0 ? described.encoder : MetadataEncoder(),
                         distinct_users(data), fitted.blob);
    fitted.hyperparameters = hyperparameters;
    return fitted;
  }
};

}  // namespace

const Recipe& similar_items_recipe() {
  static const SimilarItemsRecipe recipe;
  return recipe;
}

}  // namespace personalize
