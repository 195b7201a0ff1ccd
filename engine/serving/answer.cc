#include "engine/serving/answer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/recipes/item_vectors.h"

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

namespace {

double sum_of_counts(std::span<const float> counts) {
  double sum = 0;
  for (const float count : counts)
    if (count > 0) sum += static_cast<double>(count);
  return sum;
}

}  // namespace

void Answerer::begin(ItemIndex self, ScoreKind kind) {
  self_ = self;
  kind_ = kind;
  normalised_ = false;
  popular_ = false;
  scored_from_ = 0;
  answered_ = nullptr;
  kept_normaliser_.reset();
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
  begin(kNoItem, model.model->score_kind());
  if (question.history.empty() && kind_ != ScoreKind::kGrowth)
    return ask_for_popular(model, strangers);
  if (model.model->vectors() != nullptr) {
    scored_from_ = known;
    scores_.resize(strangers);
    model.model->reduce(question, asked_);
  } else {
    scores_.resize(known + strangers);
    model.model->score(question, std::span(scores_).first(known));
  }
  if (strangers > 0)
    model.model->score_unseen(question, unseen->items(), std::span(scores_).last(strangers));
}

std::optional<KeptQuestion> Answerer::kept_question() {
  if (scored_from_ == 0 || !scores_.empty()) return std::nullopt;
  kept_normaliser_ = std::make_shared<std::optional<double>>();
  if (normalised_) *kept_normaliser_ = normaliser_;
  KeptQuestion kept{.asked = {}, .normaliser = kept_normaliser_};
  asked_.keep(kept.asked);
  return kept;
}

void Answerer::take_answer(const LoadedModel& model, const BatchQuestion& question, size_t k) {
  begin(kNoItem, model.model->score_kind());
  scored_from_ = model.model->item_count();
  scores_.clear();
  normalised_ = true;
  normaliser_ = question.log_sum;
  answered_ = &question;
  answered_k_ = k;
}

VectorQuestion& Answerer::asked() {
  if (answered_ != nullptr) asked_.ask_again(answered_->question);
  answered_ = nullptr;
  return asked_;
}

void Answerer::ask_again(const LoadedModel& model, const KeptQuestion& question) {
  begin(kNoItem, model.model->score_kind());
  scored_from_ = model.model->item_count();
  scores_.clear();
  asked_.ask_again(question.asked);
  kept_normaliser_ = question.normaliser;
  normalised_ = kept_normaliser_->has_value();
  if (normalised_) normaliser_ = **kept_normaliser_;
}

void Answerer::ask_for_similar(const LoadedModel& model, ItemIndex item,
                               const UnseenTable* unseen) {
  const size_t known = model.model->item_count();
  const size_t strangers = unseen == nullptr ? 0 : unseen->size();
  begin(item, model.model->similar_kind());
  const bool is_unseen = item != kNoItem && static_cast<size_t>(item) >= known;
  const std::span<const ColumnIndex> columns =
      is_unseen ? unseen->columns(static_cast<size_t>(item) - known)
                : std::span<const ColumnIndex>();
  bool told = false;
  if (model.model->vectors() != nullptr) {
    scored_from_ = known;
    scores_.resize(strangers);
    told = is_unseen ? model.model->reduce_similar_to_unseen(columns, asked_)
                     : model.model->reduce_similar(item, asked_);
  } else {
    scores_.resize(known + strangers);
    const std::span<float> scores = std::span(scores_).first(known);
    told = is_unseen ? model.model->similar_to_unseen(columns, scores)
                     : item != kNoItem && model.model->similar(item, scores);
  }
  if (!told) {
    scored_from_ = 0;
    return ask_for_popular(model, strangers);
  }
  if (strangers > 0)
    model.model->similar_unseen(is_unseen ? kNoItem : item, columns, unseen->items(),
                                std::span(scores_).last(strangers));
  if (static_cast<size_t>(item) >= scored_from_)
    scores_[static_cast<size_t>(item) - scored_from_] = -std::numeric_limits<float>::infinity();
}

