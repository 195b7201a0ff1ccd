#include "engine/training/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <set>

#include "engine/recipes/popularity.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_events.h"
#include "tests/engine/testing/shared_data.h"
#include "tests/engine/testing/silent_progress.h"

namespace personalize {
namespace {

constexpr auto kGoOn = [] { return false; };

std::vector<float> falling(int n) {
  std::vector<float> scores;
  for (int i = 0; i < n; i++) scores.push_back(static_cast<float>(-i));
  return scores;
}

TEST(Metrics, AgreeWithAmazonsWorkedExampleOfRanksTwoAndFive) {
  const std::vector<ItemIndex> relevant = {1, 4};
  const std::vector<int64_t> ranks = ranks_of(falling(30), relevant);
  EXPECT_EQ(ranks, (std::vector<int64_t>{2, 5}));
  const UserMetrics m = user_metrics(ranks);
  EXPECT_DOUBLE_EQ(m.precision[0], 0.4);
  EXPECT_DOUBLE_EQ(m.reciprocal_rank, 0.5);
  EXPECT_NEAR(m.ndcg[0], 0.6241, 0.00005);
}

TEST(Metrics, AgreeWithAmazonsWorkedExampleOfReciprocalRanks) {
  double sum = 0;
  for (const int64_t rank : {4, 2, 6}) sum += user_metrics(std::vector{rank}).reciprocal_rank;
  EXPECT_NEAR(sum / 3, 0.3056, 0.00005);
  EXPECT_EQ(user_metrics(std::vector<int64_t>{25}).reciprocal_rank, 0.04);
  EXPECT_EQ(user_metrics(std::vector<int64_t>{26}).reciprocal_rank, 0);
}

TEST(Ranks, CountTiesAgainstTheModel) {
  EXPECT_EQ(ranks_of(std::vector<float>(10, 0.0f), std::vector<ItemIndex>{3, 4}),
            (std::vector<int64_t>{9, 10}));
}

TEST(Ranks, LeaveOutWhatHasNoScore) {
  const std::vector<float> scores = {kNoValue, -INFINITY, 1, kNoValue};
  EXPECT_EQ(ranks_of(scores, std::vector<ItemIndex>{0, 1, 2}),
            (std::vector<int64_t>{1, kNotRanked, kNotRanked}));
  EXPECT_EQ(user_metrics(std::vector{kNotRanked}).precision[2], 0);
}

TEST(Ranks, AgreeWithCountingWhoIsAhead) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; round++) {
    std::vector<float> scores(1 + random() % 60);
    for (float& score : scores) score = static_cast<float>(random() % 12);
    std::vector<ItemIndex> relevant;
    for (size_t i = 0; i < scores.size(); i++)
      if (random() % 5 == 0) relevant.push_back(static_cast<ItemIndex>(i));
    std::vector<int64_t> expected;
    for (const ItemIndex mine : relevant) {
      int64_t ahead = 0;  // others that are at least as good, and relevant ones before it
      for (size_t i = 0; i < scores.size(); i++) {
        const bool is_relevant = std::count(relevant.begin(), relevant.end(), i) > 0;
        if (scores[i] > scores[mine] || (scores[i] == scores[mine] && !is_relevant) ||
            (scores[i] == scores[mine] && static_cast<ItemIndex>(i) < mine))
          ahead++;
      }
      expected.push_back(ahead + 1);
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(ranks_of(scores, relevant), expected);
  }
}

// Its state counts events and sums their items; its scores depend on both, on the history and the
// item, with many ties.
class ToyModel : public Model {
 public:
  explicit ToyModel(size_t items) : items_(items) {}
  size_t item_count() const override { return items_; }
  size_t state_size() const override { return 2; }
  void begin(std::span<float> state) const override { state[0] = state[1] = 0; }
  void step(std::span<const ModelEvent> history, size_t index,
            std::span<float> state) const override {
    state[0] += 1;
    state[1] += static_cast<float>(history[index].item);
  }
  ScoreKind score_kind() const override { return ScoreKind::kLogits; }
  void score(const Question& question, std::span<float> scores) const override {
    const auto key =
        static_cast<int>(question.state[0] + 3 * question.state[1]) + question.history.back().item;
    for (size_t i = 0; i < items_; i++)
      scores[i] = static_cast<float>((key * 31 + static_cast<int>(i) * 17) % 23);
    scores[static_cast<size_t>(key) % items_] = kNoValue;
  }
  bool similar(ItemIndex, std::span<float>) const override { return false; }

