#include "engine/math/quantized_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"

namespace personalize {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr size_t kWord = 64;
// How far above the reference the kernel's exponentials may go.
constexpr float kFarthest = 60;
static_assert(kScoreBlock % kWord == 0);

template <typename T>
T* offset(T* array, size_t by) {
  return array == nullptr ? nullptr : array + by;
}

}  // namespace

// A range of the items.
class QuantizedSearch::Part {
 public:
  void begin(size_t k, const ScoreListed& score_listed) {
    best_.begin(k, score_listed);
    largest_.emplace(kSummedExactly, largest_items_);
    sum_ = LogSum();
  }

  // Both ends in whole blocks, but for the last item.
  void search(const QuantizedQuestion& question, const QuantizedQuery& query,
              const uint64_t* allowed, bool summed, size_t first, size_t last) {
    const auto from = std::lower_bound(
        question.terms.begin(), question.terms.end(), first,
        [](const ScoreTerm& term, size_t item) { return static_cast<size_t>(term.item) < item; });
    terms_ = question.terms.subspan(static_cast<size_t>(from - question.terms.begin()));
    for (size_t i = first; i < last; i += kScoreBlock) {
      const size_t end = std::min(last, i + kScoreBlock);
      if (summed || allowed == nullptr)
        search_block(question, query, allowed, summed, i, end);
      else
        search_words(question, query, allowed, i, end);
    }
  }

  BoundedTopK& best() { return best_; }
  const LogSum& sum() const { return sum_; }
  // The items with the largest estimates, best first.
  const std::vector<Scored>& largest() {
    largest_->finish();
    return largest_items_;
  }

 private:
  // Only those 64 items of which one is allowed.
  void search_words(const QuantizedQuestion& question, const QuantizedQuery& query,
                    const uint64_t* allowed, size_t first, size_t last) {
    for (size_t i = first; i < last;) {
      if (allowed[i / kWord] == 0) {
        i += kWord;
        continue;
      }
      size_t end = i + kWord;
      while (end < last && allowed[end / kWord] != 0) end += kWord;
      search_block(question, query, allowed, false, i, std::min(end, last));
      i = end;
    }
  }

  void search_block(const QuantizedQuestion& question, const QuantizedQuery& query,
                    const uint64_t* allowed, bool summed, size_t first, size_t last) {
    const QuantizedVectors& vectors = *question.vectors;
    const size_t count = last - first;
    const size_t whole = (count + kWord - 1) / kWord * kWord;
    const size_t steps = (vectors.width + 3) / 4;
    CodeBlock block{.codes = vectors.codes.data() + first * 4 * steps,
                    .query = query.codes(),
                    .steps = steps,
                    .scales = vectors.scales.data() + first,
                    .step = query.step() * question.factor,
                    .correction = query.correction(),
                    .margin = query.margin() * std::abs(question.factor),
                    .least_margin = question.least_margin,
                    .bias = offset(question.bias, first),
                    .row = offset(question.row, first),
                    .row_weight = question.row_weight,
                    .factors = offset(question.factors, first),
                    .wants_all = false};
    if (whole > count) {  // the last items, whose arrays are not padded
      pad(block.bias, count, bias_);
      pad(block.row, count, row_);
      pad(block.factors, count, factors_);
    }
    while (!terms_.empty() && static_cast<size_t>(terms_.front().item) < first)
      terms_ = terms_.subspan(1);
    const bool has_terms = !terms_.empty() && static_cast<size_t>(terms_.front().item) < last;
    const float limit = summed ? std::min(best_.limit(), largest_->threshold()) : best_.limit();
    const std::span<const float> estimates(estimates_.data(), count);
    // What the kernel sums are estimates alone.
    const bool in_passing =
        summed && !has_terms && whole == count && scan_and_sum(block, limit, whole);
    if (!in_passing) {
      block.wants_all = summed || has_terms;
      scan(block, limit, nullptr, whole);
    }
    if (has_terms) add_terms(first, last, limit);
    if (count % kWord != 0) masks_[count / kWord] &= (uint64_t{1} << (count % kWord)) - 1;
    if (summed && !in_passing) sum_.add(estimates);
    for (size_t w = 0; w < whole / kWord; ++w) {
      const uint64_t allowed_here = allowed == nullptr ? ~uint64_t{0} : allowed[first / kWord + w];
      for (uint64_t mask = masks_[w]; mask != 0; mask &= mask - 1) {
        const size_t i = w * kWord + static_cast<size_t>(std::countr_zero(mask));
        if (summed && estimates_[i] > largest_->threshold())
          largest_->add(estimates.subspan(i, 1), first + i, nullptr);
        if (((allowed_here >> (i % kWord)) & 1) == 0) continue;
        const float margin = uppers_[i] - estimates_[i];
        best_.add(static_cast<ItemIndex>(first + i), estimates_[i] - margin, uppers_[i]);
      }
    }
  }

