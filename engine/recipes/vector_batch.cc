#include "engine/recipes/vector_batch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/math/dispatch.h"

namespace personalize {
namespace {

// Items of a tile: those of a block of TopK and LogSum. With 128 floats each they take 256 KiB.
constexpr size_t kTile = kScoreBlock;
// Products that stay in the second-level cache, or a tile's if those are more.
constexpr size_t kPanelProducts = 160'000;
// Twice the rows that the widest kernel takes at a time: with all products of 5,700 items they stay
// in that cache.
constexpr size_t kFewQuestions = 28;
// Of vectors that are read anew for every batch.
constexpr size_t kMostQuestions = 128;
constexpr size_t kBatchScores = 8'000'000;
constexpr size_t kLeastQuestions = 8;
constexpr size_t kMostCopied = 2'000'000;  // floats
constexpr size_t kLanes = 16;              // of the widest kernel
// Candidates beyond the k that are asked for: nearly always enough to show that no other item can
// be among the best.
constexpr size_t kSpare = 16;

float length_of(std::span<const float> vector) {
  std::array<double, 4> squares{};  // so that one addition need not wait for the other
  for (size_t i = 0; i < vector.size(); ++i)
    squares[i % 4] += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
  return static_cast<float>(std::sqrt(squares[0] + squares[1] + squares[2] + squares[3]));
}

using Four = float __attribute__((vector_size(16)));
constexpr size_t kSquare = 4;

// Makes columns of four rows' four numbers.
void turn_square(const float* from, size_t stride, float* to) {
  Four row[kSquare];
  for (size_t r = 0; r < kSquare; ++r) std::memcpy(&row[r], from + r * stride, sizeof(Four));
  const Four a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Four column[kSquare] = {
      __builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
      __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (size_t i = 0; i < kSquare; ++i) std::memcpy(to + i * kTile, &column[i], sizeof(Four));
}

// Makes columns of a tile of `rows` rows of d numbers, 16 at most: so many share cache lines there.
void turn(const float* from, size_t rows, size_t d, float* to) {
  const size_t whole = rows % kSquare == 0 ? d - d % kSquare : 0;
  for (size_t c = 0; c < whole; c += kSquare)
    for (size_t r = 0; r < rows; r += kSquare) turn_square(from + r * d + c, d, to + c * kTile + r);
  for (size_t c = whole; c < d; ++c)
    for (size_t r = 0; r < rows; ++r) to[c * kTile + r] = from[r * d + c];
}

// Items first .. first + count - 1.
void make_tile(const ItemVectors& vectors, size_t first, size_t count, float* tile) {
  constexpr size_t kRows = kSquare * kSquare;
  for (size_t j = 0; j < count; j += kRows)
    turn(vectors.vectors.data() + (first + j) * vectors.width, std::min(kRows, count - j),
         vectors.width, tile + j);
}

}  // namespace

BatchVectors BatchVectors::of(const ItemVectors& vectors) {
  BatchVectors known;
  const size_t d = vectors.width;
  for (size_t j = 0; j < vectors.items; ++j) {
    known.longest = std::max(known.longest, length_of(vectors.vectors.subspan(j * d, d)));
    known.largest_bias = std::max(known.largest_bias, std::abs(vectors.bias[j]));
  }
  const size_t tiles = (vectors.items + kTile - 1) / kTile;
  if (tiles * kTile * d > kMostCopied) {
    known.questions = std::clamp(kBatchScores / vectors.items, kLeastQuestions, kMostQuestions);
    return known;
  }
  known.questions = kFewQuestions;
  known.tiles = AlignedFloats(tiles * kTile * d);
  for (size_t t = 0; t < tiles; ++t)
    make_tile(vectors, t * kTile, std::min(kTile, vectors.items - t * kTile),
              known.tiles.data() + t * kTile * d);
  return known;
}

void BatchSearch::sort_terms(size_t panels, std::span<const BatchQuestion> questions) {
  if (panels == 1) return;
  size_t all = 0;
  for (const BatchQuestion& each : questions) all += each.question.terms.size();
  terms_.resize(all);
  term_start_.assign(questions.size() * (panels + 1), 0);
  size_t begin = 0;
  for (size_t q = 0; q < questions.size(); ++q) {
    size_t* start = term_start_.data() + q * (panels + 1);
    for (const ScoreTerm& each : questions[q].question.terms)
      ++start[static_cast<size_t>(each.item) / panel_ + 1];
    start[0] = begin;
    for (size_t p = 0; p < panels; ++p) start[p + 1] += start[p];
    next_.assign(start, start + panels);
    for (const ScoreTerm& each : questions[q].question.terms)
      terms_[next_[static_cast<size_t>(each.item) / panel_]++] = each;
    begin = start[panels];
  }
}

std::span<const ScoreTerm> BatchSearch::terms_of(std::span<const BatchQuestion> questions, size_t q,
                                                 size_t panel) const {
  if (term_start_.empty()) return questions[q].question.terms;
  const size_t panels = term_start_.size() / questions.size() - 1;
  const size_t* start = term_start_.data() + q * (panels + 1) + panel;
  return std::span(terms_).subspan(start[0], start[1] - start[0]);
}

void BatchSearch::multiply(const ItemVectors& vectors, const BatchVectors& known, size_t first,
                           size_t items, size_t questions) {
  const size_t d = vectors.width;
  for (size_t j = 0; j < items; j += kTile) {
    const size_t count = std::min(kTile, items - j);
    const bool copied = known.tiles.size() > 0;
    if (!copied) make_tile(vectors, first + j, count, tile_.data());
    const float* tile = copied ? known.tiles.data() + (first + j) * d : tile_.data();
    // In whole lanes: what stands behind the last item is of no use and does no harm.
    kernels().product(questions, (count + kLanes - 1) / kLanes * kLanes, d,
                      {left_.data(), static_cast<ptrdiff_t>(d), 1}, tile, kTile,
                      products_.data() + j, static_cast<ptrdiff_t>(stride_), false);
  }
}

void BatchSearch::run(const ItemVectors& vectors, const BatchVectors& known, size_t k,
                      std::span<BatchQuestion> questions) {
  if (questions.empty()) return;
  const Kernels& kernel = kernels();
  const size_t d = vectors.width;
  const size_t count = questions.size();
  const size_t tiles = (vectors.items + kTile - 1) / kTile;
  panel_ = std::max(kPanelProducts / count / kTile, size_t{1}) * kTile;
  if (vectors.items <= kPanelProducts / count) panel_ = tiles * kTile;
  // Not a power of two, or the rows would meet in the caches.
  stride_ = (std::min(panel_, vectors.items) + kLanes - 1) / kLanes * kLanes + kLanes;
  const size_t panels = (vectors.items + panel_ - 1) / panel_;
  if (left_.size() < count * d) left_ = AlignedFloats(count * d);
  if (known.tiles.size() == 0 && tile_.size() < kTile * d) tile_ = AlignedFloats(kTile * d);
  if (products_.size() < count * stride_) products_ = AlignedFloats(count * stride_);
  for (size_t q = 0; q < count; ++q)
    std::copy_n(questions[q].question.y.data(), d, left_.data() + q * d);
  term_start_.clear();
  sort_terms(panels, questions);

  const size_t collected = k == 0 ? 0 : std::min(k + kSpare, vectors.items);
  std::vector<TopK> best;
  best.reserve(count);
  for (BatchQuestion& each : questions) best.emplace_back(collected, each.best);
  std::vector<LogSum> sums(count);
  for (size_t p = 0; p < panels; ++p) {
    const size_t first = p * panel_;
    const size_t items = std::min(panel_, vectors.items - first);
    multiply(vectors, known, first, items, count);
    for (size_t q = 0; q < count; ++q) {
      const VectorQuestion::Kept& question = questions[q].question;
      float* scores = products_.data() + q * stride_;
      kernel.add_scaled(items, 1, vectors.bias.data() + first, scores);
      if (!question.row.empty())
        kernel.add_scaled(items, question.weight, question.row.data() + first, scores);
      for (const ScoreTerm& each : terms_of(questions, q, p))
        scores[static_cast<size_t>(each.item) - first] += each.term;
      best[q].add({scores, items}, first, questions[q].allowed);
      for (size_t j = 0; j < items; j += kScoreBlock)
        sums[q].add({scores + j, std::min(kScoreBlock, items - j)});
    }
  }
  for (size_t q = 0; q < count; ++q) {
    best[q].finish();
    questions[q].log_sum = sums[q].value();
    finish(vectors, known, k, collected, questions[q]);
  }
}

double BatchSearch::largest_of(std::span<const float> row) {
  if (row.empty()) return 0;
  for (const auto& [start, known] : largest_)
    if (start == row.data()) return known;
  double largest = 0;
  for (const float x : row) largest = std::max(largest, std::abs(static_cast<double>(x)));
  largest_.emplace_back(row.data(), largest);
  return largest;
}

void BatchSearch::ask_alone(const VectorQuestion::Kept& question,
                            std::span<const ItemIndex> items) {
  alone_.begin(*question.vectors);
  std::copy(question.y.begin(), question.y.end(), alone_.y().begin());
  alone_.set_row(question.weight, question.row);
  if (is_wanted_.size() < question.vectors->items) is_wanted_.resize(question.vectors->items);
  for (const ItemIndex item : items) is_wanted_[static_cast<size_t>(item)] = 1;
  for (const ScoreTerm& each : question.terms)
    if (is_wanted_[static_cast<size_t>(each.item)] != 0) alone_.add(each.item, each.term);
  for (const ItemIndex item : items) is_wanted_[static_cast<size_t>(item)] = 0;
}

void BatchSearch::finish(const ItemVectors& vectors, const BatchVectors& known, size_t k,
                         size_t collected, BatchQuestion& question) {
  // The last candidate's sum: no item that was left out has a larger one.
  const bool all_collected = question.best.size() < collected || collected == vectors.items;
  const float last = question.best.empty() ? 0 : question.best.back().score;
  candidates_.clear();
  for (const Scored& each : question.best) candidates_.push_back(each.item);
  scores_.resize(candidates_.size());
  ask_alone(question.question, candidates_);
  score_listed(alone_, candidates_, scores_);
  for (size_t i = 0; i < candidates_.size(); ++i) question.best[i].score = scores_[i];
  std::sort(question.best.begin(), question.best.end(), better);
  if (question.best.size() > k) question.best.resize(k);
  if (all_collected || k == 0) return;

  // Both ways of adding up are off by the bound at most. Each number that is added after the
  // product (bias, row, terms) is rounded to within 2^-24 of the largest that can come up.
  const double n = static_cast<double>(vectors.width) + 1;
  const double unit = n * 0x1p-24;
  const double length = static_cast<double>(length_of(question.question.y));
  double largest = static_cast<double>(known.longest) * length;
  const double product = unit / (1 - unit) * largest;
  largest +=
      static_cast<double>(known.largest_bias) +
      std::abs(static_cast<double>(question.question.weight)) * largest_of(question.question.row);
  for (const ScoreTerm& each : question.question.terms)
    largest += std::abs(static_cast<double>(each.term));
  constexpr double kRoundings = (2 + 2 * VectorQuestion::kMostTerms) * 0x1p-24;
  const double off = 2 * (product + kRoundings * largest);
  if (static_cast<double>(question.best.back().score) > static_cast<double>(last) + off) return;
  alone_.ask_again(question.question);
  std::vector<Scored> found;
  TopK best(k, found);
  search(alone_, question.allowed, &best, nullptr);
  best.finish();
  question.best = std::move(found);
}

}  // namespace personalize
