#include "engine/recipes/hrnn/unseen_fit.h"

#include <algorithm>

#include "engine/math/dispatch.h"

namespace personalize::hrnn {
namespace {

// What the ridge learns from. The recency table is left out: predicted with the rest, it made lists
// of new items a little worse.
RidgeProblem problem_of(const Trained& trained, const ColumnBags& bags, size_t columns,
                        std::span<const float> weight) {
  const Layout& layout = trained.layout;
  const size_t items = layout.shape.items;
  const size_t d = layout.shape.embedding;
  const std::span<const float> parameters = trained.parameters.span();
  return {&bags,
          columns,
          d,
          parameters.subspan(layout.embedding, items * d),
          parameters.subspan(layout.bias, items),
          weight};
}

std::vector<float> mean_of(const LeftOut& left_out, size_t size) {
  std::vector<double> sum(size + 1);
  for (size_t i = 0; i < left_out.items.size(); ++i) {
    for (size_t k = 0; k < size; ++k) sum[k] += left_out.embedding[i * size + k];
    sum[size] += left_out.bias[i];
  }
  const auto n = static_cast<double>(std::max<size_t>(1, left_out.items.size()));
  std::vector<float> mean;
  for (const double s : sum) mean.push_back(static_cast<float>(s / n));
  return mean;
}

// The final scores of the first `count` withheld events.
std::vector<float> final_scores(const Withheld& withheld, size_t count,
                                const CalibrationWeights& network) {
  const size_t items = withheld.cases[0].base.size();
  std::vector<float> scores(count * items);
  for (size_t q = 0; q < count; ++q) {
    const CalibrationCase& one = withheld.cases[q];
    float* row = scores.data() + q * items;
    kernels().add_scaled(items, network.a, one.base.data(), row);
    for (size_t i = 0; i < one.markov_items.size(); ++i)
      row[one.markov_items[i]] += network.w * one.markov_terms[i];
  }
  return scores;
}

Result<ColdWeights> fit_cold_weights(const Withheld& withheld, const LeftOut& left_out,
                                     const CalibrationWeights& network, size_t size,
                                     const std::function<bool()>& stop) {
  if (withheld.cases.size() < kFewestCases) return ColdWeights();
  const size_t count = std::min(withheld.cases.size(), cold_cases(left_out.items.size()));
  const std::vector<float> scores = final_scores(withheld, count, network);
  const size_t items = withheld.cases[0].base.size();
  std::vector<ColdCase> cases;
  for (size_t q = 0; q < count; ++q)
    cases.push_back({withheld.cases[q].target, std::span(scores).subspan(q * items, items),
                     std::span(withheld.outputs).subspan(q * size, size)});
  return calibrate_cold(cases, left_out, network.a, stop);
}

}  // namespace

Result<UnseenFit> fit_unseen(const Trained& trained, const ColumnBags& bags, size_t columns,
                             std::span<const float> events, const Withheld& withheld,
                             const CalibrationWeights& network, uint64_t seed, int threads,
                             const std::function<bool()>& stop) {
  const std::vector<float> weight = ridge_weights(events);
  const RidgeProblem problem = problem_of(trained, bags, columns, weight);
  UnseenFit fit;
  PERSONALIZE_ASSIGN_OR_RETURN(fit.lambda, choose_lambda(problem, seed, threads, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(fit.ridge, fit_ridge(problem, fit.lambda, threads, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(const LeftOut left_out,
                               predict_left_out(problem, fit.lambda, seed, threads, stop));
  fit.predicted = mean_of(left_out, problem.size);
  PERSONALIZE_ASSIGN_OR_RETURN(fit.weights,
                               fit_cold_weights(withheld, left_out, network, problem.size, stop));
  // Lists of known items shall lose nearly nothing: giving new ones places is for exploration.
  fit.weights.beta -= fit.weights.caution;
  return fit;
}

Result<UnseenFit> refit_unseen(const Trained& trained, const ColumnBags& bags, size_t columns,
                               std::span<const float> events, const ColdNumbers& before,
                               uint64_t seed, int threads, const std::function<bool()>& stop) {
  const std::vector<float> weight = ridge_weights(events);
  const RidgeProblem problem = problem_of(trained, bags, columns, weight);
  UnseenFit fit;
  fit.lambda = before.lambda;
  fit.weights = {before.alpha, before.beta, before.noise};
  PERSONALIZE_ASSIGN_OR_RETURN(fit.ridge, fit_ridge(problem, fit.lambda, threads, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(const LeftOut left_out,
                               predict_left_out(problem, fit.lambda, seed, threads, stop));
  fit.predicted = mean_of(left_out, problem.size);
  return fit;
}

}  // namespace personalize::hrnn
