#include "engine/recipes/hrnn/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/engine/testing/random_sequences.h"

namespace personalize::hrnn {
namespace {

bool never() { return false; }

using Doubles = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The loss of one window by its equations (parameters.h), in double precision, one row after the
// other, each row's history read again from the sequences. The state that comes in is a constant.
class SlowNetwork {
 public:
  SlowNetwork(const Layout& layout, const TrainingData& data, size_t lanes)
      : layout_(layout), data_(data), lanes_(lanes) {}

  // `states`: one a lane, moved to the end of the window. `masks`: of inputs and of states.
  double loss(const Doubles& p, const Window& window, size_t total, const Dropout& dropout,
              std::vector<Doubles>& states) const {
    const size_t d = layout_.shape.embedding;
    const size_t h = layout_.shape.hidden;
    std::vector<float> x_mask(lanes_ * window.steps * d, 1);
    std::vector<float> h_mask(lanes_ * window.steps * h, 1);
    if (dropout.rate > 0) {
      dropout_mask(dropout, 0, x_mask);
      dropout_mask(dropout, 1, h_mask);
    }
    double sum = 0;
    for (size_t lane = 0; lane < lanes_; ++lane)
      for (size_t t = 0; t < window.valid[lane]; ++t) {
        const size_t row = lane * window.steps + t;
        const auto e = static_cast<size_t>(window.event[row]);
        const size_t user = window.user[row];
        if (const int32_t segment = window.resumed[row]; segment >= 0)
          states[lane].assign(
              data_.resumed_states.begin() + segment * static_cast<int64_t>(h),
              data_.resumed_states.begin() + (segment + 1) * static_cast<int64_t>(h));
        step(p, e, user, x_mask.data() + row * d, states[lane]);
        Doubles dropped = states[lane];
        for (size_t i = 0; i < h; ++i) dropped[i] *= h_mask[row * h + i];
        const Doubles z = logits(p, e, user, dropped);
        double normaliser = 0;
        for (const double x : z) normaliser += std::exp(x);
        const auto target = static_cast<size_t>(data_.sequences->item[e + 1]);
        sum += data_.user_weight[user] / static_cast<double>(total) *
               (std::log(normaliser) - z[target]);
      }
    return sum;
  }

