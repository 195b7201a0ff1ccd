#include "engine/recipes/item_vectors.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/math/aligned_floats.h"
#include "engine/math/dispatch.h"
#include "engine/math/quantized_search.h"

namespace personalize {
namespace {

// So many listed items' vectors are laid side by side at a time.
constexpr size_t kGathered = 16;
// If fewer than one item in so many is wanted, scoring the candidates takes less than all.
constexpr size_t kItemsAWanted = 64;

// From products with y.
void make_cosines(const VectorQuestion& question, const float* inverse_norms,
                  std::span<float> scores) {
  for (size_t i = 0; i < scores.size(); ++i)
    scores[i] = std::clamp(scores[i] * question.inverse_norm() * inverse_norms[i], -1.0F, 1.0F);
}

// The scores of items first .. first + scores.size() - 1.
void score_block(const VectorQuestion& question, size_t first, std::span<float> scores) {
  const Kernels& k = kernels();
  const ItemVectors& items = question.vectors();
  const float* bias = question.is_cosine() ? nullptr : items.bias.data() + first;
  k.matrix_vector(scores.size(), items.width, items.vectors.data() + first * items.width,
                  question.y().data(), bias, scores.data());
  if (question.is_cosine())
    return make_cosines(question, items.inverse_norms.data() + first, scores);
  if (!question.row().empty())
    k.add_scaled(scores.size(), question.weight(), question.row().data() + first, scores.data());
  k.add_scaled(scores.size(), 1, question.terms().data() + first, scores.data());
}

// The items that have terms, in ascending order, with the sums of their terms.
void sum_by_item(const VectorQuestion& question, std::vector<ScoreTerm>& sums) {
  sums.clear();
  const std::span<const float> terms = question.terms();
  bool in_order = true;
  for (const ScoreTerm& added : question.added()) {
    in_order = in_order && (sums.empty() || sums.back().item < added.item);
    sums.push_back({added.item, terms[static_cast<size_t>(added.item)]});
  }
  if (in_order) return;
  // A bit an item: several times as fast as sorting.
  thread_local std::vector<uint64_t> has_term;
  has_term.resize(std::max(has_term.size(), question.vectors().items / 64 + 1));
  size_t last = 0;
  for (const ScoreTerm& sum : sums) {
    const auto item = static_cast<size_t>(sum.item);
    has_term[item / 64] |= uint64_t{1} << (item % 64);
    last = std::max(last, item / 64);
  }
  sums.clear();
  for (size_t word = 0; word <= last; ++word) {
    for (uint64_t bits = has_term[word]; bits != 0; bits &= bits - 1) {
      const size_t item = word * 64 + static_cast<size_t>(std::countr_zero(bits));
      sums.push_back({static_cast<ItemIndex>(item), terms[item]});
    }
    has_term[word] = 0;
  }
}

// The scan that `question` is to the codes. `terms` is room for its terms.
QuantizedQuestion scan_of(const VectorQuestion& question, std::vector<ScoreTerm>& terms) {
  const ItemVectors& items = question.vectors();
  if (question.is_cosine()) {
    // What rounding leaves of a cosine outside of -1 .. 1.
    const float outside = static_cast<float>(items.width + 32) * 0x1p-23F;
    return {.vectors = &items.codes,
            .y = question.y().data(),
            .factor = question.inverse_norm(),
            .factors = items.inverse_norms.data(),
            .least_margin = outside};
  }
  sum_by_item(question, terms);
  return {.vectors = &items.codes,
          .y = question.y().data(),
          .bias = items.bias.data(),
          .row = question.row().empty() ? nullptr : question.row().data(),
          .row_weight = question.weight(),
          .terms = terms};
}

// search() by the codes. False, with nothing done, if that can't be.
bool search_codes(const VectorQuestion& question, const uint64_t* allowed, TopK* best,
                  LogSum* sum) {
  thread_local QuantizedSearch search;
  thread_local std::vector<ScoreTerm> terms;
  thread_local std::vector<Scored> found;
  const ScoreListed score = [&](std::span<const ItemIndex> items, std::span<float> scores) {
    score_listed(question, items, scores);
  };
  const size_t k = best == nullptr ? 0 : best->wanted();
  if (!search.best(scan_of(question, terms), allowed, k, score, found, sum)) return false;
  if (best == nullptr) return true;
  std::sort(found.begin(), found.end(),
            [](const Scored& a, const Scored& b) { return a.item < b.item; });
  for (const Scored& scored : found)
    best->add({&scored.score, 1}, static_cast<size_t>(scored.item), nullptr);
  return true;
}

}  // namespace

void VectorQuestion::begin(const ItemVectors& vectors) {
  clear_sums();
  added_.clear();
  vectors_ = &vectors;
  y_.assign(vectors.width, 0.0F);
  is_cosine_ = false;
  if (terms_.size() < vectors.items) terms_.resize(vectors.items);
  set_row(0, {});
}

void VectorQuestion::add(std::span<const ItemIndex> items, float weight,
                         std::span<const float> terms) {
  const size_t before = added_.size();
  added_.resize(before + items.size());
  for (size_t i = 0; i < items.size(); ++i) added_[before + i] = {items[i], weight * terms[i]};
}

void VectorQuestion::clear_sums() {
  for (const ScoreTerm& added : std::span(added_).first(summed_))
    terms_[static_cast<size_t>(added.item)] = 0;
  summed_ = 0;
}

void VectorQuestion::sum_terms() const {
  for (; summed_ < added_.size(); ++summed_)
    terms_[static_cast<size_t>(added_[summed_].item)] += added_[summed_].term;
}

void VectorQuestion::keep(Kept& kept) const {
  kept.vectors = vectors_;
  kept.y.assign(y_.begin(), y_.end());
  kept.weight = weight_;
  kept.row = row_;
  // A search by codes wants them in order, each time the question is asked again.
  if (vectors_->codes.items > 0) return sum_by_item(*this, kept.terms);
  kept.terms.assign(added_.begin(), added_.end());
}

void VectorQuestion::give(Kept& kept) {
  kept.vectors = vectors_;
  kept.weight = weight_;
  kept.row = row_;
  y_.swap(kept.y);
  clear_sums();
  added_.swap(kept.terms);
}

void VectorQuestion::ask_again(const Kept& kept) {
  begin(*kept.vectors);
  std::copy(kept.y.begin(), kept.y.end(), y_.begin());
  set_row(kept.weight, kept.row);
  added_.assign(kept.terms.begin(), kept.terms.end());
}

void search(const VectorQuestion& question, const uint64_t* allowed, TopK* best, LogSum* sum) {
  alignas(64) std::array<float, kScoreBlock> room;
  const size_t items = question.vectors().items;
  const bool few = best == nullptr || best->wanted() <= items / kItemsAWanted;
  const bool all_scored = sum != nullptr && items < kEstimatedFrom;
  if (question.vectors().codes.items > 0 && !all_scored && (few || sum != nullptr) &&
      search_codes(question, allowed, few ? best : nullptr, sum)) {
    if (few) return;
    sum = nullptr;
  }
  for (size_t first = 0; first < items; first += kScoreBlock) {
    const std::span<float> scores = std::span(room).first(std::min(kScoreBlock, items - first));
    score_block(question, first, scores);
    if (best != nullptr) best->add(scores, first, allowed);
    if (sum != nullptr) sum->add(scores);
  }
}

void score_all(const VectorQuestion& question, std::span<float> scores) {
  for (size_t first = 0; first < scores.size(); first += kScoreBlock)
    score_block(question, first,
                scores.subspan(first, std::min(kScoreBlock, scores.size() - first)));
}

void score_listed(const VectorQuestion& question, std::span<const ItemIndex> items,
                  std::span<float> scores) {
  const Kernels& k = kernels();
  const ItemVectors& all = question.vectors();
  thread_local AlignedFloats vectors;
  if (vectors.size() < kGathered * all.width) vectors = AlignedFloats(kGathered * all.width);
  alignas(64) std::array<float, kGathered> bias, row, terms;
  for (size_t first = 0; first < items.size(); first += kGathered) {
    const size_t count = std::min(kGathered, items.size() - first);
    for (size_t i = 0; i < count; ++i) {
      const auto item = static_cast<size_t>(items[first + i]);
      std::copy_n(all.vectors.data() + item * all.width, all.width, vectors.data() + i * all.width);
      bias[i] = question.is_cosine() ? all.inverse_norms[item] : all.bias[item];
      row[i] = question.row().empty() ? 0 : question.row()[item];
      terms[i] = question.terms()[item];
    }
    float* out = scores.data() + first;
    k.matrix_vector(count, all.width, vectors.data(), question.y().data(),
                    question.is_cosine() ? nullptr : bias.data(), out);
    if (question.is_cosine()) {
      make_cosines(question, bias.data(), {out, count});
      continue;
    }
    if (!question.row().empty()) k.add_scaled(count, question.weight(), row.data(), out);
    k.add_scaled(count, 1, terms.data(), out);
  }
}

}  // namespace personalize
