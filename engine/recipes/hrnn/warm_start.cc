#include "engine/recipes/hrnn/warm_start.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "engine/math/dispatch.h"
#include "engine/math/parallel.h"
#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

constexpr uint64_t kItemStream = 0x17E4;
constexpr uint64_t kReplayStream = 0x2E91;
constexpr float kNoise = 0.05F;     // of the vector of an item without known neighbours
constexpr size_t kSideBySide = 32;  // histories that are folded together
constexpr int64_t kAskEvery = 64;   // steps

// The straight line b = intercept + slope * ln(1 + events) through the known items, by least
// squares.
struct BiasLine {
  double intercept = 0, slope = 0;
  float at(float events) const {
    return static_cast<float>(intercept + slope * std::log1p(static_cast<double>(events)));
  }
};

BiasLine bias_line(std::span<const float> bias, std::span<const ItemIndex> old_index,
                   std::span<const float> events) {
  double n = 0;
  double x_sum = 0;
  double y_sum = 0;
  double xx = 0;
  double xy = 0;
  for (size_t i = 0; i < old_index.size(); ++i) {
    if (old_index[i] == kNoItem) continue;
    const double x = std::log1p(static_cast<double>(events[i]));
    const double y = bias[static_cast<size_t>(old_index[i])];
    n += 1;
    x_sum += x;
    y_sum += y;
    xx += x * x;
    xy += x * y;
  }
  if (n == 0) return {};
  const double spread = xx - x_sum * x_sum / n;
  BiasLine line;
  if (spread > 1e-9 * n) line.slope = (xy - x_sum * y_sum / n) / spread;
  line.intercept = (y_sum - line.slope * x_sum) / n;
  return line;
}

// Adds to each new item's vector those of its known neighbours, and divides by the counts.
void place_new_items(std::span<const ItemIndex> old_index, const MarkovCounts& near, size_t size,
                     uint64_t seed, float* embedding) {
  std::vector<float> weight(old_index.size());
  const auto is_new = [&](size_t i) { return old_index[i] == kNoItem; };
  const auto add = [&](size_t to, size_t from, float count) {
    if (!is_new(to) || is_new(from)) return;
    kernels().add_scaled(size, count, embedding + from * size, embedding + to * size);
    weight[to] += count;
  };
  for (size_t i = 0; i < old_index.size(); ++i)
    for (uint64_t entry = near.row[i]; entry < near.row[i + 1]; ++entry) {
      const auto j = static_cast<size_t>(near.column[entry]);
      add(i, j, near.count[entry]);
      add(j, i, near.count[entry]);
    }
  for (size_t i = 0; i < old_index.size(); ++i) {
    if (!is_new(i)) continue;
    float* vector = embedding + i * size;
    if (weight[i] > 0) {
      for (size_t d = 0; d < size; ++d) vector[d] /= weight[i];
      continue;
    }
    Random random(seed, kItemStream + i);
    for (size_t d = 0; d < size; ++d) vector[d] = static_cast<float>(kNoise * random.normal());
  }
}

// Folds some histories side by side, the longest first.
class SideBySide {
 public:
  SideBySide(const Cell& cell, const Sequences& sequences, const SideColumns* side)
      : cell_(cell),
        all_(sequences),
        side_(side),
        state_(kSideBySide * cell.shape.hidden),
        x_(kSideBySide * cell.shape.embedding),
        input_(kSideBySide * 3 * cell.shape.hidden),
        recurrent_(kSideBySide * 3 * cell.shape.hidden) {}

  struct History {
    int64_t begin, end;  // the events to fold
    int64_t start;       // the user's first
    float* state;        // where the result goes
    uint32_t user;
  };

  // `histories` by descending length. Gives up when `stopped`.
  void run(std::span<const History> histories, const std::atomic<bool>& stopped) {
    const size_t h = cell_.shape.hidden;
    for (size_t i = 0; i < histories.size(); ++i)
      std::copy(cell_.initial.begin(), cell_.initial.end(), state_.data() + i * h);
    size_t active = histories.size();
    for (int64_t t = 0; active > 0; ++t) {
      while (active > 0 && histories[active - 1].begin + t >= histories[active - 1].end) --active;
      if (t % kAskEvery == 0 && stopped) return;
      step(histories.first(active), t);
    }
    for (size_t i = 0; i < histories.size(); ++i)
      std::copy_n(state_.data() + i * h, h, histories[i].state);
  }

 private:
  void step(std::span<const History> histories, int64_t t) {
    const Kernels& k = kernels();
    const size_t d = cell_.shape.embedding;
    const size_t h = cell_.shape.hidden;
    const auto stride = static_cast<ptrdiff_t>(3 * h);
    for (size_t i = 0; i < histories.size(); ++i) {
      const int64_t place = histories[i].begin + t;
      const auto e = static_cast<size_t>(place);
      const bool first = place == histories[i].start;
      const int64_t gap = first ? 0 : seconds_between(all_.timestamp[e - 1], all_.timestamp[e]);
      float* x = x_.data() + i * d;
      std::copy_n(cell_.embedding.data() + static_cast<size_t>(all_.item[e]) * d, d, x);
      add_features(event_features(first, gap, all_.value[e], cell_.value_columns),
                   cell_.feature.data(), d, x);
      if (side_ != nullptr)
        for (const auto columns : {side_->of_context(e), side_->of_user(histories[i].user)})
          for (const ColumnIndex c : columns)
            k.add_scaled(d, 1, cell_.side_input.data() + c * d, x);
      std::copy(cell_.input_bias.begin(), cell_.input_bias.end(), input_.data() + i * 3 * h);
    }
    const size_t n = histories.size();
    k.product(n, 3 * h, d, {x_.data(), static_cast<ptrdiff_t>(d), 1}, cell_.input.data(), stride,
              input_.data(), stride, true);
    k.product(n, 3 * h, h, {state_.data(), static_cast<ptrdiff_t>(h), 1}, cell_.recurrent.data(),
              stride, recurrent_.data(), stride, false);
    for (size_t i = 0; i < n; ++i) {
      float* state = state_.data() + i * h;
      k.gru_forward(h, input_.data() + i * 3 * h, recurrent_.data() + i * 3 * h,
                    cell_.candidate_bias.data(), state, state, nullptr, nullptr);
    }
  }

