#include "engine/recipes/hrnn/warm_start.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/dataset/split.h"
#include "engine/recipes/popularity.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize::hrnn {
namespace {

bool never() { return false; }

// A network of random numbers for the items of `all`.
Stored random_network(const Sequences& all, uint64_t seed) {
  const Layout layout({all.item_count(), 6, 4, kGapFeatures + 5});
  Stored stored{{layout, AlignedFloats(layout.size), {}, {1, 2, 3, 4, 5}}, 150, {}};
  Random random(seed, 0);
  for (float& x : stored.trained.parameters.span()) x = static_cast<float>(0.4 * random.normal());
  return stored;
}

TEST(Fold, GivesTheStatesThatTheNetworkHasAfterOneEventAfterTheOther) {
  const Sequences all = random_sequences(90, 12, 40, 4);
  const Stored stored = random_network(all, 1);
  const Cell cell = Cell::of(stored.trained, stored.session_gap);
  std::vector<Segment> segments;
  for (const Segment& whole : whole_histories(TrainingView::everything(all))) {
    segments.push_back({whole.user, (whole.first + whole.last) / 2, whole.last});
    segments.push_back(whole);
  }
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    const auto states = fold(cell, all, segments, 1'000, threads, never);
    ASSERT_TRUE(states.is_ok());
    if (first.empty()) first = *states;
    EXPECT_EQ(*states, first) << threads << " threads";
  }
  for (size_t s = 0; s < segments.size(); ++s) {
    const auto history = history_of(all, segments[s].user, segments[s].first);
    std::vector<float> state(cell.initial.begin(), cell.initial.end());
    for (size_t i = 0; i < history.size(); ++i) cell.advance(history, i, i + 1, state.data());
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(first[s * 4 + i], state[i], 1e-5);
  }
}

TEST(Fold, ReadsNoMoreOfAHistoryThanItMay) {
  const Sequences all = random_sequences(20, 12, 40, 4);
  const Stored stored = random_network(all, 1);
  const Cell cell = Cell::of(stored.trained, stored.session_gap);
  std::vector<Segment> segments;
  for (const Segment& whole : whole_histories(TrainingView::everything(all)))
    segments.push_back({whole.user, whole.last - 1, whole.last});
  const auto states = fold(cell, all, segments, 3, 1, never);
  ASSERT_TRUE(states.is_ok());
  for (size_t s = 0; s < segments.size(); ++s) {
    const auto history = history_of(all, segments[s].user, segments[s].first);
    std::vector<float> state(cell.initial.begin(), cell.initial.end());
    for (size_t i = history.size() - std::min<size_t>(3, history.size()); i < history.size(); ++i)
      cell.advance(history, i, i + 1, state.data());
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR((*states)[s * 4 + i], state[i], 1e-5);
  }
}

TEST(Fold, StopsWhenItIsTold) {
  const Sequences all = random_sequences(20, 12, 40, 4);
  const Stored stored = random_network(all, 1);
  const auto segments = whole_histories(TrainingView::everything(all));
  const auto states =
      fold(Cell::of(stored.trained, 150), all, segments, 1'000, 2, [] { return true; });
  ASSERT_FALSE(states.is_ok());
  EXPECT_EQ(states.status().code(), StatusCode::kInterrupted);
}

TEST(UpdateSegments, HaveEveryNewEventAsATargetOnceAndAsManyOldOnes) {
  const Sequences all = random_sequences(300, 12, 20, 4);
  const TrainingView view = TrainingView::everything(all);
  std::vector<int64_t> times(all.timestamp);
  std::sort(times.begin(), times.end());
  const std::vector<int64_t> first = first_events_after(view, times[times.size() * 8 / 10]);
  const UpdateSegments update = update_segments(view, first, 1, 8, 1);
  std::set<int64_t> targets;
  size_t fresh_targets = 0;
  for (size_t s = 0; s < update.segments.size(); ++s) {
    const Segment& segment = update.segments[s];
    EXPECT_GE(segment.first, view.begin(segment.user));
    EXPECT_LT(segment.first, segment.last);
    EXPECT_LT(segment.last, view.end[segment.user]);
    for (int64_t target = segment.first + 1; target <= segment.last; ++target) {
      EXPECT_EQ(target >= first[segment.user], s < update.fresh);
      EXPECT_TRUE(targets.insert(target).second) << "once";
      fresh_targets += s < update.fresh ? 1 : 0;
    }
    if (s >= update.fresh) {
      EXPECT_LE(segment.last - segment.first, 8);
    }
  }
  size_t wanted = 0;
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = std::max(first[user], view.begin(user) + 1); e < view.end[user]; ++e) ++wanted;
  EXPECT_EQ(fresh_targets, wanted);
  EXPECT_NEAR(static_cast<double>(targets.size() - fresh_targets), static_cast<double>(wanted), 8);

  EXPECT_TRUE(update_segments(view, view.end, 1, 8, 1).segments.empty()) << "nothing is new";
}

// The items of `all` under other numbers, without the first `gone`; the vocabulary of a model.
class OldItems {
 public:
  OldItems(const Sequences& all, size_t gone, size_t extra) {
    for (size_t i = 0; i < extra; ++i) builder_.add("gone " + std::to_string(i));
    for (size_t i = all.item_count(); i-- > gone;)
      builder_.add(all.items.id(static_cast<ItemIndex>(i)));
    BlobWriter writer;
    builder_.write(writer);
    blob_ = std::make_unique<AlignedBlob>(writer);
    vocabulary = *Vocabulary::open(blob_->view());
  }
  Vocabulary vocabulary;

