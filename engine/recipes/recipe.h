// What a recipe is: something that learns a model from sequences, and a model that answers
// questions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/dataset/data_size.h"
#include "engine/dataset/metadata.h"
#include "engine/dataset/metadata_encoder.h"
#include "engine/dataset/sequences.h"
#include "engine/ids.h"
#include "engine/recipes/item_vectors.h"
#include "engine/status.h"
#include "engine/store/blob.h"

namespace personalize {

// Amazon Personalize's recipe types.
enum class RecipeType {
  kUserPersonalization,
  kPersonalizedRanking,
  kRelatedItems,
  kUserSegmentation,
  kTrendingNow
};

// One hyperparameter of a recipe: name, default and range, as doc/sql.md lists them.
struct HyperparameterSpec {
  enum class Kind { kInteger, kReal, kBoolean, kText };
  std::string name;  // snake_case
  Kind kind = Kind::kReal;
  std::string default_text;  // as SQL would print it; "auto" where the recipe decides from the data
  double minimum = 0, maximum = 0;   // of integers and reals, inclusive
  std::vector<std::string> choices;  // of texts
  bool tunable = false;              // Amazon's HPO column
  std::string meaning;               // one line
};

// The hyperparameters of one training, complete: every name of the recipe's specs is there.
class Hyperparameters {
 public:
  // Checks the JSON object `json` ("" = {}) against `specs` and fills in the defaults. Errors:
  // kInvalidInput for what is no JSON object, an unknown name (with the list of known ones), a
  // wrong type, a value out of range.
  static Result<Hyperparameters> parse(std::string_view json,
                                       std::span<const HyperparameterSpec> specs);