  const Cell& cell_;
  const Sequences& all_;
  const SideColumns* side_;
  AlignedFloats state_, x_, input_, recurrent_;
};

}  // namespace

Trained with_items(const Stored& stored, const Vocabulary& vocabulary, const Sequences& sequences,
                   const MarkovCounts& near, std::span<const float> events, uint64_t seed) {
  const Layout& from = stored.trained.layout;
  Shape shape = from.shape;
  shape.items = sequences.item_count();
  Trained result{
      Layout(shape), AlignedFloats(Layout(shape).size), {}, stored.trained.value_columns};
  const Layout& to = result.layout;
  const float* old = stored.trained.parameters.data();
  float* p = result.parameters.data();
  // All groups but the items' come after one another in both.
  std::copy_n(old + from.feature, from.size - from.feature, p + to.feature);

  std::vector<ItemIndex> old_index(shape.items);
  for (size_t i = 0; i < shape.items; ++i)
    old_index[i] = vocabulary.find(sequences.items.id(static_cast<ItemIndex>(i)));
  const size_t d = shape.embedding;
  const std::span<const float> bias =
      stored.trained.parameters.span().subspan(from.bias, from.shape.items);
  const BiasLine line = bias_line(bias, old_index, events);
  for (size_t i = 0; i < shape.items; ++i) {
    if (old_index[i] == kNoItem) {
      p[to.bias + i] = line.at(events[i]);
      continue;
    }
    const auto o = static_cast<size_t>(old_index[i]);
    std::copy_n(old + from.embedding + o * d, d, p + to.embedding + i * d);
    p[to.bias + i] = bias[o];
  }
  place_new_items(old_index, near, d, seed, p + to.embedding);
  return result;
}

UpdateSegments update_segments(const TrainingView& data, std::span<const int64_t> first_new,
                               double replay, size_t piece, uint64_t seed) {
  UpdateSegments result;
  int64_t targets = 0;
  std::vector<int64_t> pieces = {0};  // of old history up to each user's
  const auto longest = static_cast<int64_t>(piece);
  for (size_t user = 0; user < first_new.size(); ++user) {
    const int64_t begin = data.begin(user);
    const int64_t first = std::max(begin, first_new[user] - 1);
    const int64_t last = data.end[user] - 1;
    if (last > first && first_new[user] < data.end[user]) {
      result.segments.push_back({static_cast<uint32_t>(user), first, last});
      targets += last - first;
    }
    const int64_t old = std::max<int64_t>(0, first_new[user] - 1 - begin);
    pieces.push_back(pieces.back() + (old + longest - 1) / longest);
  }
  result.fresh = result.segments.size();

  Random random(seed, kReplayStream);
  std::vector<int64_t> order(static_cast<size_t>(pieces.back()));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(std::span(order));
  auto left = static_cast<int64_t>(replay * static_cast<double>(targets));
  for (size_t i = 0; i < order.size() && left > 0; ++i) {
    const auto after = std::upper_bound(pieces.begin(), pieces.end(), order[i]);
    const auto user = static_cast<size_t>(after - pieces.begin()) - 1;
    const int64_t first = data.begin(user) + (order[i] - pieces[user]) * longest;
    const int64_t last = std::min(first + longest, first_new[user] - 1);
    result.segments.push_back({static_cast<uint32_t>(user), first, last});
    left -= last - first;
  }
  return result;
}

Result<std::vector<float>> fold(const Cell& cell, const Sequences& sequences,
                                std::span<const Segment> segments, int64_t most, int threads,
                                const std::function<bool()>& stop, const SideColumns* side) {
  const size_t h = cell.shape.hidden;
  std::vector<float> states(segments.size() * h);
  std::vector<SideBySide::History> histories;
  for (size_t s = 0; s < segments.size(); ++s) {
    const int64_t start = sequences.start[segments[s].user];
    histories.push_back({std::max(start, segments[s].first - most), segments[s].first, start,
                         states.data() + s * h, segments[s].user});
  }
  std::stable_sort(histories.begin(), histories.end(),
                   [](const SideBySide::History& a, const SideBySide::History& b) {
                     return a.end - a.begin > b.end - b.begin;
                   });
  std::atomic<bool> stopped = stop();
  const auto ask = [&] { return stopped = stop(); };
  const bool done =
      !stopped &&
      parallel_blocks(histories.size(), kSideBySide, thread_count(threads), ask,
                      [&](size_t begin, size_t end, size_t /*worker*/) {
                        SideBySide(cell, sequences, side)
                            .run(std::span(histories).subspan(begin, end - begin), stopped);
                      });
  if (!done || stopped) return Status(StatusCode::kInterrupted, "training was interrupted");
  return states;
}

}  // namespace personalize::hrnn
