#include "engine/recipes/markov_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/recipes/user_selection.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_sequences.h"

namespace personalize {
namespace {

bool never() { return false; }

using Counts = std::map<std::pair<ItemIndex, ItemIndex>, double>;

// The definition, event by event.
Counts slow_counts(const TrainingView& data, const MarkovSettings& settings) {
  Counts counts;
  const Sequences& all = *data.sequences;
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t k = data.begin(user); k < data.end[user]; ++k)
      for (int64_t l = k + 1; l < data.end[user] && l - k <= settings.window; ++l)
        counts[{all.item[static_cast<size_t>(k)], all.item[static_cast<size_t>(l)]}] +=
            std::pow(settings.decay, static_cast<double>(l - k - 1));
  return counts;
}

TEST(MarkovCounts, AreTheDefinitionsWithoutTheWithheldEvents) {
  const Sequences all = random_sequences(60, 30, 12, 3);
  const CalibrationSplit split = withhold_last_events(TrainingView::everything(all), 20, 1, 1);
  const MarkovSettings settings{.window = 4, .decay = 0.6F, .smoothing = 5, .cut = 1'000};
  const auto counts = count_transitions(split.rest, settings, 1, never);
  ASSERT_TRUE(counts.is_ok());
  const Counts slow = slow_counts(split.rest, settings);
  ASSERT_EQ(counts->column.size(), slow.size());
  for (ItemIndex i = 0; i < 30; ++i) {
    double total = 0;
    for (uint64_t e = counts->row[static_cast<size_t>(i)];
         e < counts->row[static_cast<size_t>(i) + 1]; ++e) {
      EXPECT_NEAR(counts->count[e], slow.at({i, counts->column[e]}), 1e-4);
      total += slow.at({i, counts->column[e]});
    }
    EXPECT_NEAR(counts->total[static_cast<size_t>(i)], total, 1e-3);
  }
}

TEST(MarkovCounts, KeepTheLargestEntriesOfARowAndTheTotalOfAll) {
  const Sequences all = random_sequences(60, 30, 12, 4);
  const TrainingView view = TrainingView::everything(all);
  MarkovSettings settings{.window = 3, .decay = 0.5F, .smoothing = 5, .cut = 1'000};
  const auto whole = count_transitions(view, settings, 1, never);
  settings.cut = 3;
  const auto cut = count_transitions(view, settings, 1, never);
  ASSERT_TRUE(whole.is_ok() && cut.is_ok());
  EXPECT_EQ(cut->total, whole->total);
  for (size_t i = 0; i < 30; ++i) {
    std::vector<std::pair<float, ItemIndex>> entries;
    for (uint64_t e = whole->row[i]; e < whole->row[i + 1]; ++e)
      entries.emplace_back(-whole->count[e], whole->column[e]);
    std::sort(entries.begin(), entries.end());
    entries.resize(std::min<size_t>(3, entries.size()));
    std::vector<std::pair<float, ItemIndex>> kept;
    for (uint64_t e = cut->row[i]; e < cut->row[i + 1]; ++e)
      kept.emplace_back(-cut->count[e], cut->column[e]);
    std::sort(kept.begin(), kept.end());
    EXPECT_EQ(kept, entries);
  }
}

TEST(MarkovCounts, StopWhenTold) {
  Sequences all = random_sequences(2'000, 30, 50, 4);
  const auto counts = count_transitions(TrainingView::everything(all), {}, 1, [] { return true; });
  ASSERT_FALSE(counts.is_ok());
  EXPECT_EQ(counts.status().code(), StatusCode::kInterrupted);
}

TEST(MarkovChain, AddsTheRowsOfTheLastEvents) {
  const Sequences all = random_sequences(60, 30, 12, 5);
  const TrainingView view = TrainingView::everything(all);
  const MarkovSettings settings{.window = 4, .decay = 0.6F, .smoothing = 5, .cut = 1'000};
  const auto counts = count_transitions(view, settings, 1, never);
  ASSERT_TRUE(counts.is_ok());
  BlobWriter writer;
  counts->write(writer);
  const AlignedBlob blob(writer);
  const auto chain = MarkovChain::open(blob.view(), 30);
  ASSERT_TRUE(chain.is_ok()) << chain.status().message();

  const Counts slow = slow_counts(view, settings);
  std::map<ItemIndex, double> total;
  for (const auto& [pair, count] : slow) total[pair.first] += count;
  const std::vector<ModelEvent> history = {{0, 3, 0}, {0, 9, 0},  {0, 9, 0},
                                           {0, 1, 0}, {0, 20, 0}, {0, 4, 0}};
  MarkovTerms terms;
  for (int use = 0; use < 2; ++use) {  // the second time with used memory
    chain->terms(history, terms);
    std::map<ItemIndex, double> expected;
    for (size_t g = 1; g <= 4; ++g) {
      const ItemIndex item = history[history.size() - g].item;
      for (ItemIndex j = 0; j < 30; ++j)
        if (const auto found = slow.find({item, j}); found != slow.end())
          expected[j] += std::pow(0.6, g - 1.0) * found->second / (total[item] + 5);
    }
    ASSERT_EQ(terms.items.size(), expected.size());
    for (size_t i = 0; i < terms.items.size(); ++i)
      EXPECT_NEAR(terms.terms[i], std::log1p(expected[terms.items[i]] / 1e-3), 1e-4);
  }
}

TEST(MarkovChain, RefusesDamagedSections) {
  const Sequences all = random_sequences(60, 30, 12, 5);
  const auto good = count_transitions(TrainingView::everything(all), {}, 1, never);
  ASSERT_TRUE(good.is_ok());
  const auto opens = [](const MarkovCounts& counts) {
    BlobWriter writer;
    counts.write(writer);
    const AlignedBlob blob(writer);
    return MarkovChain::open(blob.view(), 30).is_ok();
  };
  EXPECT_TRUE(opens(*good));
  MarkovCounts bad = *good;
  bad.column[5] = 30;
  EXPECT_FALSE(opens(bad));
  bad = *good;
  bad.column[5] = -1;
  EXPECT_FALSE(opens(bad));
  bad = *good;
  bad.row[3] = bad.row[4] + 1;
  EXPECT_FALSE(opens(bad));
  bad = *good;
  bad.row[30] += 1;
  EXPECT_FALSE(opens(bad));
  bad = *good;
  bad.count[0] = NAN;
  EXPECT_FALSE(opens(bad));
  bad = *good;
  bad.settings.window = 0;
  EXPECT_FALSE(opens(bad));
  bad = *good;
  bad.settings.smoothing = INFINITY;
  EXPECT_FALSE(opens(bad));
}

}  // namespace
}  // namespace personalize