 private:
  size_t items_;
};

// The same as measure(), by sorting everything and from the definitions.
std::map<std::string, double> slow_measure(const Model& model, const Split& split) {
  std::map<std::string, double> sums;
  const Sequences& s = *split.training.sequences;
  const double users = static_cast<double>(split.test_users.size());
  for (const bool exclude : {false, true}) {
    const std::string seen = exclude ? " excluded" : " included";
    std::set<ItemIndex> covered;
    for (size_t t = 0; t < split.test_users.size(); t++) {
      const size_t u = split.test_users[t];
      std::vector<ModelEvent> history;
      for (int64_t i = s.start[u]; i < split.history_end[t]; i++)
        history.push_back({s.timestamp[i], s.item[i], s.value[i]});
      std::vector<float> state(model.state_size()), scores(model.item_count());
      model.begin(state);
      for (size_t i = 0; i < history.size(); i++) model.step(history, i, state);
      model.score({history, state}, scores);
      const std::set<ItemIndex> relevant(split.relevant[t].begin(), split.relevant[t].end());
      std::vector<ItemIndex> order, list;
      for (ItemIndex i = 0; i < static_cast<ItemIndex>(scores.size()); i++) {
        const bool seen_item = std::any_of(history.begin(), history.end(),
                                           [i](const ModelEvent& e) { return e.item == i; });
        if (!std::isnan(scores[i]) && !(exclude && seen_item)) order.push_back(i);
      }
      list = order;  // what would be shown: ties by number
      std::stable_sort(list.begin(), list.end(),
                       [&](ItemIndex a, ItemIndex b) { return scores[a] > scores[b]; });
      for (size_t i = 0; i < list.size() && i < 25; i++) covered.insert(list[i]);
      std::stable_sort(order.begin(), order.end(), [&](ItemIndex a, ItemIndex b) {
        if (scores[a] != scores[b]) return scores[a] > scores[b];
        return relevant.count(a) < relevant.count(b);  // ties: against the model
      });
      double first = 0;
      for (size_t i = 0; i < order.size() && i < 25 && first == 0; i++)
        if (relevant.count(order[i])) first = 1.0 / (i + 1);
      sums["mean_reciprocal_rank 25" + seen] += first / users;
      for (const int k : {5, 10, 25}) {
        double found = 0, gain = 0, best = 0;
        for (int i = 0; i < k; i++) {
          if (i < static_cast<int>(relevant.size())) best += 1 / std::log(i + 2);
          if (i >= static_cast<int>(order.size()) || !relevant.count(order[i])) continue;
          found++;
          gain += 1 / std::log(i + 2);
        }
        const std::string key = " " + std::to_string(k) + seen;
        sums["precision" + key] += found / k / users;
        sums["hit_rate" + key] += (found > 0) / users;
        sums["normalized_discounted_cumulative_gain" + key] += gain / best / users;
      }
    }
    sums["coverage 0" + seen] = covered.size() / static_cast<double>(model.item_count());
  }
  return sums;
}

std::string key_of(const MetricRow& row) {
  return row.metric + " " + std::to_string(row.k) + " " + row.seen;
}

TEST(Measure, AgreesWithASlowImplementationFromTheDefinitions) {
  for (const unsigned seed : {1, 2, 3}) {
    VectorSource source = random_events(seed, 60, 90, 80);
    const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
    for (const Split& split : {amazon_split(s, seed), leave_one_out_split(s),
                               leave_last_two_out_split(s), temporal_holdout_split(s)}) {
      const ToyModel model(s.item_count());
      const auto rows = measure(model, split, 2, kGoOn);
      ASSERT_TRUE(rows.is_ok()) << rows.status().message();
      const auto expected = slow_measure(model, split);
      EXPECT_EQ(rows->size(), expected.size());
      for (const MetricRow& row : *rows) {
        ASSERT_EQ(expected.count(key_of(row)), 1u) << key_of(row);
        EXPECT_NEAR(row.value, expected.at(key_of(row)), 1e-12) << key_of(row);
      }
    }
  }
}

TEST(Measure, GivesTheSameBitsForAnyNumberOfThreads) {
  VectorSource source = random_events(4, 300, 90, 40);
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  const Split split = leave_one_out_split(s);
  const ToyModel model(s.item_count());
  const auto one = measure(model, split, 1, kGoOn);
  for (const int threads : {2, 3, 5}) {
    const auto more = measure(model, split, threads, kGoOn);
    ASSERT_EQ(one->size(), more->size());
    for (size_t i = 0; i < one->size(); i++) EXPECT_EQ((*one)[i].value, (*more)[i].value);
  }
}

TEST(Measure, GivesAModelTheColumnsThatHeldWhenThingsHappened) {
  const std::vector<MetadataField> fields = {{"DEVICE", FieldKind::kCategorical}};
  std::vector<SourceRow> rows;
  for (const char* user : {"a", "b"})
    for (const char* device : {"phone", "desk", "phone", "car", "desk"})
      rows.push_back({user, device, static_cast<int64_t>(rows.size()), "", kNoValue, {device}});
  VectorSource source(rows, fields);
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1, true);
  MetadataTable users(std::vector<MetadataField>{{"AGE", FieldKind::kNumber}});
  users.add("a", std::vector<FieldValue>{FieldValue::of(20.0)});
  users.add("c", std::vector<FieldValue>{FieldValue::of(30.0)});