 private:
  VocabularyBuilder builder_;
  std::unique_ptr<AlignedBlob> blob_;
};

TEST(WithItems, KeepsKnownItemsAndPutsNewOnesAmongTheirNeighbours) {
  const Sequences all = random_sequences(80, 20, 10, 4);
  constexpr size_t kNew = 3;
  const OldItems old(all, kNew, 5);
  Sequences of_model;
  for (size_t i = 0; i < old.vocabulary.size(); ++i)
    of_model.items.add(old.vocabulary.id(static_cast<ItemIndex>(i)));
  const Stored stored = random_network(of_model, 2);
  const TrainingView view = TrainingView::everything(all);
  const MarkovCounts near = *count_transitions(view, {.window = 1, .decay = 1}, 1, never);
  const std::vector<float> events = count_events(view);
  const Trained made = with_items(stored, old.vocabulary, all, near, events, 1);

  const Layout& to = made.layout;
  const Layout& from = stored.trained.layout;
  ASSERT_EQ(to.shape.items, 20U);
  for (size_t i = kNew; i < 20; ++i) {
    const auto o =
        static_cast<size_t>(old.vocabulary.find(all.items.id(static_cast<ItemIndex>(i))));
    EXPECT_EQ(made.parameters[to.bias + i], stored.trained.parameters[from.bias + o]);
    for (size_t d = 0; d < 6; ++d)
      EXPECT_EQ(made.parameters[to.embedding + i * 6 + d],
                stored.trained.parameters[from.embedding + o * 6 + d]);
  }
  for (size_t i = 0; i < kNew; ++i) {
    std::vector<double> sum(6);
    double count = 0;
    for (size_t user = 0; user < all.user_count(); ++user)
      for (int64_t e = all.start[user]; e + 1 < all.start[user + 1]; ++e) {
        const auto a = static_cast<size_t>(all.item[static_cast<size_t>(e)]);
        const auto b = static_cast<size_t>(all.item[static_cast<size_t>(e) + 1]);
        if ((a == i) == (b == i) || (a != i && a < kNew) || (b != i && b < kNew)) continue;
        for (size_t d = 0; d < 6; ++d)
          sum[d] += made.parameters[to.embedding + (a == i ? b : a) * 6 + d];
        ++count;
      }
    ASSERT_GT(count, 0);
    for (size_t d = 0; d < 6; ++d)
      EXPECT_NEAR(made.parameters[to.embedding + i * 6 + d], sum[d] / count, 1e-5);
  }
  for (const auto& [a, b, size] : {std::tuple(to.feature, from.feature, size_t{60}),
                                   {to.recurrent, from.recurrent, 48},
                                   {to.output_bias, from.output_bias, 6},
                                   {to.own, from.own, kOwnHistoryParameters}})
    for (size_t i = 0; i < size; ++i)
      EXPECT_EQ(made.parameters[a + i], stored.trained.parameters[b + i]);
}

TEST(WithItems, GivesNewItemsTheBiasThatGoesWithTheirNumberOfEvents) {
  const Sequences all = random_sequences(80, 20, 10, 4);
  const OldItems old(all, 2, 0);
  Sequences of_model;
  for (size_t i = 0; i < old.vocabulary.size(); ++i)
    of_model.items.add(old.vocabulary.id(static_cast<ItemIndex>(i)));
  Stored stored = random_network(of_model, 2);
  std::vector<float> events(20);
  for (size_t i = 0; i < 20; ++i) events[i] = static_cast<float>(3 * i + 1);
  const size_t bias = stored.trained.layout.bias;
  for (size_t i = 2; i < 20; ++i) {
    const auto o =
        static_cast<size_t>(old.vocabulary.find(all.items.id(static_cast<ItemIndex>(i))));
    stored.trained.parameters[bias + o] = 0.5F + 0.25F * std::log1p(events[i]);
  }
  const Trained made =
      with_items(stored, old.vocabulary, all,
                 *count_transitions(TrainingView::everything(all), {}, 1, never), events, 1);
  for (size_t i = 0; i < 20; ++i)
    EXPECT_NEAR(made.parameters[made.layout.bias + i], 0.5 + 0.25 * std::log1p(events[i]), 1e-4);
}

TEST(ReadModel, GivesBackWhatWasWritten) {
  const Sequences all = random_sequences(40, 12, 10, 4);
  const TrainingView view = TrainingView::everything(all);
  Stored stored = random_network(all, 3);
  stored.trained.recency = recency_table(view);
  stored.weights = {.a = 0.625F, .w = 0.25F, .own = {}};
  stored.weights.own.recency[2] = 0.5F;
  BlobWriter writer;
  write_model(stored.trained, stored.session_gap, stored.weights,
              *count_transitions(view, {}, 1, never), distinct_users(view), count_events(view),
              writer);
  const AlignedBlob blob(writer);
  const auto back = read_model(blob.view());
  ASSERT_TRUE(back.is_ok()) << back.status().message();
  EXPECT_EQ(back->session_gap, 150);
  EXPECT_EQ(back->weights.a, 0.625F);
  EXPECT_EQ(back->trained.value_columns, stored.trained.value_columns);
  EXPECT_EQ(back->trained.recency.rows, stored.trained.recency.rows);
  const Layout& layout = stored.trained.layout;
  ASSERT_EQ(back->trained.layout.size, layout.size);
  for (const auto& [offset, size] : {std::pair(layout.embedding, size_t{72}),
                                     {layout.bias, 12},
                                     {layout.feature, 60},
                                     {layout.input, 72},
                                     {layout.input_bias, 12},
                                     {layout.recurrent, 48},
                                     {layout.candidate_bias, 4},
                                     {layout.initial, 4},
                                     {layout.output, 24},
                                     {layout.output_bias, 6},
                                     {layout.rho, 1},
                                     {layout.own, kOwnHistoryParameters}})
    for (size_t i = offset; i < offset + size; ++i)
      EXPECT_NEAR(back->trained.parameters[i], stored.trained.parameters[i], 1e-6) << i;
}

TEST(ReadModel, RefusesANetworkThatCountsForNothing) {
  const Sequences all = random_sequences(40, 12, 10, 4);
  const TrainingView view = TrainingView::everything(all);
  const Stored stored = random_network(all, 3);
  BlobWriter writer;
  write_model(stored.trained, 150, {.a = 0, .w = 1, .own = {}},
              *count_transitions(view, {}, 1, never), distinct_users(view), count_events(view),
              writer);
  const auto back = read_model(AlignedBlob(writer).view());
  ASSERT_FALSE(back.is_ok());
  EXPECT_EQ(back.status().code(), StatusCode::kInvalidInput);
}

}  // namespace
}  // namespace personalize::hrnn
