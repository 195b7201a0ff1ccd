// The network's loss and all its gradients against the same equations in double precision, written
// without a kernel, their derivatives taken by machine (tests/engine/testing/tape.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "engine/math/dispatch.h"
#include "engine/recipes/hrnn/network.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/side_metadata.h"
#include "tests/engine/testing/tape.h"

namespace personalize::hrnn {
namespace {

using Vector = std::vector<Variable>;

// A group of parameters as a matrix.
struct Matrix {
  size_t offset = 0;
  size_t rows = 0;
  size_t columns = 0;
};

// One window of a network by its equations (parameters.h, own_history.h).
class ExactNetwork {
 public:
  ExactNetwork(const Layout& layout, const TrainingData& data, std::span<const float> parameters)
      : shape_(layout.shape), layout_(layout), data_(data) {
    for (const float p : parameters) p_.push_back(tape_.variable(p));
    zero_ = tape_.variable(0);
  }

  // Of the window's rows, the lanes coming from `states`, which are constants. x_mask has D and
  // state_mask H numbers a row.
  void run(const Window& window, size_t total, std::vector<std::vector<double>>& states,
           std::span<const float> x_mask, std::span<const float> state_mask,
           const Dropout& dropout) {
    loss_ = zero_;
    for (size_t lane = 0; lane < states.size(); ++lane) {
      Vector state;
      for (const double x : states[lane]) state.push_back(tape_.variable(x));
      for (size_t t = 0; t < window.valid[lane]; ++t) {
        const size_t row = lane * window.steps + t;
        const auto event = static_cast<size_t>(window.event[row]);
        const size_t user = window.user[row];
        state = next_state(event, user, state, x_mask.subspan(row * shape_.embedding));
        const auto target = static_cast<size_t>(data_.sequences->item[event + 1]);
        const Vector z = logits(event, user, state, state_mask.subspan(row * shape_.hidden),
                                !drops_context(dropout, row));
        Variable normaliser = zero_;
        for (const Variable& logit : z) normaliser = normaliser + exp(logit);
        const double weight = data_.user_weight[user] / static_cast<double>(total);
        loss_ = loss_ + weight * (log(normaliser) - z[target]);
      }
      for (size_t i = 0; i < state.size(); ++i) states[lane][i] = state[i].value;
    }
  }

  double loss() const { return loss_.value; }
  // By each parameter.
  std::vector<double> gradient() const {
    std::vector<double> all = tape_.derivatives(loss_);
    std::vector<double> by(p_.size());
    for (size_t i = 0; i < by.size(); ++i) by[i] = all[p_[i].place];
    return by;
  }

 private:
  const Variable& at(size_t offset, size_t columns, size_t row, size_t column) const {
    return p_[offset + row * columns + column];
  }
  int64_t gap_before(size_t event) const {
    return data_.sequences->timestamp[event] - data_.sequences->timestamp[event - 1];
  }

  // v W + b, of columns [first, first + count) of W. No bias where `bias` is kNone.
  static constexpr size_t kNone = ~size_t{0};
  Vector affine(const Vector& v, size_t matrix, size_t columns, size_t bias, size_t first,
                size_t count) const {
    Vector result;
    for (size_t column = first; column < first + count; ++column) {
      Variable sum = bias == kNone ? zero_ : p_[bias + column];
      for (size_t i = 0; i < v.size(); ++i) sum = sum + v[i] * at(matrix, columns, i, column);
      result.push_back(sum);
    }
    return result;
  }

  // x = E[i] + f F + s G_in, dropped out.
  Vector input(size_t event, size_t user, std::span<const float> mask) const {
    const Sequences& all = *data_.sequences;
    const size_t d = shape_.embedding;
    std::vector<double> f(shape_.features);
    if (static_cast<int64_t>(event) == all.start[user]) {
      f[1] = 1;
    } else {
      const int64_t gap = gap_before(event);
      f[0] = std::log(1.0 + static_cast<double>(gap)) / 10;
      f[2] = gap == 0 ? 1 : 0;
      f[3] = gap > 30 * 60 ? 1 : 0;
      f[4] = gap > 24 * 60 * 60 ? 1 : 0;
    }
    f[4 + static_cast<size_t>(all.value[event])] = 1;  // values are 1 to 5
    Vector x;
    for (size_t j = 0; j < d; ++j) {
      Variable sum = at(layout_.embedding, d, static_cast<size_t>(all.item[event]), j);
      for (size_t c = 0; c < f.size(); ++c) sum = sum + f[c] * at(layout_.feature, d, c, j);
      for (const ColumnIndex c : data_.side->of_context(event))
        sum = sum + at(layout_.side_input, d, c, j);
      for (const ColumnIndex c : data_.side->of_user(user))
        sum = sum + at(layout_.side_input, d, c, j);
      x.push_back(static_cast<double>(mask[j]) * sum);
    }
    return x;
  }