void Answerer::search_all(const uint64_t* allowed, TopK* best) {
  LogSum logits;
  LogSum* const sum = !normalised_ && kind_ == ScoreKind::kLogits ? &logits : nullptr;
  if (scored_from_ > 0) search(asked(), allowed, best, sum);
  for (size_t i = 0; i < scores_.size(); i += kScoreBlock) {
    const std::span<const float> block =
        std::span(scores_).subspan(i, std::min(kScoreBlock, scores_.size() - i));
    if (best != nullptr) best->add(block, scored_from_ + i, allowed);
    if (sum != nullptr) sum->add(block);
  }
  if (sum != nullptr) normaliser_ = sum->value();
  if (!normalised_ && kind_ == ScoreKind::kCounts) normaliser_ = sum_of_counts(scores_);
  normalised_ = true;
  if (kept_normaliser_ != nullptr) *kept_normaliser_ = normaliser_;
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
  // One more than asked for: the item whose similar ones are wanted is among the popular ones.
  const size_t wanted = std::min(self_ != kNoItem && k < item_count() ? k + 1 : k, item_count());
  const uint64_t* words = allowed != nullptr ? allowed->words() : nullptr;
  if (answered_ != nullptr && answered_->allowed == words && k <= answered_k_) {
    top_ = answered_->best;
  } else {
    TopK best(wanted, top_);
    search_all(words, &best);
    best.finish();
  }
  answers.clear();
  for (const Scored& scored : top_)
    if (scored.item != self_ && answers.size() < k)
      answers.push_back(
          {scored.item, scaled(scored.score), popular_ ? Reason::kPopular : Reason::kNone});
}

void Answerer::score_items(std::span<const ItemIndex> items) {
  listed_.resize(items.size());
  if (items.empty()) return;
  const bool all_known = std::all_of(items.begin(), items.end(), [&](ItemIndex item) {
    return static_cast<size_t>(item) < scored_from_;
  });
  if (all_known) return score_listed(asked(), items, listed_);
  for (size_t i = 0; i < items.size(); i++) {
    const auto item = static_cast<size_t>(items[i]);
    if (item < scored_from_)
      score_listed(asked(), items.subspan(i, 1), std::span(listed_).subspan(i, 1));
    else
      listed_[i] = scores_[item - scored_from_];
  }
}

void Answerer::explore(const ExplorationDraw& draw, std::span<const NewItem> fresh,
                       const ItemSet* allowed, std::vector<Answer>& answers) {
  if (allowed != nullptr) {
    fresh_.clear();
    for (const NewItem& item : fresh)
      if (allowed->has(item.item)) fresh_.push_back(item);
    fresh = fresh_;
  }
  items_.clear();
  for (const NewItem& item : fresh) items_.push_back(item.item);
  if (!popular_) score_items(items_);
  list_.clear();
  for (const Answer& answer : answers) list_.push_back({answer.item, false});
  explorer_.explore(draw, fresh, popular_ ? std::span<const float>() : listed_, list_);
  for (size_t i = 0; i < answers.size(); i++) {
    if (answers[i].item == list_[i].item) continue;
    answers[i] = {list_[i].item, score_of(list_[i].item),
                  popular_ ? Reason::kPopular : Reason::kNone};
    if (list_[i].explored) answers[i].reason = Reason::kExploration;
  }
}

void Answerer::ranked(std::span<const ItemIndex> items, std::vector<Answer>& answers) {
  score_items(items);
  // As top_k: what is no number comes last.
  for (float& score : listed_)
    if (std::isnan(score)) score = -std::numeric_limits<float>::infinity();
  if (kind_ == ScoreKind::kLogits) normaliser_ = log_sum_exp(listed_);
  if (kind_ == ScoreKind::kCounts) normaliser_ = sum_of_counts(listed_);
  normalised_ = false;  // of the list, not of all items
  top_.clear();
  for (size_t i = 0; i < items.size(); i++) top_.push_back({items[i], listed_[i]});
  std::sort(top_.begin(), top_.end(), better);
  answers.clear();
  for (const Scored& scored : top_) answers.push_back({scored.item, scaled(scored.score)});
}

double Answerer::score_of(ItemIndex item) {
  if (!normalised_) search_all(nullptr, nullptr);
  score_items(std::span(&item, 1));
  return scaled(listed_.front());
}

}  // namespace personalize