  ExponentialSum scan(const CodeBlock& block, float limit, const float* reference, size_t size) {
    return kernels().scan_codes(size, block, limit, reference, estimates_.data(), uppers_.data(),
                                masks_.data());
  }

  // Scans, and adds the estimates to the sum while they are at hand. False if the sum wants them
  // all to be seen.
  bool scan_and_sum(const CodeBlock& block, float limit, size_t size) {
    const float reference = sum_.maximum();
    if (reference == kLowest) return false;
    const ExponentialSum sum = scan(block, limit, &reference, size);
    if (!(sum.maximum < reference + kFarthest) || !std::isfinite(sum.sum)) return false;
    sum_.add(sum.sum, sum.maximum);
    return true;
  }

  void add_terms(size_t first, size_t last, float limit) {
    for (; !terms_.empty() && static_cast<size_t>(terms_.front().item) < last;
         terms_ = terms_.subspan(1)) {
      const float term = terms_.front().term;
      const size_t i = static_cast<size_t>(terms_.front().item) - first;
      estimates_[i] += term;
      uppers_[i] += term + kAdditionMargin * std::abs(term);
      const uint64_t bit = uint64_t{1} << (i % kWord);
      masks_[i / kWord] = (masks_[i / kWord] & ~bit) | (uppers_[i] < limit ? 0 : bit);
    }
  }

  // Lets `array` point to its `count` numbers with zeros behind.
  static void pad(const float*& array, size_t count, std::array<float, kScoreBlock>& room) {
    if (array == nullptr) return;
    std::copy_n(array, count, room.begin());
    std::fill(room.begin() + static_cast<ptrdiff_t>(count), room.end(), 0.0F);
    array = room.data();
  }

  BoundedTopK best_;
  LogSum sum_;
  std::vector<Scored> largest_items_;
  std::optional<TopK> largest_;
  std::span<const ScoreTerm> terms_;  // from where the search is
  alignas(64) std::array<float, kScoreBlock> estimates_;
  alignas(64) std::array<float, kScoreBlock> uppers_;
  std::array<float, kScoreBlock> bias_, row_, factors_;
  std::array<uint64_t, kScoreBlock / kWord> masks_;
};

QuantizedSearch::QuantizedSearch(size_t two_threads_from) : two_threads_from_(two_threads_from) {}
QuantizedSearch::~QuantizedSearch() = default;

bool QuantizedSearch::best(const QuantizedQuestion& question, const uint64_t* allowed, size_t k,
                           const ScoreListed& score_listed, std::vector<Scored>& out, LogSum* sum) {
  if (!query_.set(*question.vectors, question.y)) return false;
  const size_t items = question.vectors->items;
  const size_t count = items < two_threads_from_ ? 1 : 2;
  while (parts_.size() < count) parts_.push_back(std::make_unique<Part>());
  for (size_t p = 0; p < count; ++p) parts_[p]->begin(std::min(k, items), score_listed);
  const bool summed = sum != nullptr;
  // Always the same parts: how sums round must not depend on the number of threads.
  const size_t size = (items / count + kScoreBlock) / kScoreBlock * kScoreBlock;
  const auto search_part = [&](size_t first, size_t last) {
    parts_[first / size]->search(question, query_, allowed, summed, first, last);
  };
  if (count == 1 || thread_count(0) == 1)
    for (size_t first = 0; first < items; first += size)
      search_part(first, std::min(items, first + size));
  else
    parallel_blocks(
        items, size, static_cast<int>(count), [] { return false; },
        [&](size_t first, size_t last, size_t) { search_part(first, last); });

  BoundedTopK& best = parts_[0]->best();
  for (size_t p = 1; p < count; ++p) best.add(parts_[p]->best());
  best.finish(out);
  scored_ = best.scored();
  if (summed) {
    std::vector<Scored>& largest = largest_;
    largest.clear();
    for (size_t p = 0; p < count; ++p) {
      sum->add(parts_[p]->sum());
      largest.insert(largest.end(), parts_[p]->largest().begin(), parts_[p]->largest().end());
    }
    std::stable_sort(largest.begin(), largest.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    largest.resize(std::min(largest.size(), kSummedExactly));
    items_.clear();
    for (const Scored& scored : largest) items_.push_back(scored.item);
    scores_.resize(items_.size());
    score_listed(items_, scores_);
    scored_ += items_.size();
    for (size_t i = 0; i < items_.size(); ++i) sum->replace(largest[i].score, scores_[i]);
  }
  return true;
}

}  // namespace personalize
