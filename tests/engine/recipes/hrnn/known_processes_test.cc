// What hrnn makes of processes whose best answer is known.
#include "tests/engine/testing/known_processes.h"

#include <gtest/gtest.h>

#include "engine/recipes/hrnn/hrnn.h"
#include "tests/engine/testing/trained_model.h"

// How good the lists are does not depend on the build, and a sanitizer takes a minute for them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_UNDER_SANITIZERS() GTEST_SKIP() << "accuracy is the same in every build"
#else
#define SKIP_UNDER_SANITIZERS() static_cast<void>(0)
#endif

namespace personalize {
namespace {

Hyperparameters with(const std::string& json) {
  return *Hyperparameters::parse(json, hrnn_recipe().hyperparameters());
}

TEST(HrnnOnAMarkovProcess, ComesWithinTwoPercentOfTheOptimum) {
  SKIP_UNDER_SANITIZERS();
  const MarkovProcess process(40, 1);
  const Sequences all = process.histories(1'000, 40, 2);
  const TrainedModel model(hrnn_recipe(), TrainingView::everything(all), with(""));
  ASSERT_NE(model.get(), nullptr);
  // New users, so that nothing asked was learned from. What is expected after an item is weighed by
  // how often the process stands there.
  const Sequences asked = process.histories(400, 30, 3);
  std::vector<double> reached(process.items());
  std::vector<double> times(process.items());
  for (size_t user = 0; user < asked.user_count(); ++user) {
    const std::vector<ModelEvent> history = history_of(asked, user, asked.start[user + 1]);
    const auto last = static_cast<size_t>(history.back().item);
    reached[last] += expected_ndcg<float>(process.after(last), scores_after(*model, history));
    ++times[last];
  }
  const std::vector<double> stationary = process.stationary();
  double optimum = 0;
  double ours = 0;
  double law = 0;
  for (size_t item = 0; item < process.items(); ++item) {
    if (times[item] == 0) continue;
    law += stationary[item];
    optimum += stationary[item] * optimal_ndcg(process.after(item));
    ours += stationary[item] * reached[item] / times[item];
  }
  EXPECT_GT(law, 0.99);
  EXPECT_GT(ours, 0.98 * optimum);
  EXPECT_LE(ours, optimum);
}

// Each user's mean NDCG@10 of his events but the first of a session, which nobody can know. Whether
// an event is one is read from `sessions`, of the same events as `asked`.
std::vector<double> ndcg_inside_of_sessions(const Model& model, const Sequences& asked,
                                            const Sequences& sessions) {
  std::vector<double> ndcg;
  for (size_t user = 0; user < asked.user_count(); ++user) {
    const std::vector<ModelEvent> history = history_of(asked, user, asked.start[user + 1]);
    std::vector<float> state(model.state_size());
    std::vector<float> scores(model.item_count());
    model.begin(state);
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i + 1 < history.size(); ++i) {
      model.step(history, i, state);
      const auto e = static_cast<size_t>(asked.start[user]) + i;
      if (sessions.timestamp[e + 1] - sessions.timestamp[e] > SessionProcess::kShortGap) continue;
      model.score({std::span(history).first(i + 1), state}, scores);
      std::vector<double> next(scores.size());
      next[static_cast<size_t>(history[i + 1].item)] = 1;
      sum += expected_ndcg<float>(next, scores);
      ++count;
    }
    ndcg.push_back(sum / count);
  }
  return ndcg;
}

struct Paired {
  double mean = 0;
  double standard_error = 0;
};

// Of the users' differences a - b.
Paired paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  Paired result;
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) result.mean += (a[i] - b[i]) / n;
  for (size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i] - result.mean, 2);
  result.standard_error = std::sqrt(squares / (n - 1) / n);
  return result;
}

Sequences with_equal_gaps(Sequences all) {
  for (size_t e = 0; e < all.event_count(); ++e)
    all.timestamp[e] = kProcessStart + static_cast<int64_t>(e) * SessionProcess::kShortGap;
  return all;
}