  class ColumnModel : public ToyModel {
   public:
    ColumnModel(size_t items, ModelMetadata metadata)
        : ToyModel(items), metadata_(std::move(metadata)) {}
    const ModelMetadata* metadata() const override { return &metadata_; }
    void score(const Question& question, std::span<float> scores) const override {
      std::string text;
      for (const ModelEvent& event : question.history) text += names(event.columns) + "; ";
      asked.push_back(text + "? " + names(question.columns));
      ToyModel::score(question, scores);
    }
    std::string names(std::span<const ColumnIndex> columns) const {
      std::string text;
      for (const ColumnIndex column : columns) {
        const auto context = static_cast<ColumnIndex>(metadata_.context.size());
        text += (text.empty() ? "" : " + ") + (column < context
                                                   ? metadata_.context.name(column)
                                                   : metadata_.users.name(column - context));
      }
      return text;
    }
    mutable std::vector<std::string> asked;

   private:
    ModelMetadata metadata_;
  };
  ModelMetadata metadata;
  metadata.context = MetadataEncoder::learn(s.contexts);
  metadata.users = MetadataEncoder::learn(users);
  const ColumnModel model(s.item_count(), metadata);
  const Split split = temporal_holdout_split(s);  // asks the fifth event of each
  ASSERT_TRUE(measure_users(model, split, 1, kGoOn, &users).is_ok());
  EXPECT_EQ(model.asked,
            (std::vector<std::string>{
                "DEVICE phone + AGE under 30; DEVICE desk + AGE under 30; DEVICE phone + AGE under "
                "30; DEVICE car + AGE under 30; ? DEVICE desk + AGE under 30",
                "DEVICE phone; DEVICE desk; DEVICE phone; DEVICE car; ? DEVICE desk"}));
}

