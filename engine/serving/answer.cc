#include "engine/serving/answer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace personalize {

ItemSet ItemSet::none(size_t item_count) {
  ItemSet set;
  set.words_.assign(item_count / 64 + 1, 0);
  return set;
}

ItemSet ItemSet::all(size_t item_count) {
  ItemSet set;
  set.words_.assign(item_count / 64 + 1, ~uint64_t{0});
  return set;
}

void ItemSet::add(const ItemSet& other) {
  for (size_t i = 0; i < words_.size(); i++) words_[i] |= other.words_[i];
}

void ItemSet::remove(const ItemSet& other) {
  for (size_t i = 0; i < words_.size(); i++) words_[i] &= ~other.words_[i];
}

void ItemSet::keep(const ItemSet& other) {
  for (size_t i = 0; i < words_.size(); i++) words_[i] &= other.words_[i];
}

bool ItemSet::is_empty(size_t item_count) const {
  const size_t whole = item_count / 64;
  for (size_t i = 0; i < whole; i++)
    if (words_[i] != 0) return false;
  return (words_[whole] & ((uint64_t{1} << item_count % 64) - 1)) == 0;
}

void Answerer::ask_for_popular(const LoadedModel& model, size_t unseen) {
  kind_ = ScoreKind::kCounts;
  popular_ = true;
  scores_.assign(model.popularity.begin(), model.popularity.end());
  scores_.resize(model.popularity.size() + unseen, 0.0F);
}

void Answerer::ask_for_user(const LoadedModel& model, const Question& question,
                            const UnseenTable* unseen) {
  const size_t known = model.model->item_count();
  const size_t strangers = unseen == nullptr ? 0 : unseen->size();
  self_ = kNoItem;
  normalised_ = false;
  popular_ = false;
  kind_ = model.model->score_kind();
  if (question.history.empty() && kind_ != ScoreKind::kGrowth)
    return ask_for_popular(model, strangers);
  scores_.resize(known + strangers);
  const std::span<float> scores(scores_);
  model.model->score(question, scores.first(known));
  if (strangers > 0) model.model->score_unseen(question, unseen->items(), scores.subspan(known));
}

void Answerer::ask_for_similar(const LoadedModel& model, ItemIndex item,
                               const UnseenTable* unseen) {
  const size_t known = model.model->item_count();
  const size_t strangers = unseen == nullptr ? 0 : unseen->size();
  self_ = item;
  normalised_ = false;
  popular_ = false;
  kind_ = model.model->similar_kind();
  scores_.resize(known + strangers);
  const std::span<float> scores(scores_);
  const bool is_unseen = item != kNoItem && static_cast<size_t>(item) >= known;
  const std::span<const ColumnIndex> columns =
      is_unseen ? unseen->columns(static_cast<size_t>(item) - known)
                : std::span<const ColumnIndex>();
  const bool told = is_unseen ? model.model->similar_to_unseen(columns, scores.first(known))
                              : item != kNoItem && model.model->similar(item, scores.first(known));
  if (!told) return ask_for_popular(model, strangers);
  if (strangers > 0)
    model.model->similar_unseen(is_unseen ? kNoItem : item, columns, unseen->items(),
                                scores.subspan(known));
  scores_[static_cast<size_t>(item)] = -std::numeric_limits<float>::infinity();
}

void Answerer::normalise(std::span<const float> scores) {
  switch (kind_) {
    case ScoreKind::kLogits:
      normaliser_ = log_sum_exp(scores);
      break;
    case ScoreKind::kCounts:
      normaliser_ = 0;
      for (const float score : scores)
        if (score > 0) normaliser_ += static_cast<double>(score);
      break;
    case ScoreKind::kSimilarity:
    case ScoreKind::kGrowth:
      break;
  }
}

double Answerer::scaled(float score) const {
  switch (kind_) {
    case ScoreKind::kLogits:
      return std::exp(static_cast<double>(score) - normaliser_);
    case ScoreKind::kCounts:
      return normaliser_ > 0 ? static_cast<double>(score) / normaliser_ : 0;
    case ScoreKind::kSimilarity:
    case ScoreKind::kGrowth:
      break;
  }
  return static_cast<double>(score);
}

void Answerer::best(size_t k, const ItemSet* allowed, std::vector<Answer>& answers) {
  const uint64_t* words = allowed != nullptr ? allowed->words() : nullptr;
  const bool one_pass = !normalised_ && kind_ == ScoreKind::kLogits;
  // One more than asked for: the item whose similar ones are wanted is among the popular ones.
  const size_t wanted = self_ != kNoItem && k < scores_.size() ? k + 1 : k;
  top_k(scores_, words, wanted, top_, one_pass ? &normaliser_ : nullptr);
  if (!normalised_ && !one_pass) normalise(scores_);
  normalised_ = true;
  answers.clear();
  for (const Scored& scored : top_)
    if (!excluded(scored.item) && answers.size() < k)
      answers.push_back(
          {scored.item, scaled(scored.score), popular_ ? Reason::kPopular : Reason::kNone});
}

void Answerer::explore(const ExplorationDraw& draw, std::span<const NewItem> fresh,
                       const ItemSet* allowed, std::vector<Answer>& answers) {
  if (allowed != nullptr) {
    fresh_.clear();
    for (const NewItem& item : fresh)
      if (allowed->has(item.item)) fresh_.push_back(item);
    fresh = fresh_;
  }
  list_.clear();
  for (const Answer& answer : answers) list_.push_back({answer.item, false});
  explorer_.explore(draw, fresh, popular_ ? std::span<const float>() : scores_, list_);
  for (size_t i = 0; i < answers.size(); i++) {
    if (answers[i].item == list_[i].item) continue;
    answers[i] = {list_[i].item, score_of(list_[i].item),
                  popular_ ? Reason::kPopular : Reason::kNone};
    if (list_[i].explored) answers[i].reason = Reason::kExploration;
  }
}

void Answerer::ranked(std::span<const ItemIndex> items, std::vector<Answer>& answers) {
  listed_.clear();
  for (const ItemIndex item : items) {
    const float score = scores_[static_cast<size_t>(item)];
    // As top_k: what is no number comes last.
    listed_.push_back(std::isnan(score) ? -std::numeric_limits<float>::infinity() : score);
  }
  normalise(listed_);
  normalised_ = false;  // of the list, not of all items
  top_.clear();
  for (size_t i = 0; i < items.size(); i++) top_.push_back({items[i], listed_[i]});
  std::sort(top_.begin(), top_.end(), [](const Scored& a, const Scored& b) {
    return a.score > b.score || (a.score == b.score && a.item < b.item);
  });
  answers.clear();
  for (const Scored& scored : top_) answers.push_back({scored.item, scaled(scored.score)});
}

double Answerer::score_of(ItemIndex item) {
  if (!normalised_) {
    normalise(scores_);
    normalised_ = true;
  }
  return scaled(scores_[static_cast<size_t>(item)]);
}

}  // namespace personalize
