#include "engine/recipes/similar_vectors.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/popularity.h"
#include "engine/recipes/spectral.h"

namespace personalize::similar {
namespace {

constexpr float kHalfKnown = 2;  // events with which a learned vector counts half
constexpr size_t kFewestCases = 20;
constexpr MixWeights kUnfitted{.metadata = 0.25F, .popularity = 0.1F};
constexpr std::array<float, 7> kMetadataWeights = {0, 0.1F, 0.2F, 0.35F, 0.5F, 0.75F, 1};
constexpr std::array<float, 6> kPopularityWeights = {0, 0.05F, 0.1F, 0.2F, 0.4F, 0.8F};
constexpr size_t kMixes = kMetadataWeights.size() * kPopularityWeights.size();

Status interrupted() { return {StatusCode::kInterrupted, "training was interrupted"}; }

// Draws the learned vectors towards what the metadata predicts.
Status use_predictions(const ItemColumns& items, std::span<const float> events,
                       const VectorSettings& settings, const std::function<bool()>& stop,
                       ItemVectors& vectors) {
  const size_t size = vectors.learned_size;
  std::vector<float> weight = hrnn::ridge_weights(events);
  const std::vector<float> bias(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const float* row = vectors.learned.data() + i * size;
    if (std::all_of(row, row + size, [](float x) { return x == 0; })) weight[i] = 0;
  }
  if (std::all_of(weight.begin(), weight.end(), [](float w) { return w == 0; }))
    return Status::ok();  // nothing to predict from
  const hrnn::RidgeProblem problem{items.bags, items.columns, size, vectors.learned.span(),
                                   bias,       weight};
  PERSONALIZE_ASSIGN_OR_RETURN(const float lambda,
                               hrnn::choose_lambda(problem, settings.seed, settings.threads, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(vectors.ridge,
                               hrnn::fit_ridge(problem, lambda, settings.threads, stop));
  std::vector<float> predicted(size);
  for (size_t i = 0; i < events.size(); ++i) {
    if (items.bags->of(i).empty()) continue;
    vectors.ridge.predict(items.bags->of(i), predicted.data());
    const float known = weight[i] > 0 ? events[i] / (events[i] + kHalfKnown) : 0;
    float* row = vectors.learned.data() + i * size;
    for (size_t n = 0; n < size; ++n) row[n] = known * row[n] + (1 - known) * predicted[n];
  }
  return Status::ok();
}

// One question: after `asked`, where among all items is `target`?
struct Case {
  size_t asked, target;
};

// Ranks the target with every mix of the weights; ties count against it.
class Ranker {
 public:
  explicit Ranker(const ItemVectors& vectors)
      : vectors_(vectors),
        learned_(vectors.popularity.size()),
        described_(vectors.popularity.size()),
        scores_(vectors.popularity.size()) {}

  void rank(const Case& one, std::span<double> gain) {
    compare(vectors_.learned, vectors_.learned_size, one.asked, learned_);
    compare(vectors_.described, vectors_.projection.size, one.asked, described_);
    size_t mix = 0;
    for (const float metadata : kMetadataWeights) {
      for (const float popularity : kPopularityWeights) {
        for (size_t j = 0; j < scores_.size(); ++j)
          scores_[j] = (1 - metadata) * learned_[j] + metadata * described_[j] +
                       popularity * vectors_.popularity[j];
        size_t better = 0;
        for (const float score : scores_) better += score >= scores_[one.target] ? 1 : 0;
        if (scores_[one.asked] >= scores_[one.target]) --better;  // it is no answer
        gain[mix++] += 1 / std::log2(1 + static_cast<double>(better));
      }
    }
  }

 private:
  static void compare(const AlignedFloats& rows, size_t size, size_t asked,
                      std::vector<float>& out) {
    if (size == 0) return;  // stays 0
    kernels().matrix_vector(out.size(), size, rows.data(), rows.data() + asked * size, nullptr,
                            out.data());
  }

  const ItemVectors& vectors_;
  std::vector<float> learned_, described_, scores_;
};

}  // namespace

Result<ItemVectors> learn_vectors(const TrainingView& data, const ItemColumns& items,
                                  const MetadataProjection& projection,
                                  const VectorSettings& settings,
                                  const std::function<bool()>& stop) {
  ItemVectors vectors;
  PERSONALIZE_ASSIGN_OR_RETURN(const MarkovCounts counts,
                               count_transitions(data, {}, settings.threads, stop));
  PERSONALIZE_ASSIGN_OR_RETURN(
      vectors.learned_size,
      association_vectors(counts, settings.learned_size, settings.seed, stop, vectors.learned));
  if (items.columns > 0)
    PERSONALIZE_RETURN_IF_ERROR(
        use_predictions(items, count_events(data), settings, stop, vectors));

  vectors.popularity = distinct_users(data);
  float most = 1;
  for (float& users : vectors.popularity) {
    users = std::log(1 + users);
    most = std::max(most, users);
  }
  for (float& users : vectors.popularity) users /= most;

  vectors.projection = projection;
  vectors.described = AlignedFloats(vectors.popularity.size() * projection.size);
  if (projection.size > 0)
    for (size_t i = 0; i < vectors.popularity.size(); ++i)
      projection.project(items.bags->of(i), vectors.described.data() + i * projection.size);
  return vectors;
}

Result<ChosenWeights> choose_weights(const CalibrationSplit& split, const ItemVectors& vectors,
                                     int threads, const std::function<bool()>& stop) {
  const Sequences& all = *split.rest.sequences;
  std::vector<Case> cases;
  for (const size_t user : split.users) {
    const int64_t end = split.rest.end[user];
    const Case one{static_cast<size_t>(all.item[static_cast<size_t>(end) - 1]),
                   static_cast<size_t>(all.item[static_cast<size_t>(end)])};
    if (one.asked != one.target) cases.push_back(one);
  }
  ChosenWeights chosen;
  chosen.cases = cases.size();
  chosen.weights = kUnfitted;
  const bool described = vectors.projection.size > 0;
  if (!described) chosen.weights.metadata = 0;
  if (cases.size() < kFewestCases) return chosen;

  const int workers = thread_count(threads);
  std::vector<Ranker> rankers(static_cast<size_t>(workers), Ranker(vectors));
  std::vector<double> gains(cases.size() * kMixes);  // summed in order: the same for any threads
  if (!parallel_blocks(cases.size(), 1, workers, stop, [&](size_t begin, size_t end, size_t w) {
        for (size_t i = begin; i < end; ++i)
          rankers[w].rank(cases[i], std::span(gains).subspan(i * kMixes, kMixes));
      }))
    return interrupted();
  chosen.gain = -1;
  for (size_t mix = 0; mix < kMixes; ++mix) {
    const size_t metadata = mix / kPopularityWeights.size();
    if (!described && metadata > 0) break;
    double gain = 0;
    for (size_t i = 0; i < cases.size(); ++i) gain += gains[i * kMixes + mix];
    gain /= static_cast<double>(cases.size());
    if (gain <= chosen.gain) continue;
    chosen.gain = gain;
    chosen.weights = {kMetadataWeights[metadata],
                      kPopularityWeights[mix % kPopularityWeights.size()]};
  }
  return chosen;
}

}  // namespace personalize::similar