 private:
  void step(const Doubles& p, size_t e, size_t user, const float* mask, Doubles& state) const {
    const Sequences& all = *data_.sequences;
    const size_t d = layout_.shape.embedding;
    const size_t h = layout_.shape.hidden;
    const bool first = static_cast<int64_t>(e) == all.start[user];
    const double gap = first ? 0 : static_cast<double>(all.timestamp[e] - all.timestamp[e - 1]);
    Doubles x(d);
    for (size_t j = 0; j < d; ++j) {
      const auto feature = [&](size_t column) { return p[layout_.feature + column * d + j]; };
      x[j] = p[layout_.embedding + static_cast<size_t>(all.item[e]) * d + j];
      if (first) {
        x[j] += feature(1);
      } else {
        x[j] += std::log1p(gap) / 10 * feature(0);
        if (gap == 0) x[j] += feature(2);
        if (gap > 1'800) x[j] += feature(3);
        if (gap > 86'400) x[j] += feature(4);
      }
      x[j] += feature(5 + static_cast<size_t>(all.value[e]) - 1);  // values are 1 to 5
      x[j] *= mask[j];
    }
    if (first)
      for (size_t i = 0; i < h; ++i) state[i] = p[layout_.initial + i];
    const auto gate = [&](size_t g, size_t i, bool recurrent) {
      double sum = recurrent ? 0 : p[layout_.input_bias + g * h + i];
      if (recurrent)
        for (size_t j = 0; j < h; ++j)
          sum += state[j] * p[layout_.recurrent + j * 3 * h + g * h + i];
      else
        for (size_t j = 0; j < d; ++j) sum += x[j] * p[layout_.input + j * 3 * h + g * h + i];
      return sum;
    };
    Doubles next(h);
    for (size_t i = 0; i < h; ++i) {
      const double r = sigmoid(gate(0, i, false) + gate(0, i, true));
      const double z = sigmoid(gate(1, i, false) + gate(1, i, true));
      const double n =
          std::tanh(gate(2, i, false) + r * (gate(2, i, true) + p[layout_.candidate_bias + i]));
      next[i] = (1 - z) * n + z * state[i];
    }
    state = next;
  }

  Doubles logits(const Doubles& p, size_t e, size_t user, const Doubles& state) const {
    const Sequences& all = *data_.sequences;
    const size_t d = layout_.shape.embedding;
    const size_t h = layout_.shape.hidden;
    size_t bucket = 0;
    while (bucket + 1 < data_.recency.starts.size() &&
           data_.recency.starts[bucket + 1] <= all.timestamp[e])
      ++bucket;
    Doubles z(layout_.shape.items);
    for (size_t j = 0; j < z.size(); ++j) {
      z[j] = p[layout_.bias + j] +
             p[layout_.rho] * data_.recency.rows[bucket * layout_.shape.items + j];
      for (size_t c = 0; c < d; ++c) {
        double y = p[layout_.output_bias + c];
        for (size_t i = 0; i < h; ++i) y += state[i] * p[layout_.output + i * d + c];
        z[j] += p[layout_.embedding + j * d + c] * y;
      }
    }
    std::map<ItemIndex, std::pair<size_t, double>> own;  // last place, count
    for (auto i = static_cast<size_t>(all.start[user]); i <= e; ++i) {
      own[all.item[i]].first = i;
      own[all.item[i]].second += 1;
    }
    for (const auto& [item, place] : own) {
      bool same_session = true;
      for (size_t i = place.first + 1; i <= e; ++i)
        if (all.timestamp[i] - all.timestamp[i - 1] > data_.session_gap) same_session = false;
      const double b =
          std::min(7.0, std::floor(std::log2(static_cast<double>(e - place.first + 1))));
      z[static_cast<size_t>(item)] += p[layout_.own + static_cast<size_t>(b)] +
                                      p[layout_.own + 8] * std::log(place.second) +
                                      (same_session ? p[layout_.own + 9] : 0);
    }
    return z;
  }

  const Layout& layout_;
  const TrainingData& data_;
  size_t lanes_;
};

// A small training: two lanes, windows of six events, all kinds of features, repeats and sessions.
class GradientTest : public testing::Test {
 protected:
  static constexpr size_t kLanes = 2;
  static constexpr size_t kWindow = 6;

  GradientTest()
      : all_(random_sequences(9, 12, 6, 11)),
        view_(TrainingView::everything(all_)),
        layout_({12, 5, 4, kGapFeatures + 5}),
        network_(layout_) {
    data_.sequences = &all_;
    data_.session_gap = 150;
    data_.recency = recency_table(view_);
    Random random(3, 0);
    for (size_t user = 0; user < all_.user_count(); ++user)
      data_.user_weight.push_back(static_cast<float>(0.5 + random.uniform()));
    const std::vector<float> columns = value_columns(view_);
    EXPECT_EQ(columns.size(), 5U);
    data_.features.resize(all_.event_count());
    for (size_t user = 0; user < all_.user_count(); ++user)
      for (int64_t e = view_.begin(user); e < view_.end[user]; ++e) {
        const auto i = static_cast<size_t>(e);
        const bool first = e == view_.begin(user);
        data_.features[i] = event_features(
            first, first ? 0 : all_.timestamp[i] - all_.timestamp[i - 1], all_.value[i], columns);
      }
    for (float& x : network_.parameters.span()) x = static_cast<float>(0.4 * random.normal());
    // The room between the groups of parameters stays 0.
    network_.panels.pack(0, network_.panels.count(),
                         network_.parameters.data() + layout_.embedding);
    network_.transpose();
  }

  // Compares the second window's gradient, so that a carried state comes in; the first and the last
  // window too.
  void check(float dropout_rate) { check(dropout_rate, whole_histories(view_)); }
  void check(float dropout_rate, const std::vector<Segment>& segments) {
    LaneGroup group(layout_, 0, kLanes, kWindow, data_.session_gap);
    const SlowNetwork slow(layout_, data_, kLanes);
    Batches batches(all_, segments, kLanes, kWindow, 5);
    batches.begin_epoch(0);
    group.start_epoch();
    std::vector<Doubles> states(kLanes, Doubles(layout_.shape.hidden));
    const Doubles parameters(network_.parameters.data(), network_.parameters.data() + layout_.size);
    Window window;
    size_t total = 0;
    size_t windows = 0;
    while (batches.next(window, total)) {
      const Dropout dropout{dropout_rate, 9, windows};
      std::fill_n(group.gradient().data(), layout_.size, 0.0F);
      const double loss = group.run(network_, data_, window, total, dropout, never);
      const std::vector<Doubles> before = states;
      EXPECT_NEAR(loss, slow.loss(parameters, window, total, dropout, states), 1e-5);
      compare(group.gradient(), slow, parameters, window, total, dropout, before);
      ++windows;
    }
    EXPECT_GE(windows, 3U);
  }

  void compare(const AlignedFloats& gradient, const SlowNetwork& slow, const Doubles& parameters,
               const Window& window, size_t total, const Dropout& dropout,
               const std::vector<Doubles>& states) {
    const std::vector<std::pair<std::string, std::pair<size_t, size_t>>> groups = {
        {"E", {layout_.embedding, 12 * 5}},
        {"b", {layout_.bias, 12}},
        {"F", {layout_.feature, 10 * 5}},
        {"Wx", {layout_.input, 5 * 12}},
        {"bx", {layout_.input_bias, 12}},
        {"Wh", {layout_.recurrent, 4 * 12}},
        {"bhn", {layout_.candidate_bias, 4}},
        {"h_init", {layout_.initial, 4}},
        {"Wo", {layout_.output, 4 * 5}},
        {"bo", {layout_.output_bias, 5}},
        {"rho", {layout_.rho, 1}},
        {"S", {layout_.own, kOwnHistoryParameters}}};
    constexpr double kStep = 1e-5;
    for (const auto& [name, place] : groups) {
      double largest = 0;
      for (size_t i = place.first; i < place.first + place.second; ++i) {
        Doubles moved = parameters;
        moved[i] += kStep;
        std::vector<Doubles> scratch = states;
        const double up = slow.loss(moved, window, total, dropout, scratch);
        moved[i] = parameters[i] - kStep;
        scratch = states;
        const double down = slow.loss(moved, window, total, dropout, scratch);
        const double wanted = (up - down) / (2 * kStep);
        EXPECT_NEAR(gradient[i], wanted, 2e-6 + 1e-4 * std::abs(wanted))
            << name << "[" << i - place.first << "]";
        largest = std::max(largest, std::abs(wanted));
      }
      used_[name] = std::max(used_[name], largest);
    }
  }

  Sequences all_;
  TrainingView view_;
  Layout layout_;
  Network network_;
  TrainingData data_;
  std::map<std::string, double> used_;  // the largest gradient of a group in any window
};

TEST_F(GradientTest, AgreesWithFiniteDifferencesForEveryGroupOfParameters) {
  check(0);
  ASSERT_EQ(used_.size(), 12U);
  for (const auto& [name, largest] : used_) EXPECT_GT(largest, 1e-4) << name;
}

TEST_F(GradientTest, AgreesWithFiniteDifferencesUnderDropout) { check(0.25F); }

TEST_F(GradientTest, AgreesWithFiniteDifferencesOnPartsOfHistoriesFromStatesOfTheirOwn) {
  std::vector<Segment> segments;
  for (const Segment& whole : whole_histories(view_)) {
    const int64_t middle = (whole.first + whole.last) / 2;
    if (middle > whole.first) segments.push_back({whole.user, whole.first, middle});
    segments.push_back({whole.user, middle, whole.last});
  }
  Random random(8, 0);
  data_.resumed_states.resize(segments.size() * layout_.shape.hidden);
  for (float& x : data_.resumed_states) x = static_cast<float>(0.5 * random.normal());
  check(0, segments);
  for (const auto& [name, largest] : used_) EXPECT_GT(largest, 1e-4) << name;
}

TEST(DropoutMask, KeepsTheMeanAndDependsOnItsSeedWindowAndStreamAlone) {
  std::vector<float> mask(100'003);
  dropout_mask({0.25F, 1, 7}, 3, mask);
  double sum = 0;
  size_t dropped = 0;
  for (const float x : mask) {
    sum += x;
    dropped += x == 0 ? 1 : 0;
  }
  EXPECT_NEAR(sum / 100'003, 1, 0.01);
  EXPECT_NEAR(static_cast<double>(dropped) / 100'003, 0.25, 0.01);
  std::vector<float> again(100'003);
  dropout_mask({0.25F, 1, 7}, 3, again);
  EXPECT_EQ(again, mask);
  for (const auto& [other, stream] : {std::pair(Dropout{0.25F, 2, 7}, 3U),
                                      {Dropout{0.25F, 1, 8}, 3U},
                                      {Dropout{0.25F, 1, 7}, 4U}}) {
    dropout_mask(other, stream, again);
    EXPECT_NE(again, mask);
  }
}

}  // namespace
}  // namespace personalize::hrnn