  Vector next_state(size_t event, size_t user, Vector state, std::span<const float> mask) const {
    const size_t h = shape_.hidden;
    if (static_cast<int64_t>(event) == data_.sequences->start[user])
      for (size_t i = 0; i < h; ++i) state[i] = p_[layout_.initial + i];
    const Vector a =
        affine(input(event, user, mask), layout_.input, 3 * h, layout_.input_bias, 0, 3 * h);
    const Vector g = affine(state, layout_.recurrent, 3 * h, kNone, 0, 3 * h);
    Vector next;
    for (size_t i = 0; i < h; ++i) {
      const Variable r = sigmoid(a[i] + g[i]);
      const Variable z = sigmoid(a[h + i] + g[h + i]);
      const Variable n = tanh(a[2 * h + i] + r * (g[2 * h + i] + p_[layout_.candidate_bias + i]));
      next.push_back(n - z * n + z * state[i]);
    }
    return next;
  }

  // E y + b + rho R + S; y is told the context of the event that is asked for, or not.
  Vector logits(size_t event, size_t user, const Vector& state, std::span<const float> mask,
                bool with_context) const {
    const Sequences& all = *data_.sequences;
    const size_t d = shape_.embedding;
    Vector dropped;
    for (size_t i = 0; i < state.size(); ++i)
      dropped.push_back(static_cast<double>(mask[i]) * state[i]);
    Vector y = affine(dropped, layout_.output, d, layout_.output_bias, 0, d);
    for (size_t j = 0; j < d; ++j) {
      if (with_context)
        for (const ColumnIndex c : data_.side->of_context(event + 1))
          y[j] = y[j] + at(layout_.side_output, d, c, j);
      for (const ColumnIndex c : data_.side->of_user(user))
        y[j] = y[j] + at(layout_.side_output, d, c, j);
    }
    size_t bucket = 0;
    for (size_t b = 0; b < data_.recency.starts.size(); ++b)
      if (data_.recency.starts[b] <= all.timestamp[event]) bucket = b;
    Vector z;
    for (size_t item = 0; item < shape_.items; ++item) {
      const double popular = data_.recency.rows[bucket * shape_.items + item];
      Variable logit = p_[layout_.bias + item] + popular * p_[layout_.rho];
      for (size_t j = 0; j < d; ++j) logit = logit + y[j] * at(layout_.embedding, d, item, j);
      z.push_back(logit);
    }
    add_own_history(event, user, z);
    return z;
  }

  void add_own_history(size_t event, size_t user, Vector& z) const {
    const auto begin = static_cast<size_t>(data_.sequences->start[user]);
    struct Had {
      size_t last = 0;
      double count = 0;
      bool in_session = false;
    };
    std::map<ItemIndex, Had> had;
    bool in_session = true;
    for (size_t e = event + 1; e-- > begin;) {  // from the newest back
      Had& item = had[data_.sequences->item[e]];
      if (item.count == 0) item = {e, 0, in_session};
      ++item.count;
      if (e > begin && gap_before(e) > data_.session_gap) in_session = false;
    }
    for (const auto& [item, what] : had) {
      const double since = static_cast<double>(event - what.last) + 1;
      const auto bucket = static_cast<size_t>(std::min(7.0, std::floor(std::log2(since))));
      Variable term = p_[layout_.own + bucket] + std::log(what.count) * p_[layout_.own + 8];
      if (what.in_session) term = term + p_[layout_.own + 9];
      Variable& logit = z[static_cast<size_t>(item)];
      logit = logit + term;
    }
  }

  const Shape shape_;
  const Layout& layout_;
  const TrainingData& data_;
  Tape tape_;
  Vector p_;
  Variable zero_;
  Variable loss_;
};

// Every group of parameters by name. The places between them belong to none.
std::map<std::string, Matrix> groups_of(const Layout& layout) {
  const auto& [v, d, h, f, s] = layout.shape;
  return {{"E", {layout.embedding, v, d}},
          {"b", {layout.bias, 1, v}},
          {"F", {layout.feature, f, d}},
          {"Wx", {layout.input, d, 3 * h}},
          {"bx", {layout.input_bias, 1, 3 * h}},
          {"Wh", {layout.recurrent, h, 3 * h}},
          {"bhn", {layout.candidate_bias, 1, h}},
          {"h_init", {layout.initial, 1, h}},
          {"Wo", {layout.output, h, d}},
          {"bo", {layout.output_bias, 1, d}},
          {"Gin", {layout.side_input, s, d}},
          {"Gout", {layout.side_output, s, d}},
          {"rho", {layout.rho, 1, 1}},
          {"S", {layout.own, 1, kOwnHistoryParameters}}};
}

struct Case {
  const char* name;
  size_t items, embedding, hidden, lanes, window, mean_length;
  float dropout;
  float own = 0.4F;  // deviation of the own-history weights; the other parameters' is 0.4
};

class ExactGradient : public testing::TestWithParam<Case> {
 protected:
  ExactGradient()
      : all_(with_contexts(random_sequences(12, GetParam().items, GetParam().mean_length, 21))),
        side_(side_columns_of(all_, random_users(all_, 4))),
        view_(TrainingView::everything(all_)),
        layout_({GetParam().items, GetParam().embedding, GetParam().hidden, kGapFeatures + 5,
                 side_.size()}),
        network_(layout_) {
    data_.sequences = &all_;
    data_.session_gap = 200;
    data_.side = &side_;
    data_.recency = recency_table(view_);
    Random random(3, 0);
    for (size_t user = 0; user < all_.user_count(); ++user) {
      data_.user_weight.push_back(static_cast<float>(0.5 + random.uniform()));
      for (int64_t e = view_.begin(user); e < view_.end[user]; ++e) {
        const auto i = static_cast<size_t>(e);
        const bool first = e == view_.begin(user);
        data_.features.push_back(
            event_features(first, first ? 0 : all_.timestamp[i] - all_.timestamp[i - 1],
                           all_.value[i], std::vector<float>{1, 2, 3, 4, 5}));
      }
    }
    for (const auto& [name, group] : groups_of(layout_))
      for (size_t i = 0; i < group.rows * group.columns; ++i)
        network_.parameters[group.offset + i] =
            static_cast<float>((name == "S" ? GetParam().own : 0.4F) * random.normal());
    network_.panels.pack(0, network_.panels.count(),
                         network_.parameters.data() + layout_.embedding);
    network_.transpose();
  }

