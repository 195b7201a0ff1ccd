#include "engine/recipes/hrnn/network.h"

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

// to (columns x rows) = from (rows x columns) transposed.
void transpose_matrix(const float* from, size_t rows, size_t columns, float* to) {
  constexpr size_t kBlock = 16;
  for (size_t i = 0; i < rows; i += kBlock)
    for (size_t j = 0; j < columns; j += kBlock)
      for (size_t r = i; r < std::min(rows, i + kBlock); ++r)
        for (size_t c = j; c < std::min(columns, j + kBlock); ++c)
          to[c * rows + r] = from[r * columns + c];
}

void repeat_row(const float* row, size_t size, size_t rows, float* to) {
  for (size_t i = 0; i < rows; ++i) std::copy_n(row, size, to + i * size);
}

void add_rows(const float* from, size_t rows, size_t size, float* sum) {
  for (size_t i = 0; i < rows; ++i) kernels().add_scaled(size, 1, from + i * size, sum);
}

constexpr uint64_t kContextStream = 0xC0;

// x += the rows of `matrix` of these columns.
void add_columns(std::span<const ColumnIndex> columns, const float* matrix, size_t size, float* x) {
  for (const ColumnIndex c : columns) kernels().add_scaled(size, 1, matrix + c * size, x);
}
// The gradient of `matrix` from that of x.
void add_column_gradient(std::span<const ColumnIndex> columns, const float* gradient, size_t size,
                         float* matrix_gradient) {
  for (const ColumnIndex c : columns)
    kernels().add_scaled(size, 1, gradient, matrix_gradient + c * size);
}

}  // namespace

Network::Network(const Layout& of)
    : layout(of),
      parameters(of.size),
      panels(of.shape.items, of.shape.embedding),
      input_transposed(3 * of.shape.hidden * of.shape.embedding),
      recurrent_transposed(3 * of.shape.hidden * of.shape.hidden),
      output_transposed(of.shape.hidden * of.shape.embedding) {}

void Network::transpose() {
  const size_t d = layout.shape.embedding;
  const size_t h = layout.shape.hidden;
  const float* p = parameters.data();
  transpose_matrix(p + layout.input, d, 3 * h, input_transposed.data());
  transpose_matrix(p + layout.recurrent, h, 3 * h, recurrent_transposed.data());
  transpose_matrix(p + layout.output, h, d, output_transposed.data());
}

