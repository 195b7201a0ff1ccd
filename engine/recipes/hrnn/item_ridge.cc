#include "engine/recipes/hrnn/item_ridge.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>

#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

constexpr float kHalfWeight = 10;     // events that make an item's weight 1/2
constexpr size_t kRightSides = 64;    // solved together
constexpr int kMostIterations = 100;  // 20 to 40 are usual
// Of the residual, in the preconditioner's norm, to what it was for P = 0.
constexpr double kTolerance = 2e-4;
constexpr uint64_t kFoldStream = 0xF01D;
constexpr size_t kLambdaFolds = 5;
constexpr std::array<float, 4> kLambdas = {30, 10, 3, 1};  // each solution starts the next
constexpr size_t kPickEvery = 4;
// Errors that differ by less tell nothing; lists of new items are better of the larger lambda.
constexpr double kAlike = 1.005;

// Some numbers of every item's row: number k of item i is at data[i * row_stride + k *
// column_stride], k < count.
struct Part {
  const float* data;
  size_t row_stride, column_stride, count;
  float at(size_t item, size_t k) const { return data[item * row_stride + k * column_stride]; }
};

// Solves one part for some of the items.
class Solver {
 public:
  Solver(const RidgeProblem& problem, const std::atomic<bool>& stopped)
      : problem_(problem), stopped_(stopped) {}

  // From now on fits items[i] with fold[i] != left_out (no folds: all).
  void choose(std::span<const ItemIndex> items, std::span<const uint8_t> fold, size_t left_out) {
    items_.clear();
    weight_of_column_.assign(problem_.columns, 0);
    for (size_t i = 0; i < items.size(); ++i) {
      if (!fold.empty() && fold[i] == left_out) continue;
      const auto item = static_cast<size_t>(items[i]);
      items_.push_back(item);
      for (const ColumnIndex c : problem_.bags->of(item))
        weight_of_column_[c] += problem_.weight[item];
    }
  }
  void begin(const Part& part) {
    part_ = part;
    find_mean();
    solution_.assign(problem_.columns * part.count, 0);
  }
  std::span<const float> mean() const { return mean_; }
  std::span<const float> solution() const { return solution_; }

  // Goes on from solution(), of whatever lambda.
  void solve(float lambda) {
    const size_t size = solution_.size();
    right_side();
    std::vector<double> first(part_.count);
    precondition(right_, lambda);
    dot(right_, preconditioned_, first);
    residual_ = right_;
    image_.assign(size, 0);
    multiply(solution_, lambda);
    for (size_t i = 0; i < size; ++i) residual_[i] -= image_[i];
    precondition(residual_, lambda);
    direction_ = preconditioned_;
    std::vector<double> now(part_.count);
    dot(residual_, preconditioned_, now);
    for (int i = 0; i < kMostIterations && !small(now, first) && !stopped_; ++i)
      iterate(lambda, now);
  }

  // Writes the prediction of an item.
  void predict(size_t item, float* out) const {
    std::copy(mean_.begin(), mean_.end(), out);
    for (const ColumnIndex c : problem_.bags->of(item))
      kernels().add_scaled(part_.count, 1, solution_.data() + c * part_.count, out);
  }

 private:
  static bool small(std::span<const double> now, std::span<const double> first) {
    for (size_t k = 0; k < now.size(); ++k)
      if (now[k] > kTolerance * kTolerance * first[k]) return false;
    return true;
  }

  void find_mean() {
    std::vector<double> sum(part_.count);
    double weight = 0;
    for (const size_t item : items_) {
      const double w = problem_.weight[item];
      weight += w;
      for (size_t k = 0; k < part_.count; ++k) sum[k] += w * part_.at(item, k);
    }
    mean_.resize(part_.count);
    for (size_t k = 0; k < part_.count; ++k)
      mean_[k] = weight > 0 ? static_cast<float>(sum[k] / weight) : 0;
  }

  // X'C (Y - mu).
  void right_side() {
    right_.assign(solution_.size(), 0);
    std::vector<float> row(part_.count);
    for (const size_t item : items_) {
      for (size_t k = 0; k < part_.count; ++k) row[k] = part_.at(item, k) - mean_[k];
      for (const ColumnIndex c : problem_.bags->of(item))
        kernels().add_scaled(part_.count, problem_.weight[item], row.data(),
                             right_.data() + c * part_.count);
    }
  }

  // image_ = (X'CX + lambda I) x.
  void multiply(const std::vector<float>& x, float lambda) {
    const Kernels& k = kernels();
    const size_t n = part_.count;
    for (size_t i = 0; i < x.size(); ++i) image_[i] = lambda * x[i];
    std::array<float, kRightSides> row;
    for (const size_t item : items_) {
      const std::span<const ColumnIndex> bag = problem_.bags->of(item);
      std::fill_n(row.data(), n, 0.0F);
      for (const ColumnIndex c : bag) k.add_scaled(n, 1, x.data() + c * n, row.data());
      for (const ColumnIndex c : bag)
        k.add_scaled(n, problem_.weight[item], row.data(), image_.data() + c * n);
    }
  }

