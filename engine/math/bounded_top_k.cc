#include "engine/math/bounded_top_k.h"

#include <algorithm>
#include <cmath>

namespace personalize {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

void BoundedTopK::begin(size_t k, const ScoreListed& score_listed) {
  k_ = k;
  most_ = k > std::numeric_limits<size_t>::max() / 4 ? k : 2 * k + 64;
  limit_ = k == 0 ? kInfinity : -kInfinity;
  score_listed_ = &score_listed;
  candidates_.clear();
  scored_ = 0;
}

void BoundedTopK::push(const Candidate& candidate) {
  if (k_ == 0) return;
  candidates_.push_back(candidate);
  if (candidates_.size() < most_) return;
  drop_what_cannot_win();
  // Bounds that overlap too much: scores tell more.
  if (candidates_.size() > k_ + (most_ - k_) / 2) score_all();
}

void BoundedTopK::add(ItemIndex item, float lower, float upper) {
  if (upper < limit_) return;
  push({item, std::isnan(lower) ? -kInfinity : lower, std::isnan(upper) ? kInfinity : upper});
}

void BoundedTopK::add(const BoundedTopK& other) {
  limit_ = std::max(limit_, other.limit_);
  scored_ += other.scored_;
  candidates_.insert(candidates_.end(), other.candidates_.begin(), other.candidates_.end());
}

void BoundedTopK::drop_what_cannot_win() {
  if (candidates_.size() < k_) return;
  const auto at = candidates_.begin() + static_cast<ptrdiff_t>(k_ - 1);
  std::nth_element(candidates_.begin(), at, candidates_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.lower > b.lower; });
  // An item that may be as good as the worst of these may come before it.
  const float least = at->lower;
  limit_ = std::max(limit_, least);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.upper < least; });
}

void BoundedTopK::score_all() {
  items_.clear();
  for (const Candidate& candidate : candidates_)
    if (!candidate.is_scored) items_.push_back(candidate.item);
  scores_.resize(items_.size());
  (*score_listed_)(items_, scores_);
  scored_ += items_.size();
  auto score = scores_.begin();
  for (Candidate& candidate : candidates_) {
    if (candidate.is_scored) continue;
    candidate.lower = candidate.upper = *score++;
    candidate.is_scored = true;
  }
  std::erase_if(candidates_, [](const Candidate& c) { return !(c.lower > -kInfinity); });
  if (candidates_.size() <= k_) return;
  const auto at = candidates_.begin() + static_cast<ptrdiff_t>(k_ - 1);
  std::nth_element(candidates_.begin(), at, candidates_.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return a.lower > b.lower || (a.lower == b.lower && a.item < b.item);
                   });
  // Those that come after the worst of the k best must be better than it.
  limit_ = std::max(limit_, std::nextafter(at->lower, kInfinity));
  candidates_.resize(k_);
}

void BoundedTopK::finish(std::vector<Scored>& out) {
  out.clear();
  if (k_ == 0) return;
  drop_what_cannot_win();
  score_all();
  for (const Candidate& candidate : candidates_) out.push_back({candidate.item, candidate.lower});
  std::sort(out.begin(), out.end(), better);
}

}  // namespace personalize
