// Splits, metrics and their summary together, against figures that another program (numpy) gave for
// two simple recommenders under the same protocols on MovieLens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "engine/dataset/split.h"
#include "engine/training/metric_summary.h"
#include "tests/engine/testing/random_events.h"
#include "tests/engine/testing/shared_data.h"

namespace personalize {
namespace {

std::vector<float> distinct_users_of(const TrainingView& training) {
  const Sequences& s = *training.sequences;
  std::vector<float> users(s.item_count());
  for (size_t u = 0; u < s.user_count(); u++) {
    std::vector<ItemIndex> items(s.item.begin() + s.start[u], s.item.begin() + training.end[u]);
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    for (const ItemIndex item : items) users[static_cast<size_t>(item)]++;
  }
  return users;
}

class Popularity : public Model {
 public:
  explicit Popularity(const TrainingView& training) : users_(distinct_users_of(training)) {}
  size_t item_count() const override { return users_.size(); }
  ScoreKind score_kind() const override { return ScoreKind::kCounts; }
  void score(const Question&, std::span<float> scores) const override {
    std::copy(users_.begin(), users_.end(), scores.begin());
  }
  bool similar(ItemIndex, std::span<float>) const override { return false; }

 private:
  std::vector<float> users_;
};

// A plain windowed Markov chain, with no term for what the user had before: how often an item came
// within 10 events after another, nearer counting more; a little popularity decides ties.
class Markov : public Model {
 public:
  explicit Markov(const TrainingView& training) : popular_(distinct_users_of(training)) {
    const size_t n = popular_.size();
    next_.resize(n * n);
    const Sequences& s = *training.sequences;
    for (size_t u = 0; u < s.user_count(); u++)
      for (int64_t a = s.start[u]; a < training.end[u]; a++)
        for (int64_t b = a + 1; b < training.end[u] && b - a <= kWindow; b++)
          next_[static_cast<size_t>(s.item[a]) * n + static_cast<size_t>(s.item[b])] +=
              static_cast<float>(std::pow(kDecay, b - a - 1));
    for (size_t i = 0; i < n; i++) {
      double total = kSmooth;
      for (size_t j = 0; j < n; j++) total += next_[i * n + j];
      for (size_t j = 0; j < n; j++) next_[i * n + j] /= static_cast<float>(total);
    }
    float sum = 0;
    for (const float users : popular_) sum += users;
    for (float& users : popular_) users *= 0.01F / sum;
  }
  size_t item_count() const override { return popular_.size(); }
  ScoreKind score_kind() const override { return ScoreKind::kLogits; }
  void score(const Question& question, std::span<float> scores) const override {
    const size_t n = popular_.size();
    std::copy(popular_.begin(), popular_.end(), scores.begin());
    for (size_t back = 0; back < kWindow && back < question.history.size(); back++) {
      const ModelEvent& event = question.history[question.history.size() - 1 - back];
      const auto weight = static_cast<float>(std::pow(kDecay, back));
      const float* const row = &next_[static_cast<size_t>(event.item) * n];
      for (size_t j = 0; j < n; j++) scores[j] += weight * row[j];
    }
  }
  bool similar(ItemIndex, std::span<float>) const override { return false; }