TEST(Measure, StopsInTheMiddleOfALongHistory) {
  VectorSource source;
  for (int i = 0; i < 100000; i++) source.add({"u", "i" + std::to_string(i % 10), i});
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  class SlowModel : public ToyModel {
   public:
    using ToyModel::ToyModel;
    void step(std::span<const ModelEvent>, size_t, std::span<float>) const override {
      steps++;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    mutable std::atomic<int> steps = 0;
  } model(s.item_count());
  int asked = 0;
  const auto rows = measure(model, leave_one_out_split(s), 2, [&] { return ++asked > 2; });
  ASSERT_FALSE(rows.is_ok());
  EXPECT_EQ(rows.status().code(), StatusCode::kInterrupted);
  EXPECT_LT(model.steps, 99999);
}

TEST(Measure, OfNobodyGivesNoRows) {
  VectorSource source;
  source.add({"u", "i", 1});
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  const auto rows = measure(ToyModel(1), leave_one_out_split(s), 2, kGoOn);
  ASSERT_TRUE(rows.is_ok());
  EXPECT_TRUE(rows->empty());
}

// What the peers' harness beside the source tree says of popularity on ML-100K: lines
// "protocol list metric value". Empty if it cannot run.
std::map<std::string, double> peers_popularity() {
  const std::string script = R"py(
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import data, evaluate
d = data.load("ml-100k")
for name in ("loo", "amz", "th"):
    if name == "loo":
        train = evaluate.loo_train(d, "test")
        users, histories, relevant = evaluate.loo(d)
    else:
        train, users, relevant = evaluate.amazon_split(d, 3) if name == "amz" else evaluate.temporal_holdout(d)
        histories = [train[u] for u in users]
    popular = np.bincount(np.concatenate([np.unique(s) for s in train]), minlength=d.n_items)
    lists = evaluate.evaluate(lambda u, h: np.tile(popular, (len(u), 1)), users, histories, relevant, d.n_items)
    for seen, row in lists.items():
        for metric, value in row.items():
            print(name, seen, metric, value)
)py";
  const std::string file = testing::TempDir() + "/peers_popularity.py";
  std::FILE* out = std::fopen(file.c_str(), "w");
  if (out == nullptr) return {};
  std::fputs(script.c_str(), out);
  std::fclose(out);
  const std::string command =
      "/usr/bin/python3 -B '" + file + "' '" + shared_data_folder() + "/../peers' 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::map<std::string, double> result;
  char protocol[32], list[32], metric[32];
  double value = 0;
  while (std::fscanf(pipe, "%31s %31s %31s %lf", protocol, list, metric, &value) == 4)
    result[std::string(protocol) + " " + list + " " + metric] = value;
  pclose(pipe);
  std::remove(file.c_str());
  return result;
}

TEST(Measure, AgreesWithThePeersHarnessOnMovieLens) {
  const auto rows = read_shared_data("ml-100k");
  if (!rows) GTEST_SKIP() << "the shared data sets are not beside the source tree";
  const std::map<std::string, double> expected = peers_popularity();
  if (expected.empty()) GTEST_SKIP() << "the peers' harness cannot run (it needs numpy)";

  VectorSource source(*rows);
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  const std::map<std::string, Split> splits = {{"loo", leave_one_out_split(s)},
                                               {"amz", amazon_split(s, 3)},
                                               {"th", temporal_holdout_split(s)}};
  const std::map<std::string, std::string> names = {
      {"precision", "P"},
      {"hit_rate", "HR"},
      {"normalized_discounted_cumulative_gain", "NDCG"},
      {"mean_reciprocal_rank", "MRR"}};
  size_t compared = 0;
  for (const auto& [protocol, split] : splits) {
    SilentProgress progress;
    const auto fitted = popularity_recipe().fit(split.training, {}, {}, progress);
    const AlignedBlob blob(fitted->blob);
    const auto model = popularity_recipe().open(blob.view());
    const auto measured = measure(**model, split, 2, kGoOn);
    ASSERT_TRUE(measured.is_ok());
    for (const MetricRow& row : *measured) {
      const auto name = names.find(row.metric);
      if (name == names.end()) continue;
      const std::string key = protocol + (row.seen == kSeenIncluded ? " all " : " unseen ") +
                              name->second + "@" + std::to_string(row.k);
      ASSERT_EQ(expected.count(key), 1u) << key;
      EXPECT_NEAR(row.value, expected.at(key), 0.000051) << key;
      compared++;
    }
  }
  EXPECT_EQ(compared, 3u * 2 * 10);
}

}  // namespace
}  // namespace personalize
