#include "engine/training/metrics.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>

#include "engine/dataset/side_columns.h"
#include "engine/math/parallel.h"
#include "engine/math/topk.h"
#include "engine/training/metric_summary.h"

namespace personalize {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr size_t kListLength = 25;  // of the lists that coverage looks at

double discount(int64_t rank) { return 1 / std::log2(1 + static_cast<double>(rank)); }

// Everything one worker needs, allocated before the loop.
struct Worker {
  std::vector<float> scores;
  std::vector<float> state;
  std::vector<ModelEvent> history;
  std::vector<ColumnIndex> columns;  // of the history's events and of the question
  std::vector<size_t> column_end;    // of each of these, in columns
  std::vector<Scored> list;
  std::array<std::vector<uint8_t>, 2> listed;  // by item, for seen included and excluded
};

// What is known of a test user when he is asked, as a model sees it.
Question read_question(const Split& split, size_t test, const SideColumns& side, Worker& worker) {
  const Sequences& sequences = *split.training.sequences;
  const size_t user = split.test_users[test];
  const auto begin = static_cast<size_t>(split.training.begin(user));
  const auto end = static_cast<size_t>(split.history_end[test]);
  worker.columns.clear();
  worker.column_end.clear();
  if (side.size() > 0) {
    for (size_t i = begin; i <= end; i++) {
      side.append(i, user, worker.columns);
      worker.column_end.push_back(worker.columns.size());
    }
  }
  // Of the question those of the event that follows the history.
  const auto columns_of = [&](size_t event) {
    if (worker.column_end.empty()) return std::span<const ColumnIndex>();
    const size_t from = event == begin ? 0 : worker.column_end[event - begin - 1];
    return std::span<const ColumnIndex>(worker.columns)
        .subspan(from, worker.column_end[event - begin] - from);
  };
  worker.history.clear();
  for (size_t i = begin; i < end; i++)
    worker.history.push_back(
        {sequences.timestamp[i], sequences.item[i], sequences.value[i], columns_of(i), {}});
  return {worker.history, worker.state, columns_of(end)};
}

UserMetrics measure_list(Worker& worker, std::span<const ItemIndex> relevant,
                         std::vector<uint8_t>& listed) {
  top_k(worker.scores, nullptr, kListLength, worker.list);
  for (const Scored& scored : worker.list) listed[static_cast<size_t>(scored.item)] = 1;
  return user_metrics(ranks_of(worker.scores, relevant));
}

}  // namespace

std::vector<int64_t> ranks_of(std::span<const float> scores, std::span<const ItemIndex> relevant) {
  std::vector<float> mine;
  for (const ItemIndex item : relevant) {
    const float score = scores[static_cast<size_t>(item)];
    mine.push_back(std::isnan(score) ? kNever : score);
  }
  std::sort(mine.begin(), mine.end(), std::greater<>());
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < mine.size(); i++) {
    if (mine[i] == kNever) {
      ranks.push_back(kNotRanked);
      continue;
    }
    int32_t at_least = 0, relevant_at_least = 0;
    for (const float score : scores) at_least += score >= mine[i] ? 1 : 0;
    for (const float score : mine) relevant_at_least += score >= mine[i] ? 1 : 0;
    ranks.push_back(at_least - relevant_at_least + 1 + static_cast<int64_t>(i));
  }
  return ranks;
}

UserMetrics user_metrics(std::span<const int64_t> ranks) {
  UserMetrics metrics;
  for (size_t c = 0; c < kCutoffs.size(); c++) {
    const int64_t k = kCutoffs[c];
    double gain = 0, best = 0;
    int found = 0;
    for (const int64_t rank : ranks) {
      if (rank > k) continue;
      found++;
      gain += discount(rank);
    }
    for (int64_t rank = 1; rank <= std::min(k, static_cast<int64_t>(ranks.size())); rank++)
      best += discount(rank);
    metrics.precision[c] = found / static_cast<double>(k);
    metrics.ndcg[c] = gain / best;
    metrics.hit[c] = found > 0 ? 1 : 0;
  }
  if (const int64_t first = *std::min_element(ranks.begin(), ranks.end());
      first <= kLastReciprocalRank)
    metrics.reciprocal_rank = 1 / static_cast<double>(first);
  return metrics;
}

Result<Measurement> measure_users(const Model& model, const Split& split, int threads,
                                  const std::function<bool()>& stop,
                                  const MetadataTable* users_table) {
  const size_t items = model.item_count();
  SideColumns side;
  if (const ModelMetadata* known = model.metadata(); known != nullptr)
    side = SideColumns(*split.training.sequences,
                       users_table != nullptr ? *users_table : MetadataTable(), known->context,
                       known->users);
  std::vector<Worker> workers(static_cast<size_t>(std::max(threads, 1)));
  for (Worker& worker : workers) {
    worker.scores.resize(items);
    worker.state.resize(model.state_size());
    for (auto& listed : worker.listed) listed.resize(items);
  }
  Measurement measured;
  auto& users = measured.users;
  for (auto& of_user : users) of_user.resize(split.test_users.size());

  std::atomic<bool> stopped = false;  // a long history must not hold up the end
  const auto measure_user = [&](size_t test, Worker& worker) {
    const Question question = read_question(split, test, side, worker);
    if (model.state_size() > 0) {
      model.begin(worker.state);
      if (!model.advance(worker.history, 0, worker.history.size(), worker.state,
                         [&] { return stopped.load(); }))
        return;
    }
    model.score(question, worker.scores);
    users[0][test] = measure_list(worker, split.relevant[test], worker.listed[0]);
    for (const ModelEvent& event : worker.history)
      worker.scores[static_cast<size_t>(event.item)] = kNever;
    users[1][test] = measure_list(worker, split.relevant[test], worker.listed[1]);
  };
  const bool done = parallel_blocks(
      split.test_users.size(), 4, threads,
      [&] {
        if (stop()) stopped = true;
        return stopped.load();
      },
      [&](size_t begin, size_t end, size_t worker) {
        for (size_t test = begin; test < end && !stopped; test++)
          measure_user(test, workers[worker]);
      });
  if (!done) return Status(StatusCode::kInterrupted, "interrupted");

  for (const size_t list : {0, 1}) {
    size_t covered = 0;
    for (size_t item = 0; item < items; item++)
      covered += std::any_of(workers.begin(), workers.end(),
                             [&](const Worker& worker) { return worker.listed[list][item] != 0; });
    measured.coverage[list] = static_cast<double>(covered) / static_cast<double>(items);
  }
  return measured;
}

Result<std::vector<MetricRow>> measure(const Model& model, const Split& split, int threads,
                                       const std::function<bool()>& stop) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Measurement measured,
                               measure_users(model, split, threads, stop));
  return metric_rows(split, measured);
}

}  // namespace personalize