  static Sequences with_contexts(Sequences all) {
    add_random_contexts(all, 3);
    return all;
  }

  // Of the largest element of a group. Sums of a few hundred numbers of 24 bits lose some 1e-6,
  // rho, a difference of large ones, ten times that. In bf16, which wants whole sixteens, factors
  // have 8 bits, and logits as large as these come out some hundredths off.
  static double rounding() {
    const bool bf16 = std::string_view(kernels().isa).ends_with("bf16");
    return bf16 && GetParam().embedding % 16 == 0 ? 0.05 : 2e-5;
  }

  void compare(const AlignedFloats& ours, const std::vector<double>& exact) {
    for (const auto& [name, group] : groups_of(layout_)) {
      double error = 0;
      double size = 0;
      for (size_t i = group.offset; i < group.offset + group.rows * group.columns; ++i) {
        error = std::max(error, std::abs(ours[i] - exact[i]));
        size = std::max(size, std::abs(exact[i]));
      }
      EXPECT_LT(error, rounding() * size + 1e-9) << name;
      used_[name] = std::max(used_[name], size);
    }
  }

  const Sequences all_;
  const SideColumns side_;
  const TrainingView view_;
  const Layout layout_;
  Network network_;
  TrainingData data_;
  std::map<std::string, double> used_;  // the largest element of any window
};

TEST_P(ExactGradient, IsThatOfTheEquationsInDoublePrecision) {
  const Case& c = GetParam();
  LaneGroup group(layout_, 0, c.lanes, c.window, data_.session_gap);
  const std::vector<Segment> segments = whole_histories(view_);
  Batches batches(all_, segments, c.lanes, c.window, 5);
  batches.begin_epoch(0);
  group.start_epoch();
  std::vector<std::vector<double>> states(c.lanes, std::vector<double>(c.hidden));
  Window window;
  size_t total = 0;
  size_t windows = 0;
  for (; windows < 3 && batches.next(window, total); ++windows) {
    const size_t rows = c.lanes * window.steps;
    std::vector<float> x_mask(rows * c.embedding, 1);
    std::vector<float> state_mask(rows * c.hidden, 1);
    const Dropout dropout{c.dropout, 9, windows, 0.25};
    if (c.dropout > 0) {
      dropout_mask(dropout, 0, x_mask);
      dropout_mask(dropout, 1, state_mask);
    }
    std::fill_n(group.gradient().data(), layout_.size, 0.0F);
    const double loss = group.run(network_, data_, window, total, dropout, [] { return false; });
    ExactNetwork exact(layout_, data_, network_.parameters.span());
    exact.run(window, total, states, x_mask, state_mask, dropout);
    EXPECT_NEAR(loss, exact.loss(), 0.05 * rounding() * exact.loss());
    compare(group.gradient(), exact.gradient());
  }
  EXPECT_GE(windows, 2U);
  EXPECT_EQ(used_.size(), 14U);
  EXPECT_EQ(side_.size(), 8U);  // three devices, three places, two groups of users
  for (const auto& [name, largest] : used_) EXPECT_GT(largest, 1e-5) << name;
}

// Sizes that fill no vector and no panel; many items; windows longer than a block of the softmax;
// own-history terms that decide all; sizes that fill a vector.
INSTANTIATE_TEST_SUITE_P(Of, ExactGradient,
                         testing::Values(Case{"OddSizes", 70, 20, 24, 3, 7, 6, 0.25F},
                                         Case{"NoDropout", 70, 20, 24, 3, 7, 6, 0},
                                         Case{"ManyItems", 700, 12, 9, 2, 8, 6, 0.5F},
                                         Case{"LongWindows", 150, 12, 8, 1, 150, 90, 0.25F},
                                         Case{"StrongOwnHistory", 70, 20, 24, 3, 7, 6, 0, 20},
                                         Case{"WholeVectors", 70, 32, 32, 3, 7, 6, 0.25F}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace personalize::hrnn