 private:
  static constexpr int kWindow = 10;
  static constexpr double kDecay = 0.7, kSmooth = 50;
  std::vector<float> popular_, next_;
};

struct Figure {
  std::string metric;
  int k;
  double all, unseen;
};

MetricRow row_of(const std::vector<MetricRow>& rows, const Figure& figure, std::string_view seen) {
  return *std::find_if(rows.begin(), rows.end(), [&](const MetricRow& row) {
    return row.metric == figure.metric && row.k == figure.k && row.seen == seen;
  });
}

void expect_figures(const std::vector<MetricRow>& rows, const std::vector<Figure>& figures,
                    double tolerance) {
  for (const Figure& figure : figures) {
    EXPECT_NEAR(row_of(rows, figure, kSeenIncluded).value, figure.all, tolerance)
        << figure.metric << " " << figure.k;
    EXPECT_NEAR(row_of(rows, figure, kSeenExcluded).value, figure.unseen, tolerance)
        << figure.metric << " " << figure.k << " unseen";
  }
}

template <typename AnyModel>
void add(MetricSummary& summary, const Split& split) {
  summary.add(split, *measure_users(AnyModel(split.training), split, 2, [] { return false; }));
}

template <typename AnyModel>
std::vector<MetricRow> rows_of(const Split& split) {
  MetricSummary summary;
  add<AnyModel>(summary, split);
  return summary.rows();
}

std::optional<Sequences> read_movies(const std::string& name) {
  const auto rows = read_shared_data(name);
  if (!rows) return std::nullopt;
  VectorSource source(*rows);
  return *read_sequences(source, {}, TieOrder::kArrival, 1);
}

constexpr std::string_view kMissing = "the shared data sets are not beside the source tree";
const std::string ndcg(kNdcg), precision(kPrecision), hit_rate(kHitRate), coverage(kCoverage),
    reciprocal(kMeanReciprocalRank);
// The figures have four places, and the other program counts in 32-bit floats too.
constexpr double kRounding = 0.00011;

TEST(Protocols, TemporalHoldoutOnMovieLens1M) {
  const auto sequences = read_movies("ml-1m");
  if (!sequences) GTEST_SKIP() << kMissing;
  const Split split = temporal_holdout_split(*sequences);
  expect_figures(rows_of<Popularity>(split),
                 {{precision, 5, 0.0199, 0.0639},
                  {precision, 10, 0.0207, 0.0571},
                  {precision, 25, 0.0219, 0.0471},
                  {reciprocal, 25, 0.0653, 0.1485}},
                 kRounding);
  expect_figures(rows_of<Markov>(split),
                 {{precision, 5, 0.1270, 0.1866},
                  {precision, 10, 0.1087, 0.1568},
                  {precision, 25, 0.0839, 0.1148},
                  {reciprocal, 25, 0.2878, 0.3751}},
                 kRounding);
}

TEST(Protocols, AmazonsOnMovieLens100KOverTenSeeds) {
  const auto sequences = read_movies("ml-100k");
  if (!sequences) GTEST_SKIP() << kMissing;
  MetricSummary popularity, markov;
  for (uint64_t seed = 0; seed < 10; seed++) {
    const Split split = amazon_split(*sequences, seed);
    EXPECT_EQ(split.test_users.size(), 94U);
    add<Popularity>(popularity, split);
    add<Markov>(markov, split);
  }
  // Not its coverage: which of equally popular items are in the list is anybody's choice.
  expect_figures(popularity.rows(),
                 {{precision, 5, 0.0232, 0.0691},
                  {precision, 10, 0.0259, 0.0637},
                  {precision, 25, 0.0250, 0.0454},
                  {ndcg, 5, 0.0270, 0.0758},
                  {ndcg, 10, 0.0348, 0.0811},
                  {ndcg, 25, 0.0525, 0.0926},
                  {reciprocal, 25, 0.0758, 0.1594}},
                 kRounding);
  expect_figures(markov.rows(),
                 {{precision, 5, 0.0742, 0.1347},
                  {precision, 10, 0.0679, 0.1149},
                  {precision, 25, 0.0565, 0.0851},
                  {ndcg, 5, 0.0902, 0.1609},
                  {ndcg, 10, 0.1049, 0.1734},
                  {ndcg, 25, 0.1431, 0.2118},
                  {reciprocal, 25, 0.1984, 0.3104},
                  {coverage, 0, 0.2608, 0.3183}},
                 kRounding);
  // Between the splits, of NDCG@10.
  const Figure deviation{ndcg, 10, 0.0092, 0.0154};
  const auto between_seeds = [&](std::string_view seen) {
    return row_of(markov.rows(), deviation, seen).seed_deviation.value();
  };
  EXPECT_NEAR(between_seeds(kSeenIncluded), deviation.all, kRounding);
  EXPECT_NEAR(between_seeds(kSeenExcluded), deviation.unseen, kRounding);
}

TEST(Protocols, LeaveLastTwoOutOnMovieLens100K) {
  const auto sequences = read_movies("ml-100k");
  if (!sequences) GTEST_SKIP() << kMissing;
  const Split split = leave_last_two_out_split(*sequences);
  EXPECT_EQ(split.test_users.size(), 943U);
  expect_figures(rows_of<Markov>(split),
                 {{hit_rate, 10, 0.1421, 0.2089},
                  {ndcg, 10, 0.0756, 0.1155},
                  {reciprocal, 25, 0.0629, 0.0952},
                  {coverage, 0, 0.4946, 0.5933}},
                 kRounding);
}

}  // namespace
}  // namespace personalize
