#include "engine/recipes/hrnn/cold_calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {

constexpr size_t kMostCases = 300;
constexpr size_t kMostFloats = size_t{1} << 24;
constexpr int kIterations = 20;
constexpr double kMostStep = 2;
constexpr double kDiagonal = 1e-6;  // keeps the Hessian regular where one number does not matter

// The mean log likelihood, and how it changes with (alpha, beta).
struct Likelihood {
  double value = 0;
  std::array<double, 2> gradient{};
  double h00 = kDiagonal, h01 = 0, h11 = kDiagonal;  // less the second derivatives
};

class ColdFit {
 public:
  ColdFit(std::span<const ColdCase> cases, const LeftOut& left_out, float a)
      : cases_(cases), left_out_(left_out), place_of_target_(cases.size(), -1) {
    const size_t n = left_out.items.size();
    const size_t d = left_out.embedding.size() / std::max<size_t>(1, n);
    cold_.resize(cases.size() * n);
    for (size_t q = 0; q < cases.size(); ++q) {
      float* c = cold_.data() + q * n;
      kernels().matrix_vector(n, d, left_out.embedding.data(), cases[q].y.data(),
                              left_out.bias.data(), c);
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += c[i] *= a;
      const auto mean = static_cast<float>(sum / static_cast<double>(n));
      mean_.push_back(mean);
      for (size_t i = 0; i < n; ++i) c[i] -= mean;
      add_known(cases[q]);
    }
    std::vector<int32_t> place(cases.empty() ? 0 : cases[0].scores.size(), -1);
    for (size_t i = 0; i < n; ++i)
      place[static_cast<size_t>(left_out.items[i])] = static_cast<int32_t>(i);
    for (size_t q = 0; q < cases.size(); ++q)
      place_of_target_[q] = place[static_cast<size_t>(cases[q].target)];
  }

  Likelihood evaluate(double alpha, double beta, const std::function<bool()>& stop) const {
    Likelihood sum;
    for (size_t q = 0; q < cases_.size(); ++q) {
      if (stop()) return sum;
      add_case(q, alpha, beta, sum);
    }
    const double count = static_cast<double>(cases_.size() * LeftOut::kFolds);
    sum.value /= count;
    for (double& g : sum.gradient) g /= count;
    sum.h00 = sum.h00 / count + kDiagonal;
    sum.h01 /= count;
    sum.h11 = sum.h11 / count + kDiagonal;
    return sum;
  }

  float noise(double alpha, double beta) const {
    const size_t n = left_out_.items.size();
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < n; ++i) {
      double difference = 0;
      for (size_t q = 0; q < cases_.size(); ++q)
        difference += cases_[q].scores[static_cast<size_t>(left_out_.items[i])] -
                      (mean_[q] + alpha * cold_[q * n + i] + beta);
      difference /= static_cast<double>(cases_.size());
      sum += difference;
      squares += difference * difference;
    }
    const double mean = sum / static_cast<double>(n);
    return static_cast<float>(
        std::sqrt(std::max(0.0, squares / static_cast<double>(n) - mean * mean)));
  }

  // The mean NDCG@10 that events of known items lose when a fold's items score as new ones: over
  // all cases, and for each over the folds without its target.
  double lost(double alpha, double beta) const {
    double sum = 0;
    for (size_t q = 0; q < cases_.size(); ++q) sum += lost_by_case(q, alpha, beta);
    return sum / static_cast<double>(cases_.size());
  }

 private:
  using Folds = std::array<double, LeftOut::kFolds>;

  // What the items weigh in the softmax by their own scores: all together, and each fold's.
  struct Known {
    double highest = 0, all = 0;
    Folds fold{};
  };

  void add_known(const ColdCase& one) {
    Known known;
    known.highest = kernels().maximum(one.scores.size(), one.scores.data());
    for (const float score : one.scores) known.all += std::exp(score - known.highest);
    for (size_t i = 0; i < left_out_.items.size(); ++i)
      known.fold[left_out_.fold[i]] +=
          std::exp(one.scores[static_cast<size_t>(left_out_.items[i])] - known.highest);
    known_.push_back(known);
  }

  static double gain(size_t better) {
    return better < 10 ? 1 / std::log2(2 + static_cast<double>(better)) : 0;
  }

  double lost_by_case(size_t q, double alpha, double beta) const {
    const ColdCase& one = cases_[q];
    const float score = one.scores[static_cast<size_t>(one.target)];
    const auto better = static_cast<size_t>(
        std::count_if(one.scores.begin(), one.scores.end(), [&](float s) { return s > score; }));
    const size_t n = left_out_.items.size();
    std::array<size_t, LeftOut::kFolds> known{};
    std::array<size_t, LeftOut::kFolds> cold{};
    for (size_t i = 0; i < n; ++i) {
      const size_t f = left_out_.fold[i];
      known[f] += one.scores[static_cast<size_t>(left_out_.items[i])] > score;
      cold[f] += mean_[q] + alpha * cold_[q * n + i] + beta > score;
    }
    const int32_t place = place_of_target_[q];
    double sum = 0;
    size_t folds = 0;
    for (size_t f = 0; f < LeftOut::kFolds; ++f) {
      if (place >= 0 && left_out_.fold[static_cast<size_t>(place)] == f) continue;
      const size_t others = better - known[f];
      sum += gain(others) - gain(others + cold[f]);
      ++folds;
    }
    return sum / static_cast<double>(folds);
  }

  void add_case(size_t q, double alpha, double beta, Likelihood& sum) const {
    const size_t n = left_out_.items.size();
    const float* c = cold_.data() + q * n;
    const Known& known = known_[q];
    Folds zeroth{};
    Folds first{};
    Folds second{};
    const double offset = mean_[q] + beta - known.highest;
    for (size_t i = 0; i < n; ++i) {
      const double weight = std::exp(offset + alpha * c[i]);
      const size_t f = left_out_.fold[i];
      zeroth[f] += weight;
      first[f] += weight * c[i];
      second[f] += weight * c[i] * c[i];
    }
    const int32_t place = place_of_target_[q];
    const double score = cases_[q].scores[static_cast<size_t>(cases_[q].target)];
    for (size_t f = 0; f < LeftOut::kFolds; ++f) {
      const double total = std::max(0.0, known.all - known.fold[f]) + zeroth[f];
      const double p0 = zeroth[f] / total;
      const double p1 = first[f] / total;
      const double p2 = second[f] / total;
      const bool hit = place >= 0 && left_out_.fold[static_cast<size_t>(place)] == f;
      const double wanted = hit ? c[place] : 0;
      const double z = hit ? offset + alpha * wanted : score - known.highest;
      sum.value += z - std::log(total);
      sum.gradient[0] += wanted - p1;
      sum.gradient[1] += (hit ? 1 : 0) - p0;
      sum.h00 += p2 - p1 * p1;
      sum.h01 += p1 - p1 * p0;
      sum.h11 += p0 - p0 * p0;
    }
  }

  std::span<const ColdCase> cases_;
  const LeftOut& left_out_;
  std::vector<float> cold_;               // c - m, cases x items left out
  std::vector<float> mean_;               // m, one a case
  std::vector<Known> known_;              // one a case
  std::vector<int32_t> place_of_target_;  // the target's place among the items left out, or -1
};

