// From scores to answers: what recommend(), rank(), similar_items() and personalize_score() return,
// over a loaded model and a history.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/ids.h"
#include "engine/math/topk.h"
#include "engine/recipes/recipe.h"
#include "engine/recipes/vector_batch.h"
#include "engine/serving/exploration.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/unseen_items.h"

namespace personalize {

// A set of a model's items, unseen ones included, as top_k wants it.
class ItemSet {
 public:
  // Nothing, or everything, of `item_count` items.
  static ItemSet none(size_t item_count);
  static ItemSet all(size_t item_count);
  void add(ItemIndex item) { words_[place(item)] |= bit(item); }
  void remove(ItemIndex item) { words_[place(item)] &= ~bit(item); }
  // With another set of as many items.
  void add(const ItemSet& other);
  void remove(const ItemSet& other);
  void keep(const ItemSet& other);  // what is in both
  bool has(ItemIndex item) const { return (words_[place(item)] & bit(item)) != 0; }
  // Whether it has none of the first `item_count` items.
  bool is_empty(size_t item_count) const;
  const uint64_t* words() const { return words_.data(); }

 private:
  static size_t place(ItemIndex item) { return static_cast<size_t>(item) / 64; }
  static uint64_t bit(ItemIndex item) { return uint64_t{1} << (static_cast<size_t>(item) % 64); }
  std::vector<uint64_t> words_;
};

// Why an item is in a list other than for its score.
enum class Reason : uint8_t {
  kNone,
  kExploration,  // it is new, and has a place that is kept for new items
  kPopular,      // too little is known about who or what was asked about: by popularity
};

struct Answer {
  ItemIndex item = kNoItem;  // from the vocabulary's size on: an unseen one
  double score = 0;
  Reason reason = Reason::kNone;
};

// A question to be asked again while nothing has changed: what it asks, and the normaliser of its
// softmax, for which all items have to be looked at, from the first answer on that needs it.
struct KeptQuestion {
  VectorQuestion::Kept asked;
  // Shared with the answerer that will know it. Not for concurrent use.
  std::shared_ptr<std::optional<double>> normaliser;
};

// Answers questions about one model after the other: from the vectors of its items where it has
// them, else from a score for every item. The buffers are kept from question to question: no
// allocation once they have their size. Used by one thread.
class Answerer {
 public:
  // Asks for a user: by the model, or, for a user without events, by popularity.
  // `unseen` (null: none) are items like others, popular with nobody; it is a table of this model
  // and the one that the question's history was read with.
  void ask_for_user(const LoadedModel& model, const Question& question,
                    const UnseenTable* unseen = nullptr);
  // The question of ask_for_user to keep, where the model has vectors, the user has events and
  // there were no unseen items; nothing otherwise. This question's later answers write the
  // normaliser into what is given.
  std::optional<KeptQuestion> kept_question();
  // Asks the same model the same again.
  void ask_again(const LoadedModel& model, const KeptQuestion& question);
  // Takes a question of vectors that BatchSearch has answered, with the k it was answered for. It
  // must live until the next question.
  void take_answer(const LoadedModel& model, const BatchQuestion& question, size_t k);
  // Asks for the items' similarity to `item`, which may be one of `unseen`; for kNoItem and
  // for an item too little is known about, by popularity. The item itself is no answer.
  void ask_for_similar(const LoadedModel& model, ItemIndex item,
                       const UnseenTable* unseen = nullptr);

  // How many items there are: the size of sets for best().
  size_t item_count() const { return scored_from_ + scores_.size(); }

  // The k best items of the last question, best first, equal ones in the order of their numbers;
  // fewer if there are fewer. `allowed` (null: all) is searched, not filtered afterwards: k answers
  // come if k pass. Scores: a softmax over all items of the model (allowed or not), or each item's
  // share of all popularity, or the similarity.
  void best(size_t k, const ItemSet* allowed, std::vector<Answer>& answers);
  // Gives new items their share of what best() gave, as Explorer::explore says. `fresh`: ascending;
  // those outside of `allowed` are left out. After ask_for_user. For a user without events all new
  // items are alike but for the noise.
  void explore(const ExplorationDraw& draw, std::span<const NewItem> fresh, const ItemSet* allowed,
               std::vector<Answer>& answers);
  // The listed items, best first, equal ones in the order of their numbers. Scores: as above, but
  // over the list. Each item at most once, none of them kNoItem.
  void ranked(std::span<const ItemIndex> items, std::vector<Answer>& answers);
  // The score of one item, as best() would give it.
  double score_of(ItemIndex item);

 private:
  double scaled(float score) const;
  // Makes the normaliser of all items, if that was not done; with `best`, in the pass that collects
  // it.
  void search_all(const uint64_t* allowed, TopK* best);
  // Replaces listed_ by the scores of these items.
  void score_items(std::span<const ItemIndex> items);
  void begin(ItemIndex self, ScoreKind kind);
  VectorQuestion& asked();
  void ask_for_popular(const LoadedModel& model, size_t unseen);

  ScoreKind kind_ = ScoreKind::kCounts;
  const BatchQuestion* answered_ = nullptr;  // what asked_ is to be, once it is needed
  size_t answered_k_ = 0;
  VectorQuestion asked_;    // of the items before scored_from_
  size_t scored_from_ = 0;  // items from here on have a score in scores_: all, or unseen ones
  std::vector<float> scores_;
  ItemIndex self_ = kNoItem;  // what similar items are asked of
  bool normalised_ = false;   // whether normaliser_ holds for all items
  double normaliser_ = 0;     // log of the sum of exponentials, or sum of counts
  std::shared_ptr<std::optional<double>> kept_normaliser_;  // null: the question is not kept
  std::vector<Scored> top_;
  std::vector<ItemIndex> items_;
  std::vector<float> listed_;
  bool popular_ = false;  // too little was known: popular items
  Explorer explorer_;
  std::vector<ListedItem> list_;
  std::vector<NewItem> fresh_;
};

}  // namespace personalize