  // The diagonal of X'CX is the weight of the items that have each column.
  void precondition(const std::vector<float>& x, float lambda) {
    preconditioned_.resize(x.size());
    for (size_t c = 0; c < problem_.columns; ++c) {
      const float inverse = 1 / (weight_of_column_[c] + lambda);
      for (size_t k = 0; k < part_.count; ++k)
        preconditioned_[c * part_.count + k] = inverse * x[c * part_.count + k];
    }
  }

  // Of each right side.
  void dot(const std::vector<float>& a, const std::vector<float>& b, std::vector<double>& out) {
    std::fill(out.begin(), out.end(), 0.0);
    for (size_t c = 0; c < problem_.columns; ++c)
      for (size_t k = 0; k < part_.count; ++k)
        out[k] += static_cast<double>(a[c * part_.count + k]) * b[c * part_.count + k];
  }

  void iterate(float lambda, std::vector<double>& now) {
    const size_t n = part_.count;
    multiply(direction_, lambda);
    std::vector<double> along(n);
    dot(direction_, image_, along);
    std::array<float, kRightSides> factor;
    for (size_t k = 0; k < n; ++k)
      factor[k] = along[k] > 0 ? static_cast<float>(now[k] / along[k]) : 0;
    for (size_t c = 0; c < problem_.columns; ++c)
      for (size_t k = 0; k < n; ++k) {
        solution_[c * n + k] += factor[k] * direction_[c * n + k];
        residual_[c * n + k] -= factor[k] * image_[c * n + k];
      }
    precondition(residual_, lambda);
    std::vector<double> next(n);
    dot(residual_, preconditioned_, next);
    for (size_t k = 0; k < n; ++k)
      factor[k] = now[k] > 0 ? static_cast<float>(next[k] / now[k]) : 0;
    for (size_t c = 0; c < problem_.columns; ++c)
      for (size_t k = 0; k < n; ++k)
        direction_[c * n + k] = preconditioned_[c * n + k] + factor[k] * direction_[c * n + k];
    now = next;
  }

  const RidgeProblem& problem_;
  const std::atomic<bool>& stopped_;
  std::vector<size_t> items_;
  std::vector<float> weight_of_column_;
  Part part_{};
  std::vector<float> mean_;
  // columns x part_.count
  std::vector<float> solution_, right_, residual_, preconditioned_, direction_, image_;
};

// E in pieces of at most kRightSides numbers, then b.
std::vector<Part> parts_of(const RidgeProblem& problem) {
  std::vector<Part> parts;
  for (size_t k = 0; k < problem.size; k += kRightSides)
    parts.push_back(
        {problem.embedding.data() + k, problem.size, 1, std::min(kRightSides, problem.size - k)});
  parts.push_back({problem.bias.data(), 1, 1, 1});
  return parts;
}

std::vector<ItemIndex> learned_from(const RidgeProblem& problem) {
  std::vector<ItemIndex> items;
  for (size_t i = 0; i < problem.weight.size(); ++i)
    if (problem.weight[i] > 0) items.push_back(static_cast<ItemIndex>(i));
  return items;
}

// At most kMostLeftOut items to learn from, in random order.
std::vector<ItemIndex> shuffled(const RidgeProblem& problem, uint64_t seed) {
  std::vector<ItemIndex> items = learned_from(problem);
  Random random(seed, kFoldStream);
  random.shuffle(std::span(items));
  if (items.size() > kMostLeftOut) items.resize(kMostLeftOut);
  return items;
}

std::vector<uint8_t> folds(size_t items, size_t count) {
  std::vector<uint8_t> fold(items);
  for (size_t i = 0; i < items; ++i) fold[i] = static_cast<uint8_t>(i % count);
  return fold;
}

// Calls task(solver, i) for all i < count, spread over threads.
Status for_each_task(const RidgeProblem& problem, size_t count, int threads,
                     const std::function<bool()>& stop,
                     const std::function<void(Solver&, size_t)>& task) {
  std::atomic<bool> stopped = stop();
  const auto ask = [&] {
    if (stop()) stopped = true;
    return stopped.load();
  };
  const bool done = !stopped && parallel_blocks(count, 1, thread_count(threads), ask,
                                                [&](size_t begin, size_t /*end*/, size_t) {
                                                  Solver solver(problem, stopped);
                                                  task(solver, begin);
                                                });
  if (!done || stopped) return {StatusCode::kInterrupted, "training was interrupted"};
  return Status::ok();
}

}  // namespace