// Whether a number at a bound is pushed beyond it.
bool held(double value, double gradient, double least, double most) {
  return (value <= least && gradient < 0) || (value >= most && gradient > 0);
}

float choose_caution(const ColdFit& fit, double alpha, double beta) {
  float caution = kLeastCaution;
  while (caution < kMostCaution && fit.lost(alpha, beta - caution) > kMostLost)
    caution += kCautionStep;
  return caution;
}

// Newton's step within the bounds: a number that is held at one stays.
std::array<double, 2> newton_step(const Likelihood& now, double alpha, double beta) {
  const bool alpha_held = held(alpha, now.gradient[0], kLeastAlpha, kMostAlpha);
  const bool beta_held = held(beta, now.gradient[1], -kMostBeta, kMostBeta);
  std::array<double, 2> step{};
  if (!alpha_held && !beta_held) {
    const double determinant = now.h00 * now.h11 - now.h01 * now.h01;
    step = {(now.h11 * now.gradient[0] - now.h01 * now.gradient[1]) / determinant,
            (now.h00 * now.gradient[1] - now.h01 * now.gradient[0]) / determinant};
  } else if (!alpha_held) {
    step[0] = now.gradient[0] / now.h00;
  } else if (!beta_held) {
    step[1] = now.gradient[1] / now.h11;
  }
  for (double& s : step) s = std::clamp(s, -kMostStep, kMostStep);
  return step;
}

}  // namespace

size_t cold_cases(size_t left_out) {
  return std::min(kMostCases, kMostFloats / std::max<size_t>(1, left_out));
}

Result<ColdWeights> calibrate_cold(std::span<const ColdCase> cases, const LeftOut& left_out,
                                   float a, const std::function<bool()>& stop) {
  if (cases.empty() || left_out.items.empty()) return ColdWeights();
  const ColdFit fit(cases, left_out, a);
  double alpha = 1;
  double beta = 0;
  Likelihood now = fit.evaluate(alpha, beta, stop);
  for (int iteration = 0; iteration < kIterations && !stop(); ++iteration) {
    const std::array<double, 2> step = newton_step(now, alpha, beta);
    double length = 1;
    bool better = false;
    for (int halving = 0; halving < 12 && !better; ++halving, length /= 2) {
      const double next_alpha =
          std::clamp<double>(alpha + length * step[0], kLeastAlpha, kMostAlpha);
      const double next_beta = std::clamp<double>(beta + length * step[1], -kMostBeta, kMostBeta);
      const Likelihood next = fit.evaluate(next_alpha, next_beta, stop);
      better = next.value > now.value;
      if (!better) continue;
      alpha = next_alpha;
      beta = next_beta;
      now = next;
    }
    if (!better || std::max(std::abs(step[0]), std::abs(step[1])) < 1e-3) break;
  }
  if (stop()) return Status(StatusCode::kInterrupted, "training was interrupted");
  const ColdWeights weights{static_cast<float>(alpha), static_cast<float>(beta),
                            fit.noise(alpha, beta), choose_caution(fit, alpha, beta)};
  if (!std::isfinite(weights.alpha + weights.beta + weights.noise)) return ColdWeights();
  return weights;
}

}  // namespace personalize::hrnn
