#include "engine/recipes/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/math/machine_speed.h"

namespace personalize {
namespace {

constexpr size_t kWeights = 2 + kOwnHistoryParameters;
constexpr double kPenalty = 1e-4;
constexpr int kIterations = 25;

using Weights = std::array<double, kWeights>;

struct Likelihood {
  double loss = 0;  // to be minimised
  Weights gradient{};
  std::array<Weights, kWeights> hessian{};
};

// An item whose score has sparse parts: its features besides `base`.
struct SparseItem {
  ItemIndex item;
  float markov;  // L
  const OwnItem* own;
};

class Fit {
 public:
  Fit(std::span<const CalibrationCase> cases, bool fit_own)
      : cases_(cases),
        active_(fit_own ? kWeights : 2),
        scores_(cases[0].base.size()),
        place_(cases[0].base.size(), -1) {}

  size_t active() const { return active_; }

  Likelihood evaluate(const Weights& weights, bool derivatives, const std::function<bool()>& stop,
                      bool& stopped) {
    Likelihood sum;
    for (const CalibrationCase& one : cases_) {
      if (stop()) {
        stopped = true;
        return sum;
      }
      add_case(one, weights, derivatives, sum);
    }
    const double penalty = kPenalty * static_cast<double>(cases_.size());
    for (size_t i = 0; i < active_; ++i) {
      sum.loss += penalty * weights[i] * weights[i];
      sum.gradient[i] += 2 * penalty * weights[i];
      sum.hessian[i][i] += 2 * penalty;
    }
    return sum;
  }

  // How many items score as much as the target or more, itself included.
  size_t rank_of_target(const CalibrationCase& one, const Weights& weights) {
    score(one, weights);
    clear_sparse();
    const float wanted = scores_[static_cast<size_t>(one.target)];
    return static_cast<size_t>(std::count_if(scores_.begin(), scores_.end(),
                                             [wanted](float score) { return score >= wanted; }));
  }

 private:
  // The features of an item beyond the first two: D's.
  static Weights features(const CalibrationCase& one, float base, const SparseItem& sparse) {
    Weights f{};
    f[0] = base;
    f[1] = sparse.markov;
    if (sparse.own != nullptr) {
      f[2 + recency_bucket(one.last_place - sparse.own->last)] = 1;
      f[2 + kRecencyBuckets] = std::log(static_cast<double>(sparse.own->count));
      f[3 + kRecencyBuckets] = sparse.own->last >= one.session_start ? 1 : 0;
    }
    return f;
  }

  void collect_sparse(const CalibrationCase& one) {
    sparse_.clear();
    for (size_t i = 0; i < one.markov_items.size(); ++i) {
      place_[static_cast<size_t>(one.markov_items[i])] = static_cast<int32_t>(sparse_.size());
      sparse_.push_back({one.markov_items[i], one.markov_terms[i], nullptr});
    }
    for (const OwnItem& own : one.own) {
      int32_t& place = place_[static_cast<size_t>(own.item)];
      if (place < 0) {
        place = static_cast<int32_t>(sparse_.size());
        sparse_.push_back({own.item, 0, nullptr});
      }
      sparse_[static_cast<size_t>(place)].own = &own;
    }
  }

  void clear_sparse() {
    for (const SparseItem& sparse : sparse_) place_[static_cast<size_t>(sparse.item)] = -1;
  }

  // Leaves z in scores_; clear_sparse() is the caller's.
  void score(const CalibrationCase& one, const Weights& weights) {
    collect_sparse(one);
    std::fill(scores_.begin(), scores_.end(), 0.0F);
    kernels().add_scaled(scores_.size(), static_cast<float>(weights[0]), one.base.data(),
                         scores_.data());
    for (const SparseItem& sparse : sparse_) {
      const auto item = static_cast<size_t>(sparse.item);
      const Weights f = features(one, 0, sparse);
      double extra = 0;
      for (size_t i = 1; i < kWeights; ++i) extra += weights[i] * f[i];
      scores_[item] += static_cast<float>(extra);
    }
  }

  void add_case(const CalibrationCase& one, const Weights& weights, bool derivatives,
                Likelihood& sum) {
    const Kernels& k = kernels();
    const size_t n = scores_.size();
    score(one, weights);
    const float highest = k.maximum(n, scores_.data());
    const Moments m = k.moments(n, scores_.data(), highest, one.base.data());
    const auto target = static_cast<size_t>(one.target);
    sum.loss += highest + std::log(m.zeroth) - scores_[target];
    if (derivatives) add_derivatives(one, m, highest, sum);
    clear_sparse();
  }

