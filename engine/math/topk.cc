#include "engine/math/topk.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/math/dispatch.h"

namespace personalize {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr size_t kGroup = 32;  // scores whose maximum decides whether any of them is looked at
constexpr size_t kMostMaxima = 256;

}  // namespace

void LogSum::add(std::span<const float> scores) {
  const float maximum = kernels().maximum(scores.size(), scores.data());
  if (maximum == kLowest) return;
  move_to(maximum);
  double sum = kernels().moments(scores.size(), scores.data(), maximum_, scores.data()).zeroth;
  if (!std::isfinite(sum)) {  // a score is no number
    sum = 0;
    for (const float score : scores)
      if (score > kLowest) sum += std::exp(score - maximum_);
  }
  sum_ += sum;
}

void LogSum::add(double sum, float largest) {
  sum_ += sum;
  move_to(largest);
}

void LogSum::add(const LogSum& other) {
  if (other.maximum_ == kLowest) return;
  move_to(other.maximum_);
  sum_ += other.sum_ * std::exp(static_cast<double>(other.maximum_) - maximum_);
}

void LogSum::move_to(float maximum) {
  if (maximum <= maximum_) return;
  sum_ *= std::exp(static_cast<double>(maximum_) - maximum);
  maximum_ = maximum;
}

void LogSum::replace(float given, float score) {
  if (!std::isfinite(given) || !std::isfinite(score)) return;
  sum_ += std::exp(static_cast<double>(score) - maximum_) -
          std::exp(static_cast<double>(given) - maximum_);
}

double LogSum::value() const { return maximum_ == kLowest ? kLowest : maximum_ + std::log(sum_); }

// Whatever beats the threshold is appended; when the buffer is full all but the best k are thrown
// away, and the worst of them is the new threshold.
TopK::TopK(size_t k, std::vector<Scored>& out) : k_(k), threshold_(kLowest), kept_(out) {
  kept_.clear();
  limit_ = k_ > std::numeric_limits<size_t>::max() / 4 ? k_ : 2 * k_ + 64;
}

void TopK::add(std::span<const float> scores, size_t first, const uint64_t* allowed) {
  const auto maximum = kernels().maximum;
  if (k_ == 0 || !(maximum(scores.size(), scores.data()) > threshold_)) return;
  if (threshold_ == kLowest && kept_.empty() && allowed == nullptr) set_threshold(scores);
  for (size_t i = 0; i < scores.size(); i += kGroup) {
    const size_t n = std::min(kGroup, scores.size() - i);
    if (maximum(n, scores.data() + i) > threshold_)
      add_group(scores.subspan(i, n), first + i, allowed);
  }
}

// k groups of scores have a larger or equal one, so that smaller scores are not among the best.
// Without that, all the first scores would be taken.
void TopK::set_threshold(std::span<const float> scores) {
  if (k_ > kMostMaxima || scores.size() < 4 * k_) return;
  std::array<float, kMostMaxima> maxima;
  const size_t groups =
      std::min(kMostMaxima, scores.size() / std::min(kGroup, scores.size() / (2 * k_)));
  const size_t group = scores.size() / groups;
  for (size_t g = 0; g < groups; ++g)
    maxima[g] = kernels().maximum(group, scores.data() + g * group);
  const auto last = maxima.begin() + static_cast<ptrdiff_t>(k_ - 1);
  std::nth_element(maxima.begin(), last, maxima.begin() + static_cast<ptrdiff_t>(groups),
                   std::greater<>());
  threshold_ = std::nextafter(*last, kLowest);
}

void TopK::finish() {
  if (kept_.size() > k_) shrink();
  std::sort(kept_.begin(), kept_.end(), better);
}

void TopK::add_group(std::span<const float> scores, size_t first, const uint64_t* allowed) {
  for (size_t j = 0; j < scores.size(); ++j) {
    const size_t item = first + j;
    if (!(scores[j] > threshold_)) continue;
    if (allowed != nullptr && ((allowed[item / 64] >> (item % 64)) & 1) == 0) continue;
    kept_.push_back({static_cast<ItemIndex>(item), scores[j]});
    if (kept_.size() >= limit_) shrink();
  }
}

void TopK::shrink() {
  const auto last = kept_.begin() + static_cast<ptrdiff_t>(k_ - 1);
  std::nth_element(kept_.begin(), last, kept_.end(), better);
  threshold_ = last->score;  // later items have larger indices: an equal score does not win
  kept_.resize(k_);
}

void top_k(std::span<const float> scores, const uint64_t* allowed, size_t k,
           std::vector<Scored>& out, double* log_normaliser) {
  TopK best(std::min(k, scores.size()), out);
  LogSum sum;
  for (size_t i = 0; i < scores.size(); i += kScoreBlock) {
    const std::span<const float> block =
        scores.subspan(i, std::min(kScoreBlock, scores.size() - i));
    best.add(block, i, allowed);
    if (log_normaliser != nullptr) sum.add(block);
  }
  best.finish();
  if (log_normaliser != nullptr) *log_normaliser = sum.value();
}

double log_sum_exp(std::span<const float> scores) {
  LogSum sum;
  for (size_t i = 0; i < scores.size(); i += kScoreBlock)
    sum.add(scores.subspan(i, std::min(kScoreBlock, scores.size() - i)));
  return sum.value();
}

}  // namespace personalize
