#include "engine/recipes/hrnn/sampled_window.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/recipes/own_history.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/side_metadata.h"

namespace personalize::hrnn {
namespace {

bool never() { return false; }

// A window's loss and gradient by the network of all items, which network_test.cc compares with
// finite differences, against those of the window's own small problem.
class SampledWindowTest : public testing::Test {
 protected:
  static constexpr size_t kItems = 200;
  static constexpr size_t kLanes = 3;
  static constexpr size_t kWindow = 6;
  static constexpr size_t kD = 5;

  SampledWindowTest()
      : all_(with_contexts(random_sequences(12, kItems, 12, 11))),
        side_(side_columns_of(all_, random_users(all_, 4))),
        view_(TrainingView::everything(all_)),
        layout_({kItems, kD, 4, kGapFeatures + 5, side_.size()}),
        whole_(layout_) {
    data_.sequences = &all_;
    data_.session_gap = 150;
    data_.side = &side_;
    data_.recency = recency_table(view_);
    Random random(3, 0);
    for (size_t user = 0; user < all_.user_count(); ++user)
      data_.user_weight.push_back(static_cast<float>(0.5 + random.uniform()));
    const std::vector<float> columns = value_columns(view_);
    for (size_t user = 0; user < all_.user_count(); ++user)
      for (int64_t e = view_.begin(user); e < view_.end[user]; ++e) {
        const auto i = static_cast<size_t>(e);
        const bool first = e == view_.begin(user);
        data_.features.push_back(event_features(
            first, first ? 0 : all_.timestamp[i] - all_.timestamp[i - 1], all_.value[i], columns));
      }
    for (float& x : whole_.parameters.span()) x = static_cast<float>(0.4 * random.normal());
  }