std::vector<float> ridge_weights(std::span<const float> events) {
  std::vector<float> weights;
  weights.reserve(events.size());
  for (const float n : events) weights.push_back(n / (n + kHalfWeight));
  return weights;
}

float ItemRidge::predict(std::span<const ColumnIndex> columns, float* row) const {
  std::copy(mean.begin(), mean.end(), row);
  float sum = mean_bias;
  for (const ColumnIndex c : columns) {
    kernels().add_scaled(size, 1, rows.data() + c * size, row);
    sum += bias[c];
  }
  return sum;
}

Result<ItemRidge> fit_ridge(const RidgeProblem& problem, float lambda, int threads,
                            const std::function<bool()>& stop) {
  const std::vector<Part> parts = parts_of(problem);
  const std::vector<ItemIndex> items = learned_from(problem);
  ItemRidge ridge;
  ridge.size = problem.size;
  ridge.mean.resize(problem.size);
  ridge.rows.resize(problem.columns * problem.size);
  ridge.bias.resize(problem.columns);
  PERSONALIZE_RETURN_IF_ERROR(
      for_each_task(problem, parts.size(), threads, stop, [&](Solver& solver, size_t p) {
        solver.choose(items, {}, 0);
        solver.begin(parts[p]);
        solver.solve(lambda);
        const bool is_bias = p + 1 == parts.size();
        const size_t first = p * kRightSides;
        std::copy(solver.mean().begin(), solver.mean().end(),
                  is_bias ? &ridge.mean_bias : ridge.mean.data() + first);
        for (size_t c = 0; c < problem.columns; ++c)
          std::copy_n(
              solver.solution().data() + c * parts[p].count, parts[p].count,
              is_bias ? ridge.bias.data() + c : ridge.rows.data() + c * problem.size + first);
      }));
  return ridge;
}

Result<float> choose_lambda(const RidgeProblem& problem, uint64_t seed, int threads,
                            const std::function<bool()>& stop) {
  const std::vector<ItemIndex> items = shuffled(problem, seed);
  const std::vector<uint8_t> fold = folds(items.size(), kLambdaFolds);
  const Part picked{problem.embedding.data(), problem.size, kPickEvery,
                    std::min(kRightSides, (problem.size + kPickEvery - 1) / kPickEvery)};
  std::array<std::array<double, kLambdas.size()>, kLambdaFolds> errors{};
  PERSONALIZE_RETURN_IF_ERROR(
      for_each_task(problem, kLambdaFolds, threads, stop, [&](Solver& solver, size_t f) {
        solver.choose(items, fold, f);
        solver.begin(picked);
        std::array<float, kRightSides> row;
        for (size_t l = 0; l < kLambdas.size(); ++l) {
          solver.solve(kLambdas[l]);
          for (size_t i = f; i < items.size(); i += kLambdaFolds) {
            const auto item = static_cast<size_t>(items[i]);
            solver.predict(item, row.data());
            double squares = 0;
            for (size_t k = 0; k < picked.count; ++k) {
              const double error = picked.at(item, k) - row[k];
              squares += error * error;
            }
            errors[f][l] += problem.weight[item] * squares;
          }
        }
      }));
  std::array<double, kLambdas.size()> sums{};
  for (const auto& of_fold : errors)
    for (size_t l = 0; l < sums.size(); ++l) sums[l] += of_fold[l];
  const double enough = kAlike * *std::min_element(sums.begin(), sums.end());
  size_t l = 0;  // from the largest lambda on
  while (sums[l] > enough) ++l;
  return kLambdas[l];
}

Result<LeftOut> predict_left_out(const RidgeProblem& problem, float lambda, uint64_t seed,
                                 int threads, const std::function<bool()>& stop) {
  LeftOut out;
  out.items = shuffled(problem, seed);
  out.fold = folds(out.items.size(), LeftOut::kFolds);
  out.embedding.resize(out.items.size() * problem.size);
  out.bias.resize(out.items.size());
  const std::vector<Part> parts = parts_of(problem);
  PERSONALIZE_RETURN_IF_ERROR(for_each_task(
      problem, LeftOut::kFolds * parts.size(), threads, stop, [&](Solver& solver, size_t task) {
        const size_t f = task / parts.size();
        const size_t p = task % parts.size();
        const bool is_bias = p + 1 == parts.size();
        solver.choose(out.items, out.fold, f);
        solver.begin(parts[p]);
        solver.solve(lambda);
        for (size_t i = f; i < out.items.size(); i += LeftOut::kFolds)
          solver.predict(static_cast<size_t>(out.items[i]),
                         is_bias ? out.bias.data() + i
                                 : out.embedding.data() + i * problem.size + p * kRightSides);
      }));
  return out;
}

}  // namespace personalize::hrnn