TEST(HrnnOnSessionsOfATopic, IsBetterForTheGapsItSeesAndForTheSessionTerm) {
  SKIP_UNDER_SANITIZERS();
  const SessionProcess process(40, 20, 8, 4);
  const Sequences all = process.histories(600, 8, 10, 3, 6, 4);
  const Sequences asked = process.histories(600, 8, 10, 3, 6, 5);
  const auto measure = [&](const Sequences& learned, const Sequences& seen,
                           const std::string& hyperparameters) {
    const TrainedModel model(hrnn_recipe(), TrainingView::everything(learned),
                             with(hyperparameters));
    return model.get() == nullptr ? std::vector<double>(asked.user_count())
                                  : ndcg_inside_of_sessions(*model, seen, asked);
  };
  const std::vector<double> both = measure(all, asked, "");
  // With a session that never ends the term can't tell this session from those before; what the
  // network is told of gaps stays.
  const std::vector<double> inputs_alone = measure(all, asked, R"({"session_gap":31536000})");
  const std::vector<double> neither = measure(with_equal_gaps(all), with_equal_gaps(asked), "");
  const Paired term = paired_difference(both, inputs_alone);
  const Paired inputs = paired_difference(inputs_alone, neither);
  EXPECT_GT(term.mean, 4 * term.standard_error);
  EXPECT_GT(inputs.mean, 4 * inputs.standard_error);
}

// What having had an item long ago does to its logit: the answers from one and the same state to
// two histories that differ in one old event, outside of the Markov chain's window, less the same
// for an item that neither has.
double own_history_term_of(const Model& model, size_t items) {
  std::vector<ModelEvent> with_item;
  for (size_t e = 0; e < 13; ++e)
    with_item.push_back({kProcessStart + static_cast<int64_t>(e) * 3'600,
                         static_cast<ItemIndex>(e % (items - 2) + 2), kNoValue});
  std::vector<ModelEvent> without = with_item;
  with_item[0].item = 0;
  without[0].item = 1;
  const std::vector<float> state = state_after(model, with_item);
  std::vector<float> scores(items);
  std::vector<float> other(items);
  model.score({with_item, state}, scores);
  model.score({without, state}, other);
  return scores[0] - other[0];
}

// NDCG@10 to be expected after histories that were not learned from, one a user.
struct Reached {
  double ours = 0;
  double optimum = 0;
  double without_memory = 0;  // the best that one list for all can do
};

template <typename Process>
Reached reached_after(const Model& model, const Process& process, const Sequences& asked) {
  Reached reached;
  std::vector<double> mean(process.items());
  const auto users = static_cast<double>(asked.user_count());
  for (size_t user = 0; user < asked.user_count(); ++user) {
    const std::vector<ModelEvent> history = history_of(asked, user, asked.start[user + 1]);
    const std::vector<double> law = process.after(history);
    reached.ours += expected_ndcg<float>(law, scores_after(model, history)) / users;
    reached.optimum += optimal_ndcg(law) / users;
    for (size_t item = 0; item < law.size(); ++item) mean[item] += law[item] / users;
  }
  reached.without_memory = optimal_ndcg(mean);
  return reached;
}

TEST(HrnnOnANeverAgainProcess, LearnsThatWhatWasHadIsOver) {
  const NeverAgainProcess process(60);
  const Sequences all = process.histories(600, 30, 5);
  const TrainedModel model(hrnn_recipe(), TrainingView::everything(all), with(""));
  ASSERT_NE(model.get(), nullptr);
  const Reached reached = reached_after(*model, process, process.histories(300, 20, 6));
  EXPECT_GT(reached.ours, 0.85 * reached.optimum);
  EXPECT_GT(reached.ours, 1.7 * reached.without_memory);
  EXPECT_LT(own_history_term_of(*model, process.items()), -2);
}

TEST(HrnnOnAnAlwaysAgainProcess, LearnsThatWhatWasHadComesAgain) {
  const AlwaysAgainProcess process(60);
  const Sequences all = process.histories(600, 20, 5);
  const TrainedModel model(hrnn_recipe(), TrainingView::everything(all), with(""));
  ASSERT_NE(model.get(), nullptr);
  const Reached reached = reached_after(*model, process, process.histories(300, 10, 6));
  EXPECT_GT(reached.ours, 0.97 * reached.optimum);
  EXPECT_GT(reached.ours, 4 * reached.without_memory);
  EXPECT_GT(own_history_term_of(*model, process.items()), 1);
}

}  // namespace
}  // namespace personalize