void dropout_mask(const Dropout& dropout, uint64_t stream, std::span<float> mask) {
  // 16 random bits decide an element, so a rate is rounded to a multiple of 2^-16.
  const auto dropped = static_cast<uint32_t>(std::lround(dropout.rate * 65'536.0F));
  const float kept = 65'536.0F / static_cast<float>(65'536 - dropped);
  const Random random(dropout.seed, mix64(dropout.window * 64 + stream));
  kernels().dropout(mask.size(), random.key(), dropped, kept, mask.data());
}

bool drops_context(const Dropout& dropout, uint64_t place) {
  if (dropout.context <= 0) return false;
  const Random random(dropout.seed, mix64(dropout.window) + kContextStream);
  return static_cast<double>(random.at(place) >> 11) * 0x1p-53 < dropout.context;
}

LaneGroup::LaneGroup(const Layout& layout, size_t first_lane, size_t lanes, size_t longest_window,
                     int64_t session_gap)
    : layout_(layout), first_lane_(first_lane), lanes_(lanes) {
  const size_t d = layout.shape.embedding;
  const size_t h = layout.shape.hidden;
  const size_t rows = lanes * longest_window;
  losses_.reserve(lanes);
  for (size_t lane = 0; lane < lanes; ++lane) losses_.emplace_back(layout_, session_gap);
  loss_rows_.resize(longest_window);
  loss_targets_.resize(longest_window);
  gradient_ = AlignedFloats(layout.size);
  state_ = AlignedFloats(lanes * h);
  for (AlignedFloats* floats : {&x_, &x_mask_, &x_gradient_, &y_, &y_gradient_})
    *floats = AlignedFloats(rows * d);
  for (AlignedFloats* floats : {&input_, &input_gradient_, &gates_, &recurrent_gradient_})
    *floats = AlignedFloats(rows * 3 * h);
  for (AlignedFloats* floats :
       {&previous_, &candidate_part_, &hidden_, &hidden_mask_, &hidden_gradient_})
    *floats = AlignedFloats(rows * h);
  recurrent_ = AlignedFloats(lanes * 3 * h);
  carried_ = AlignedFloats(lanes * h);
  const size_t product = std::max({(rows + 3 * h) * (d + 1) / 2, (rows + d) * (3 * h + 1) / 2,
                                   (std::max(d, h) + 3 * h) * (rows + 1) / 2});
  room_ = AlignedFloats(std::max(LaneLoss::scratch_floats(layout), product));
}

void LaneGroup::start_epoch() {
  std::fill_n(state_.data(), state_.size(), 0.0F);
  for (LaneLoss& lane : losses_) lane.start_epoch();
}

void LaneGroup::multiply(size_t m, size_t n, size_t k, StridedMatrix a, const float* b,
                         ptrdiff_t ldb, float* c, ptrdiff_t ldc, bool accumulate) {
  const Kernels& kernel = kernels();
  const size_t side_by_side = a.column_stride == 1 ? k : m;
  if (kernel.product_bf16 != nullptr && n % 16 == 0 && side_by_side % 16 == 0)
    kernel.product_bf16(m, n, k, a, b, ldb, c, ldc, accumulate, room_.data());
  else
    kernel.product(m, n, k, a, b, ldb, c, ldc, accumulate);
}

double LaneGroup::run(const Network& network, const TrainingData& data, const Window& window,
                      size_t total, const Dropout& dropout, const std::function<bool()>& stop) {
  forward(network, data, window, dropout);
  const double sum = loss(network, data, window, total, stop);
  if (!stop()) backward(network, data, window, dropout);
  return sum;
}

template <typename Use>
void LaneGroup::for_each_asked(const TrainingData& data, const Window& window,
                               const Dropout& dropout, const Use& use) const {
  if (data.side == nullptr) return;
  for (size_t lane = 0; lane < lanes_; ++lane)
    for (size_t t = 0; t < window.valid[first_lane_ + lane]; ++t) {
      const size_t place = (first_lane_ + lane) * window.steps + t;
      const size_t row = lane * window.steps + t;
      if (!drops_context(dropout, place))
        use(row, data.context_of(static_cast<size_t>(window.event[place]) + 1));
      use(row, data.user_of(window.user[place]));
    }
}

void LaneGroup::forward(const Network& network, const TrainingData& data, const Window& window,
                        const Dropout& dropout) {
  const Kernels& k = kernels();
  const size_t d = layout_.shape.embedding;
  const size_t h = layout_.shape.hidden;
  const size_t n = rows(window);
  const float* p = network.parameters.data();
  for (size_t lane = 0; lane < lanes_; ++lane)
    for (size_t t = 0; t < window.steps; ++t) {
      float* x = x_.data() + (lane * window.steps + t) * d;
      if (t >= window.valid[first_lane_ + lane]) {
        std::fill_n(x, d, 0.0F);
        continue;
      }
      const size_t place = (first_lane_ + lane) * window.steps + t;
      const auto e = static_cast<size_t>(window.event[place]);
      const auto item = static_cast<size_t>(data.sequences->item[e]);
      std::copy_n(p + layout_.embedding + item * d, d, x);
      add_features(data.features[e], p + layout_.feature, d, x);
      add_columns(data.context_of(e), p + layout_.side_input, d, x);
      add_columns(data.user_of(window.user[place]), p + layout_.side_input, d, x);
    }
  if (dropout.rate > 0) {
    dropout_mask(dropout, 2 * first_lane_, x_mask_.span().first(n * d));
    dropout_mask(dropout, 2 * first_lane_ + 1, hidden_mask_.span().first(n * h));
    k.multiply(n * d, x_mask_.data(), x_.data());
  } else {
    std::fill_n(x_mask_.data(), n * d, 1.0F);
    std::fill_n(hidden_mask_.data(), n * h, 1.0F);
  }
  const auto d_stride = static_cast<ptrdiff_t>(d);
  const auto h_stride = static_cast<ptrdiff_t>(h);
  repeat_row(p + layout_.input_bias, 3 * h, n, input_.data());
  multiply(n, 3 * h, d, {x_.data(), d_stride, 1}, p + layout_.input, 3 * h_stride, input_.data(),
           3 * h_stride, true);
  forward_recurrence(network, data, window);
  k.multiply(n * h, hidden_mask_.data(), hidden_.data());
  repeat_row(p + layout_.output_bias, d, n, y_.data());
  multiply(n, d, h, {hidden_.data(), h_stride, 1}, p + layout_.output, d_stride, y_.data(),
           d_stride, true);
  for_each_asked(data, window, dropout, [&](size_t row, std::span<const ColumnIndex> columns) {
    add_columns(columns, p + layout_.side_output, d, y_.data() + row * d);
  });
}

void LaneGroup::forward_recurrence(const Network& network, const TrainingData& data,
                                   const Window& window) {
  const Kernels& k = kernels();
  const size_t h = layout_.shape.hidden;
  const auto stride = static_cast<ptrdiff_t>(h);
  const auto lane_stride = static_cast<ptrdiff_t>(window.steps * h);
  const float* p = network.parameters.data();
  for (size_t t = 0; t < window.steps; ++t) {
    for (size_t lane = 0; lane < lanes_; ++lane) {
      const size_t row = lane * window.steps + t;
      const size_t place = (first_lane_ + lane) * window.steps + t;
      const float* before = state_.data() + lane * h;
      if (t < window.valid[first_lane_ + lane]) {
        if (window.first[place] != 0) before = p + layout_.initial;
        if (const int32_t segment = window.resumed[place]; segment >= 0)
          before = data.resumed_states.data() + static_cast<size_t>(segment) * h;
      }
      std::copy_n(before, h, previous_.data() + row * h);
    }
    k.product(lanes_, 3 * h, h, {previous_.data() + t * h, lane_stride, 1}, p + layout_.recurrent,
              3 * stride, recurrent_.data(), 3 * stride, false);
    for (size_t lane = 0; lane < lanes_; ++lane) {
      const size_t row = lane * window.steps + t;
      float* next = state_.data() + lane * h;
      k.gru_forward(h, input_.data() + row * 3 * h, recurrent_.data() + lane * 3 * h,
                    p + layout_.candidate_bias, previous_.data() + row * h, next,
                    gates_.data() + row * 3 * h, candidate_part_.data() + row * h);
      std::copy_n(next, h, hidden_.data() + row * h);
    }
  }
}

double LaneGroup::loss(const Network& network, const TrainingData& data, const Window& window,
                       size_t total, const std::function<bool()>& stop) {
  const Sequences& all = *data.sequences;
  const size_t d = layout_.shape.embedding;
  double sum = 0;
  for (size_t lane = 0; lane < lanes_; ++lane) {
    const size_t valid = window.valid[first_lane_ + lane];
    for (size_t t = 0; t < valid; ++t) {
      const size_t place = (first_lane_ + lane) * window.steps + t;
      const auto e = static_cast<size_t>(window.event[place]);
      LossRow& row = loss_rows_[t];
      row.item = all.item[e];
      row.first = window.first[place] != 0;
      row.gap = row.first ? 0 : seconds_between(all.timestamp[e - 1], all.timestamp[e]);
      row.past_items = {};
      row.past_times = {};
      if (window.resumed[place] >= 0) {
        const auto begin = static_cast<size_t>(all.start[window.user[place]]);
        row.past_items = {all.item.data() + begin, e - begin};
        row.past_times = {all.timestamp.data() + begin, e - begin};
      }
      loss_targets_[t] = {all.item[e + 1],
                          data.user_weight[window.user[place]] / static_cast<float>(total)};
      row.targets = {&loss_targets_[t], 1};
      row.recency = nullptr;
      if (!data.recency.starts.empty())
        row.recency =
            data.recency.rows.data() +
            recency_bucket_of(data.recency.starts, all.timestamp[e]) * layout_.shape.items;
    }
    float* gradient = y_gradient_.data() + lane * window.steps * d;
    sum += losses_[lane].run({loss_rows_.data(), valid}, y_.data() + lane * window.steps * d,
                             network.parameters.data(), network.panels, room_, stop, gradient,
                             gradient_.data());
    std::fill(gradient + valid * d, gradient + window.steps * d, 0.0F);
  }
  return sum;
}

void LaneGroup::backward(const Network& network, const TrainingData& data, const Window& window,
                         const Dropout& dropout) {
  const Kernels& k = kernels();
  const size_t d = layout_.shape.embedding;
  const size_t h = layout_.shape.hidden;
  const size_t n = rows(window);
  const auto d_stride = static_cast<ptrdiff_t>(d);
  const auto h_stride = static_cast<ptrdiff_t>(h);
  float* g = gradient_.data();
  multiply(h, d, n, {hidden_.data(), 1, h_stride}, y_gradient_.data(), d_stride, g + layout_.output,
           d_stride, true);
  add_rows(y_gradient_.data(), n, d, g + layout_.output_bias);
  for_each_asked(data, window, dropout, [&](size_t row, std::span<const ColumnIndex> columns) {
    add_column_gradient(columns, y_gradient_.data() + row * d, d, g + layout_.side_output);
  });
  multiply(n, h, d, {y_gradient_.data(), d_stride, 1}, network.output_transposed.data(), h_stride,
           hidden_gradient_.data(), h_stride, false);
  k.multiply(n * h, hidden_mask_.data(), hidden_gradient_.data());
  backward_recurrence(network, window);
  backward_input(network, data, window);
}

void LaneGroup::backward_recurrence(const Network& network, const Window& window) {
  const Kernels& k = kernels();
  const size_t h = layout_.shape.hidden;
  const auto stride = static_cast<ptrdiff_t>(h);
  const auto lane_stride = static_cast<ptrdiff_t>(window.steps * 3 * h);
  float* g = gradient_.data();
  std::fill_n(carried_.data(), carried_.size(), 0.0F);
  for (size_t t = window.steps; t-- > 0;) {
    for (size_t lane = 0; lane < lanes_; ++lane) {
      const size_t row = lane * window.steps + t;
      float* carried = carried_.data() + lane * h;
      k.add_scaled(h, 1, hidden_gradient_.data() + row * h, carried);
      k.gru_backward(h, gates_.data() + row * 3 * h, candidate_part_.data() + row * h,
                     previous_.data() + row * h, carried, input_gradient_.data() + row * 3 * h,
                     recurrent_gradient_.data() + row * 3 * h, g + layout_.candidate_bias);
    }
    k.product(lanes_, h, 3 * h, {recurrent_gradient_.data() + t * 3 * h, lane_stride, 1},
              network.recurrent_transposed.data(), stride, carried_.data(), stride, true);
    for (size_t lane = 0; lane < lanes_; ++lane) {
      const size_t place = (first_lane_ + lane) * window.steps + t;
      if (t >= window.valid[first_lane_ + lane] ||
          (window.first[place] == 0 && window.resumed[place] < 0))
        continue;
      // The state before came from h_init or from outside, not from the step before.
      float* carried = carried_.data() + lane * h;
      if (window.first[place] != 0) k.add_scaled(h, 1, carried, g + layout_.initial);
      std::fill_n(carried, h, 0.0F);
    }
  }
}

void LaneGroup::backward_input(const Network& network, const TrainingData& data,
                               const Window& window) {
  const Kernels& k = kernels();
  const size_t d = layout_.shape.embedding;
  const size_t h = layout_.shape.hidden;
  const size_t n = rows(window);
  const auto d_stride = static_cast<ptrdiff_t>(d);
  const auto h_stride = static_cast<ptrdiff_t>(h);
  float* g = gradient_.data();
  multiply(h, 3 * h, n, {previous_.data(), 1, h_stride}, recurrent_gradient_.data(), 3 * h_stride,
           g + layout_.recurrent, 3 * h_stride, true);
  multiply(d, 3 * h, n, {x_.data(), 1, d_stride}, input_gradient_.data(), 3 * h_stride,
           g + layout_.input, 3 * h_stride, true);
  add_rows(input_gradient_.data(), n, 3 * h, g + layout_.input_bias);
  multiply(n, d, 3 * h, {input_gradient_.data(), 3 * h_stride, 1}, network.input_transposed.data(),
           d_stride, x_gradient_.data(), d_stride, false);
  k.multiply(n * d, x_mask_.data(), x_gradient_.data());
  for (size_t lane = 0; lane < lanes_; ++lane)
    for (size_t t = 0; t < window.valid[first_lane_ + lane]; ++t) {
      const size_t place = (first_lane_ + lane) * window.steps + t;
      const auto e = static_cast<size_t>(window.event[place]);
      const float* gradient = x_gradient_.data() + (lane * window.steps + t) * d;
      k.add_scaled(d, 1, gradient,
                   g + layout_.embedding + static_cast<size_t>(data.sequences->item[e]) * d);
      add_feature_gradient(data.features[e], gradient, d, g + layout_.feature);
      add_column_gradient(data.context_of(e), gradient, d, g + layout_.side_input);
      add_column_gradient(data.user_of(window.user[place]), gradient, d, g + layout_.side_input);
    }
}

}  // namespace personalize::hrnn