  // `name` must be one of the specs, of the kind asked for. is_auto: the recipe decides from the
  // data.
  bool is_auto(std::string_view name) const;
  double real(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  const std::string& text(std::string_view name) const;

  // Records what "auto" came out as, so that it is shown with the version.
  void resolve(std::string_view name, double value);
  void resolve(std::string_view name, std::string_view value);
  const std::map<std::string, std::string, std::less<>>& values() const { return values_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// One line of a training's log.
struct EpochRow {
  int epoch = 0, epochs = 0;
  double loss = 0;
  double seconds = 0;  // since the fit began
  double events_per_second = 0;
};

// How a training talks to who started it. Called on the thread that called fit() only.
class Progress {
 public:
  virtual ~Progress() = default;
  // True when the training is to end with kInterrupted. Cheap; to be asked at least every 50 ms.
  virtual bool stop() = 0;
  virtual void epoch(const EpochRow& row) = 0;
  // A sentence for the log ("ties shuffled ...").
  virtual void note(std::string_view text) = 0;
};

// A stored model that a training goes on from (training_mode UPDATE). Views.
struct PreviousModel {
  BlobView blob;  // of fit() of the same recipe
  const Vocabulary* vocabulary = nullptr;
  int64_t newest = 0;  // timestamp of the newest event it learned from: later ones are new
};

struct FitOptions {
  uint64_t seed = 1;
  int threads = 0;            // 0: as many as the machine has cores, at most 16
  double budget_seconds = 0;  // 0: none
  // Where to start from, or null: from nothing. For recipes that know UPDATE only.
  const PreviousModel* previous = nullptr;
  // What the items and users datasets tell, or null: nothing. For recipes that use metadata only.
  const Metadata* metadata = nullptr;
};

// An event of a user as a model sees it.
struct ModelEvent {
  int64_t timestamp = 0;
  // An index of the model's vocabulary; from its size on, an unseen item's number more.
  ItemIndex item = 0;
  float value = kNoValue;
  // Of the event's context and of the user, as ModelMetadata::side numbers them.
  std::span<const ColumnIndex> columns = {};
  // Of an unseen item alone: its metadata, as ModelMetadata::items numbers them.
  std::span<const ColumnIndex> item_columns = {};
};

// Items that came after the training, or had no events in it, each by the columns of its metadata.
// Views.
struct UnseenItems {
  std::span<const uint32_t> start;  // size() + 1: item i has columns start[i] .. start[i+1] - 1
  std::span<const ColumnIndex> columns;  // as ModelMetadata::items numbers them
  size_t size() const { return start.empty() ? 0 : start.size() - 1; }
  std::span<const ColumnIndex> of(size_t item) const {
    return columns.subspan(start[item], start[item + 1] - start[item]);
  }
};

// What turns metadata into the columns that a model was trained on. Views of the model.
struct ModelMetadata {
  MetadataEncoder items;  // of the items dataset; without columns: the model places no unseen items
  // Of the question: the contextual columns of an interaction, then the fields of the users
  // dataset, whose columns are counted on from context.size().
  MetadataEncoder context;
  MetadataEncoder users;
};

// What a model is asked about: the user's whole history in order (only events the solution's
// EventFilter passes, only items of the vocabulary), and his state after all of it.
struct Question {
  std::span<const ModelEvent> history;
  std::span<const float> state;  // Model::state_size() floats
  // Of the question's context and of the user, numbered as in ModelEvent::columns.
  std::span<const ColumnIndex> columns = {};
};

// What score() gives.
enum class ScoreKind {
  kLogits,      // a softmax turns them into Amazon's scores
  kCounts,      // popularity: the number of users
  kSimilarity,  // -1 .. 1
  // trending-now: how many times as much as before; for users without a history too.
  kGrowth,
};

// How old the items of a model are, for campaigns that give places to new ones. Views of the model.
struct ItemAges {
  std::span<const float> events;     // in training, one an item of the vocabulary
  std::span<const int64_t> created;  // its CREATION_TIMESTAMP, else its first event in training
  // The newest event of the training; for hrnn-coldstart, the newest creation of an item.
  int64_t newest_event = 0;
  // An item is new with at most so many events, and no older than so many days: as of newest_event,
  // or of the question.
  float few_events = 0;
  double most_days = 0;  // 0: what the campaign says
  bool as_of_question = false;
};

// A history whose events from `first` on are to move `state`, which is that before them.
struct Folding {
  std::span<const ModelEvent> history;
  size_t first = 0;
  std::span<float> state;
};

// A trained model, read in place from its blob, which must outlive it. Immutable; safe from any
// number of threads. Same model and question: the same scores, bit for bit, on one instruction set.
class Model {
 public:
  virtual ~Model() = default;
  virtual size_t item_count() const = 0;

  // The recurrent state: floats a user, 0 if the model has none. begin() sets the state before the
  // first event; step() moves it by history[index], and may look at the events before it.
  virtual size_t state_size() const { return 0; }
  virtual void begin(std::span<float> /*state*/) const {}
  virtual void step(std::span<const ModelEvent> /*history*/, size_t /*index*/,
                    std::span<float> /*state*/) const {}
  // step() of all the events of all the histories: the same states, bit for bit.
  virtual void fold(std::span<const Folding> foldings) const {
    for (const Folding& each : foldings)
      for (size_t i = each.first; i < each.history.size(); ++i) step(each.history, i, each.state);
  }
  // The same of history[begin] .. history[end - 1] alone.
  void advance(std::span<const ModelEvent> history, size_t begin, size_t end,
               std::span<float> state) const {
    const Folding folding{history.first(end), begin, state};
    fold({&folding, 1});
  }
  // The same, asking `stop` at the beginning and now and then: false, with a state of no use, once
  // it is true.
  bool advance(std::span<const ModelEvent> history, size_t begin, size_t end,
               std::span<float> state, const std::function<bool()>& stop) const {
    constexpr size_t kFoldedAtOnce = 256;
    for (size_t i = begin; i < end; i += kFoldedAtOnce) {
      if (stop()) return false;
      advance(history, i, std::min(end, i + kFoldedAtOnce), state);
    }
    return true;
  }

  // Scores of all items for a user; scores.size() == item_count().
  virtual ScoreKind score_kind() const = 0;
  virtual void score(const Question& question, std::span<float> scores) const = 0;

  // Of models whose score() and similar() are those of item vectors; null: they are not.
  virtual const ItemVectors* vectors() const { return nullptr; }
  // Their question, whose history is not empty: score_all(reduced) is score(question). Keeps views
  // of the model.
  virtual void reduce(const Question& /*question*/, VectorQuestion& /*reduced*/) const {}
  // The same for similar() and similar_to_unseen(). False where these give popular items.
  virtual bool reduce_similar(ItemIndex /*item*/, VectorQuestion& /*reduced*/) const {
    return false;
  }
  virtual bool reduce_similar_to_unseen(std::span<const ColumnIndex> /*columns*/,
                                        VectorQuestion& /*reduced*/) const {
    return false;
  }

  // The metadata the model reads, or null: none.
  virtual const ModelMetadata* metadata() const { return nullptr; }
  // Scores of unseen items, to be compared with those of score(): scores.size() == unseen.size().
  // Called after score() of the same question, whose history names unseen items by their number in
  // `unseen`. For models that place them only.
  virtual void score_unseen(const Question& /*question*/, const UnseenItems& /*unseen*/,
                            std::span<float> /*scores*/) const {}
  // Similarity of all items to `item`, itself included (its own place is ignored by the caller).
  // kNoItem, or an item too little is known about: popular items first, and false is returned.
  // Default: popular items.
  virtual ScoreKind similar_kind() const { return ScoreKind::kSimilarity; }
  virtual bool similar(ItemIndex item, std::span<float> scores) const = 0;
  // The same for an unseen item of these columns. Models that place unseen items give more than
  // popular items, if there is a column.
  virtual bool similar_to_unseen(std::span<const ColumnIndex> /*columns*/,
                                 std::span<float> scores) const {
    return similar(kNoItem, scores);
  }
  // Similarity of unseen items to `item`, or if that is kNoItem to an unseen item of `columns`;
  // scores.size() == unseen.size(). For models that place unseen items only.
  virtual void similar_unseen(ItemIndex /*item*/, std::span<const ColumnIndex> /*columns*/,
                              const UnseenItems& /*unseen*/, std::span<float> /*scores*/) const {}

  // For models of recipes that explore; null: not known.
  virtual const ItemAges* item_ages() const { return nullptr; }
  // How far the score of an item from its metadata alone lies from what its events would give: the
  // standard deviation over items of the difference, each a mean over questions.
  virtual float exploration_noise() const { return 0; }
};

// What fit() gives.
struct Fitted {
  BlobWriter blob;                  // without the vocabulary, which the training job adds
  Hyperparameters hyperparameters;  // with "auto" resolved
};

// What one fit() takes, and its model. Estimates: bytes are not less than what is used, seconds are
// those of a machine with nothing else to do.
struct FitCost {
  double bytes = 0;          // at most, besides the Sequences
  double seconds = 0;        // of the clock
  double model_bytes = 0;    // of the blob
  double step_seconds = 0;   // Model::step for one event, on one thread
  double score_seconds = 0;  // Model::score, on one thread
};

// Stateless; one of each lives for the whole process.
class Recipe {
 public:
  virtual ~Recipe() = default;
  virtual std::string_view name() const = 0;
  virtual RecipeType type() const = 0;
  virtual std::span<const HyperparameterSpec> hyperparameters() const = 0;
  // Whether the model can answer similar_items with more than popular items.
  virtual bool answers_similar_items() const { return false; }

  // Whether fit() learns from FitOptions::metadata and from the contextual columns of the events.
  virtual bool uses_metadata() const { return false; }
  // Whether a campaign of it gives places of its lists to new items (exploration_weight).
  virtual bool explores() const { return false; }

  // Hyperparameters that a model and the one it goes on from (FitOptions::previous) must have in
  // common. None: the recipe knows no UPDATE, since learning everything anew takes it a moment.
  virtual std::span<const std::string_view> update_needs_same() const { return {}; }

  // Learns from `data`. Item indices are those of data.sequences->items. Errors: kInvalidInput when
  // no model is possible from so little data (saying how much there is and is needed), kInterrupted
  // when progress.stop() said so, kNoMemory. Deterministic: same data, hyperparameters and seed
  // give the same blob on one instruction set, whatever the number of threads. Own threads are
  // joined before it returns.
  virtual Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                             const FitOptions& options, Progress& progress) const = 0;

  // What fit() would take on so much data.
  virtual FitCost cost(const DataSize& size, const Hyperparameters& hyperparameters,
                       const FitOptions& options) const = 0;

  // Errors: kCorrupt if the blob is not one that fit() of this recipe and format wrote: every index
  // in range, every float finite.
  virtual Result<std::unique_ptr<Model>> open(const BlobView& blob) const = 0;
};

// All recipes there are, in the order in which they are listed to users.
std::span<const Recipe* const> all_recipes();

// The recipe of that name. Amazon's names are aliases: "aws-hrnn",
// "arn:aws:personalize:::recipe/aws-hrnn". Errors: kNotFound, listing the recipes there are.
Result<const Recipe*> find_recipe(std::string_view name);

}  // namespace personalize
