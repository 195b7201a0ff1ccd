#include "engine/serving/explain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/math/parallel.h"
#include "engine/serving/answer.h"

namespace personalize {
namespace {

// What a score of 0 counts as: the logarithm of a softmax that vanishes is still a number.
constexpr double kLeastScore = std::numeric_limits<double>::min();

// L of the empty history.
double log_popularity(const LoadedModel& model, ItemIndex item) {
  double sum = 0;
  for (const float users : model.popularity) sum += static_cast<double>(users);
  const auto place = static_cast<size_t>(item);
  const double users = place < model.popularity.size() ? model.popularity[place] : 0;
  return std::log(std::max(1.0, users) / std::max(1.0, sum));
}

// Answers L(history) for one history after the other, on one thread.
class LogScore {
 public:
  LogScore(const LoadedModel& model, std::span<const ColumnIndex> columns,
           const UnseenTable* unseen, ItemIndex item)
      : model_(model), columns_(columns), unseen_(unseen), item_(item) {}

  // `state` is that before history[folded].
  double of(std::span<const ModelEvent> history, size_t folded, std::span<const float> state) {
    if (history.empty()) return log_popularity(model_, item_);
    state_.assign(state.begin(), state.end());
    if (!state_.empty()) model_.model->advance(history, folded, history.size(), state_);
    answerer_.ask_for_user(model_, {history, state_, columns_}, unseen_);
    return std::log(std::max(kLeastScore, answerer_.score_of(item_)));
  }

  // The same of `history` without history[left_out].
  double without(std::span<const ModelEvent> history, size_t left_out, size_t folded,
                 std::span<const float> state) {
    const auto place = static_cast<std::ptrdiff_t>(left_out);
    rest_.assign(history.begin(), history.end());
    rest_.erase(rest_.begin() + place);
    return of(rest_, folded, state);
  }

 private:
  const LoadedModel& model_;
  const std::span<const ColumnIndex> columns_;
  const UnseenTable* const unseen_;
  const ItemIndex item_;
  std::vector<float> state_;
  std::vector<ModelEvent> rest_;
  Answerer answerer_;
};

}  // namespace

Result<Explanation> explain(const LoadedModel& model, const Question& question,
                            const UnseenTable* unseen, ItemIndex item,
                            const std::function<bool()>& stop) {
  const Status interrupted(StatusCode::kInterrupted, "interrupted");
  const std::span<const ModelEvent> history = question.history;
  const size_t count = std::min(history.size(), kExplainedEvents);
  Explanation result;
  result.first = history.size() - count;
  if (count == 0) return result;

  // All histories but that of the last events alone begin with the earlier ones.
  std::vector<float> begun(model.model->state_size());
  model.model->begin(begun);
  std::vector<float> earlier = begun;
  if (!earlier.empty() && !model.model->advance(history, 0, result.first, earlier, stop))
    return interrupted;
  // Of all events but each of the last; of all; of the last alone.
  std::vector<double> logs(count + 2);
  const int threads = thread_count(0);
  std::vector<LogScore> scorers(static_cast<size_t>(threads),
                                LogScore(model, question.columns, unseen, item));
  const auto ask = [&](size_t begin, size_t end, size_t worker) {
    LogScore& scorer = scorers[worker];
    for (size_t i = begin; i < end; i++) {
      if (i < count) {
        logs[i] = scorer.without(history, result.first + i, result.first, earlier);
      } else if (i == count) {
        logs[i] = scorer.of(history, result.first, earlier);
      } else {
        logs[i] = scorer.of(history.last(count), 0, begun);
      }
    }
  };
  // Without earlier events there is nothing to ask about the last ones alone.
  if (!parallel_blocks(count + (result.first == 0 ? 1 : 2), 1, threads, stop, ask))
    return interrupted;

  const double all = logs[count];
  for (size_t i = 0; i < count; i++) result.events.push_back(all - logs[i]);
  if (result.first > 0) result.earlier = all - logs[count + 1];
  const double told = std::accumulate(result.events.begin(), result.events.end(), result.earlier);
  result.interplay = all - log_popularity(model, item) - told;
  return result;
}

}  // namespace personalize