  // `whole_` with the logits that the candidates of `sampled` have, and no other items.
  Network restricted(const SampledWindow& sampled, const std::vector<float>& corrections) {
    Network network(layout_);
    std::copy_n(whole_.parameters.data(), layout_.size, network.parameters.data());
    std::vector<float> added(kItems, -10'000);
    for (size_t r = 0; r < sampled.items().size(); ++r)
      added[static_cast<size_t>(sampled.items()[r])] = corrections[r];
    for (size_t j = 0; j < kItems; ++j) network.parameters[layout_.bias + j] += added[j];
    ready(network);
    return network;
  }
  static void ready(Network& network) {
    network.panels.pack(0, network.panels.count(),
                        network.parameters.data() + network.layout.embedding);
    network.transpose();
  }

  Network gathered(SampledWindow& sampled) {
    Network small(sampled.layout());
    std::copy_n(whole_.parameters.data() + layout_.feature, layout_.size - layout_.feature,
                small.parameters.data() + small.layout.feature);
    EXPECT_TRUE(sampled.gather(whole_.parameters, small, team_, [] {}));
    small.transpose();
    return small;
  }

  // ln(1 / pi) of each candidate: what gather() added to its bias.
  std::vector<float> corrections(const SampledWindow& sampled, const Network& small) const {
    std::vector<float> result;
    for (size_t r = 0; r < sampled.items().size(); ++r)
      result.push_back(small.parameters[small.layout.bias + r] -
                       whole_.parameters[layout_.bias + static_cast<size_t>(sampled.items()[r])]);
    return result;
  }

  void compare_with_the_network_of_all_items(const std::vector<Segment>& segments) {
    SampledWindow sampled(view_, data_, layout_, 96, 5);
    LaneGroup all_items(layout_, 0, kLanes, kWindow, data_.session_gap);
    LaneGroup candidates(sampled.layout(), 0, kLanes, kWindow, data_.session_gap);
    Batches batches(all_, segments, kLanes, kWindow, 5);
    batches.begin_epoch(0);
    all_items.start_epoch();
    candidates.start_epoch();
    Window window;
    size_t total = 0;
    size_t windows = 0;
    for (; batches.next(window, total); ++windows) {
      const Dropout dropout{0.2F, 9, windows, 0.25};
      std::vector<const float*> states;
      for (size_t lane = 0; lane < kLanes; ++lane)
        states.push_back(candidates.states().data() + lane * layout_.shape.hidden);
      sampled.enter(window, windows, states);
      ASSERT_LT(sampled.items().size(), kItems);
      const Network small = gathered(sampled);
      const Network large = restricted(sampled, corrections(sampled, small));
      for (LaneGroup* group : {&all_items, &candidates})
        std::fill_n(group->gradient().data(), group->gradient().size(), 0.0F);
      const double wanted = all_items.run(large, data_, window, total, dropout, never);
      const double loss =
          candidates.run(small, sampled.data(), sampled.window(), total, dropout, never);
      EXPECT_NEAR(loss, wanted, 1e-5 * wanted);
      compare_gradients(all_items.gradient(), candidates.gradient(), sampled);
    }
    EXPECT_GE(windows, 4U);
  }

  void compare_gradients(const AlignedFloats& wanted, const AlignedFloats& gradient,
                         const SampledWindow& sampled) {
    const Layout& small = sampled.layout();
    for (size_t i = layout_.feature; i < layout_.size; ++i)
      EXPECT_NEAR(gradient[i - layout_.feature + small.feature], wanted[i],
                  1e-6 + 1e-4 * std::abs(wanted[i]))
          << "place " << i - layout_.feature;
    for (size_t r = 0; r < small.shape.items; ++r) {
      const bool candidate = r < sampled.items().size();
      const size_t item = candidate ? static_cast<size_t>(sampled.items()[r]) : 0;
      EXPECT_NEAR(gradient[small.bias + r], candidate ? wanted[layout_.bias + item] : 0, 1e-6);
      for (size_t c = 0; c < kD; ++c)
        EXPECT_NEAR(gradient[small.embedding + r * kD + c],
                    candidate ? wanted[layout_.embedding + item * kD + c] : 0, 1e-6);
    }
  }

  static Sequences with_contexts(Sequences all) {
    add_random_contexts(all, 3);
    return all;
  }

  const Sequences all_;
  const SideColumns side_;
  TrainingView view_;
  Layout layout_;
  Network whole_;
  TrainingData data_;
  ThreadTeam team_{2};
};

TEST_F(SampledWindowTest, HasTheLossAndGradientOfAllItemsRestrictedToTheCandidates) {
  compare_with_the_network_of_all_items(whole_histories(view_));
}

TEST_F(SampledWindowTest, HasThemOnPartsOfHistoriesFromStatesOfTheirOwnToo) {
  std::vector<Segment> segments;
  for (const Segment& whole : whole_histories(view_)) {
    const int64_t middle = (whole.first + whole.last) / 2;
    if (middle > whole.first) segments.push_back({whole.user, middle, whole.last});
  }
  Random random(8, 0);
  data_.resumed_states.resize(segments.size() * layout_.shape.hidden);
  for (float& x : data_.resumed_states) x = static_cast<float>(0.5 * random.normal());
  compare_with_the_network_of_all_items(segments);
}

TEST_F(SampledWindowTest, NeedsItsOwnItemsAndTheLatestOfItsUsers) {
  SampledWindow sampled(view_, data_, layout_, 96, 5);
  Batches batches(all_, whole_histories(view_), kLanes, kWindow, 5);
  const std::vector<Segment> segments = whole_histories(view_);
  Batches again(all_, segments, kLanes, kWindow, 5);
  again.begin_epoch(0);
  const std::vector<float> state(layout_.shape.hidden);
  const std::vector<const float*> states(kLanes, state.data());
  Window window;
  size_t total = 0;
  for (uint64_t number = 0; again.next(window, total); ++number) {
    sampled.enter(window, number, states);
    const std::set<ItemIndex> items(sampled.items().begin(), sampled.items().end());
    EXPECT_EQ(items.size(), sampled.items().size());
    for (size_t lane = 0; lane < kLanes; ++lane) {
      if (window.valid[lane] == 0) continue;
      for (size_t t = 0; t < window.valid[lane]; ++t) {
        const auto e = static_cast<size_t>(window.event[lane * window.steps + t]);
        EXPECT_TRUE(items.contains(all_.item[e]));
        EXPECT_TRUE(items.contains(all_.item[e + 1]));
      }
      const auto e = static_cast<size_t>(window.event[lane * window.steps]);
      if (window.first[lane * window.steps] == 0) {
        EXPECT_TRUE(items.contains(all_.item[e - 1]));
      }
    }
  }
}

// The gradient of the sampled loss, averaged over many draws, is that of the loss over all items:
// nearly so, since a quotient's mean is not the quotient of means.
TEST_F(SampledWindowTest, HasTheGradientOfAllItemsOnAverage) {
  const std::vector<Segment> segments = whole_histories(view_);
  Batches batches(all_, segments, kLanes, kWindow, 5);
  batches.begin_epoch(0);
  Window window;
  size_t total = 0;
  ASSERT_TRUE(batches.next(window, total));
  ready(whole_);
  LaneGroup all_items(layout_, 0, kLanes, kWindow, data_.session_gap);
  all_items.start_epoch();
  const double wanted_loss = all_items.run(whole_, data_, window, total, {}, never);
  const AlignedFloats& wanted = all_items.gradient();

  SampledWindow sampled(view_, data_, layout_, 96, 5);
  const Layout& small_layout = sampled.layout();
  constexpr uint64_t kDraws = 800;
  std::vector<double> mean(layout_.size);
  double loss = 0;
  for (uint64_t draw = 0; draw < kDraws; ++draw) {
    LaneGroup group(small_layout, 0, kLanes, kWindow, data_.session_gap);
    group.start_epoch();
    sampled.enter(window, draw, std::vector<const float*>(kLanes, group.states().data()));
    const Network small = gathered(sampled);
    loss += group.run(small, sampled.data(), sampled.window(), total, {}, never) / kDraws;
    const AlignedFloats& gradient = group.gradient();
    for (size_t i = layout_.feature; i < layout_.size; ++i)
      mean[i] += gradient[i - layout_.feature + small_layout.feature] / double{kDraws};
    for (size_t r = 0; r < sampled.items().size(); ++r) {
      const auto item = static_cast<size_t>(sampled.items()[r]);
      mean[layout_.bias + item] += gradient[small_layout.bias + r] / double{kDraws};
      for (size_t c = 0; c < kD; ++c)
        mean[layout_.embedding + item * kD + c] +=
            gradient[small_layout.embedding + r * kD + c] / double{kDraws};
    }
  }
  EXPECT_NEAR(loss, wanted_loss, 0.01 * wanted_loss);
  double difference = 0;
  double squares = 0;
  for (size_t i = 0; i < layout_.size; ++i) {
    difference += (mean[i] - wanted[i]) * (mean[i] - wanted[i]);
    squares += static_cast<double>(wanted[i]) * wanted[i];
  }
  EXPECT_LT(std::sqrt(difference / squares), 0.03);
}

}  // namespace
}  // namespace personalize::hrnn