  // gradient += E[f] - f(target); hessian += E[f f'] - E[f] E[f]'.
  void add_derivatives(const CalibrationCase& one, const Moments& m, float highest,
                       Likelihood& sum) {
    Weights mean{};
    std::array<Weights, kWeights> square{};
    mean[0] = m.first / m.zeroth;
    square[0][0] = m.second / m.zeroth;
    for (const SparseItem& sparse : sparse_) {
      const auto item = static_cast<size_t>(sparse.item);
      const double p = std::exp(static_cast<double>(scores_[item]) - highest) / m.zeroth;
      const Weights f = features(one, one.base[item], sparse);
      for (size_t i = 1; i < active_; ++i) {
        if (f[i] == 0) continue;
        mean[i] += p * f[i];
        for (size_t j = 0; j <= i; ++j) square[i][j] += p * f[i] * f[j];
      }
    }
    const auto target = static_cast<size_t>(one.target);
    const int32_t place = place_[target];
    const SparseItem none{one.target, 0, nullptr};
    const Weights wanted =
        features(one, one.base[target], place < 0 ? none : sparse_[static_cast<size_t>(place)]);
    for (size_t i = 0; i < active_; ++i) {
      sum.gradient[i] += mean[i] - wanted[i];
      for (size_t j = 0; j <= i; ++j) sum.hessian[i][j] += square[i][j] - mean[i] * mean[j];
    }
  }

  std::span<const CalibrationCase> cases_;
  size_t active_;
  std::vector<float> scores_;
  std::vector<int32_t> place_;  // an item's place in sparse_, -1 if it has none
  std::vector<SparseItem> sparse_;
};

// Solves hessian * step = gradient by Cholesky's method; the lower triangle is read. False if it is
// not positive definite.
bool solve(std::array<Weights, kWeights> hessian, Weights& step, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = hessian[i][j];
      for (size_t k = 0; k < j; ++k) sum -= hessian[i][k] * hessian[j][k];
      if (i == j && !(sum > 0)) return false;
      hessian[i][j] = i == j ? std::sqrt(sum) : sum / hessian[j][j];
    }
    for (size_t k = 0; k < i; ++k) step[i] -= hessian[i][k] * step[k];
    step[i] /= hessian[i][i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) step[i] -= hessian[k][i] * step[k];
    step[i] /= hessian[i][i];
  }
  return true;
}

Weights to_array(const CalibrationWeights& weights) {
  Weights array{};
  array[0] = weights.a;
  array[1] = weights.w;
  for (size_t b = 0; b < kRecencyBuckets; ++b) array[2 + b] = weights.own.recency[b];
  array[2 + kRecencyBuckets] = weights.own.count_weight;
  array[3 + kRecencyBuckets] = weights.own.session_weight;
  return array;
}

CalibrationWeights from_array(const Weights& array) {
  CalibrationWeights weights;
  weights.a = static_cast<float>(array[0]);
  weights.w = static_cast<float>(array[1]);
  for (size_t b = 0; b < kRecencyBuckets; ++b)
    weights.own.recency[b] = static_cast<float>(array[2 + b]);
  weights.own.count_weight = static_cast<float>(array[2 + kRecencyBuckets]);
  weights.own.session_weight = static_cast<float>(array[3 + kRecencyBuckets]);
  return weights;
}

}  // namespace

Result<CalibrationWeights> calibrate(std::span<const CalibrationCase> cases,
                                     const CalibrationWeights& start, bool fit_own,
                                     const std::function<bool()>& stop) {
  if (cases.empty()) return start;
  Fit fit(cases, fit_own);
  const size_t n = fit.active();
  bool stopped = false;
  Weights weights = to_array(start);
  Likelihood now = fit.evaluate(weights, true, stop, stopped);
  for (int iteration = 0; iteration < kIterations && !stopped; ++iteration) {
    Weights step = now.gradient;
    if (!solve(now.hessian, step, n)) break;
    double slope = 0;
    for (size_t i = 0; i < n; ++i) slope += step[i] * now.gradient[i];
    if (!(slope > 1e-7 * static_cast<double>(cases.size()))) break;
    // Halves the step until it helps; the full step nearly always does.
    double length = 1;
    Weights next = weights;
    bool helps = false;
    for (int halving = 0; halving < 12 && !helps && !stopped; ++halving, length /= 2) {
      for (size_t i = 0; i < n; ++i) next[i] = weights[i] - length * step[i];
      helps = fit.evaluate(next, false, stop, stopped).loss <= now.loss - 1e-4 * length * slope;
    }
    if (!helps) break;
    weights = next;
    now = fit.evaluate(weights, true, stop, stopped);
  }
  if (stopped) return Status(StatusCode::kInterrupted, "training was interrupted");
  const bool finite =
      std::all_of(weights.begin(), weights.end(), [](double x) { return std::isfinite(x); });
  return finite ? from_array(weights) : start;
}

Result<double> ranking_gain(std::span<const CalibrationCase> cases,
                            const CalibrationWeights& weights, const std::function<bool()>& stop) {
  if (cases.empty()) return 0.0;
  Fit fit(cases, true);
  const Weights array = to_array(weights);
  double gain = 0;
  for (const CalibrationCase& one : cases) {
    if (stop()) return Status(StatusCode::kInterrupted, "training was interrupted");
    gain += 1 / std::log2(1 + static_cast<double>(fit.rank_of_target(one, array)));
  }
  return gain / static_cast<double>(cases.size());
}

double calibration_seconds(size_t cases, double items, double terms, double own) {
  constexpr double kPasses = 14;  // of Newton's method and its line searches, seldom more
  return kPasses * static_cast<double>(cases) * (items + 30 * (terms + own)) /
         machine_speed().updates;
}

double calibration_bytes(size_t cases, double terms, double own) {
  return static_cast<double>(cases) * (8 * terms + sizeof(OwnItem) * own + sizeof(CalibrationCase));
}

}  // namespace personalize
