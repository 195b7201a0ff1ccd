// How a cell moves states: one, or many side by side.
#include <algorithm>
#include <vector>

#include "engine/math/dispatch.h"
#include "engine/recipes/hrnn/model.h"

namespace personalize::hrnn {
namespace {

// Histories that are moved together: twice the rows that the widest kernel takes at a time.
constexpr size_t kSideBySide = 28;
// Events of one history whose inputs are multiplied together.
constexpr size_t kEventsTogether = 32;

// The thread's room for vectors of the network's sizes; grows to the largest model asked.
float* scratch(size_t size) {
  thread_local AlignedFloats room;
  if (room.size() < size) room = AlignedFloats(size);
  return room.data();
}

size_t whole_lines(size_t floats) { return (floats + 15) / 16 * 16; }

size_t events_of(const Folding& folding) { return folding.history.size() - folding.first; }

}  // namespace

bool Cell::reads(const ModelEvent& event) const {
  return static_cast<size_t>(event.item) < shape.items ||
         (cold.size > 0 && !event.item_columns.empty());
}

bool Cell::rounds_alike() const { return 3 * shape.hidden % 16 == 0; }

void Cell::make_input(std::span<const ModelEvent> history, size_t index, float* x) const {
  const size_t d = shape.embedding;
  const ModelEvent& event = history[index];
  const auto item = static_cast<size_t>(event.item);
  if (item < shape.items)
    std::copy_n(embedding.data() + item * d, d, x);
  else
    cold.predict(event.item_columns, x);
  size_t before = index;
  while (before > 0 && !reads(history[before - 1])) --before;
  const bool first = before == 0;
  const int64_t gap = first ? 0 : seconds_between(history[before - 1].timestamp, event.timestamp);
  add_features(event_features(first, gap, event.value, value_columns), feature.data(), d, x);
  for (const ColumnIndex c : event.columns)
    kernels().add_scaled(d, 1, side_input.data() + c * d, x);
}

void Cell::advance(std::span<const ModelEvent> history, size_t begin, size_t end,
                   float* state) const {
  const Kernels& k = kernels();
  const size_t d = shape.embedding;
  const size_t h = shape.hidden;
  const auto stride = static_cast<ptrdiff_t>(3 * h);
  // What events bring in does not depend on the state: one product for many of them.
  const size_t most = std::min(rounds_alike() ? kEventsTogether : 1, end - begin);
  float* from_state = scratch(whole_lines(3 * h) + most * (d + 3 * h));
  float* from_input = from_state + whole_lines(3 * h);
  float* x = from_input + most * 3 * h;
  for (size_t i = begin; i < end;) {
    size_t count = 0;
    for (; i < end && count < most; ++i) {
      if (!reads(history[i])) continue;
      make_input(history, i, x + count * d);
      std::copy(input_bias.begin(), input_bias.end(), from_input + count * 3 * h);
      ++count;
    }
    k.product(count, 3 * h, d, {x, static_cast<ptrdiff_t>(d), 1}, input.data(), stride, from_input,
              stride, true);
    for (size_t c = 0; c < count; ++c) {
      k.product(1, 3 * h, h, {state, 0, 1}, recurrent.data(), stride, from_state, stride, false);
      k.gru_forward(h, from_input + c * 3 * h, from_state, candidate_bias.data(), state, state,
                    nullptr, nullptr);
    }
  }
}

void Cell::fold(std::span<const Folding> foldings) const {
  if (foldings.size() == 1 || !rounds_alike()) {
    for (const Folding& each : foldings)
      advance(each.history, each.first, each.history.size(), each.state.data());
    return;
  }
  std::vector<const Folding*> order;
  for (const Folding& each : foldings) order.push_back(&each);
  std::sort(order.begin(), order.end(),
            [](const Folding* a, const Folding* b) { return events_of(*a) > events_of(*b); });
  for (size_t i = 0; i < order.size(); i += kSideBySide)
    fold_together(std::span(order).subspan(i, std::min(kSideBySide, order.size() - i)));
}

void Cell::fold_together(std::span<const Folding* const> foldings) const {
  const Kernels& k = kernels();
  const size_t d = shape.embedding;
  const size_t h = shape.hidden;
  const auto stride = static_cast<ptrdiff_t>(3 * h);
  const size_t count = foldings.size();
  float* x =
      scratch(whole_lines(count * d) + whole_lines(count * h) + 2 * whole_lines(count * 3 * h));
  float* states = x + whole_lines(count * d);
  float* from_input = states + whole_lines(count * h);
  float* from_state = from_input + whole_lines(count * 3 * h);
  for (size_t i = 0; i < count; ++i) std::copy_n(foldings[i]->state.data(), h, states + i * h);
  size_t active = count;
  for (size_t t = 0;; ++t) {
    while (active > 0 && events_of(*foldings[active - 1]) <= t) --active;
    if (active == 0) break;
    for (size_t i = 0; i < active; ++i) {
      const Folding& each = *foldings[i];
      if (reads(each.history[each.first + t])) make_input(each.history, each.first + t, x + i * d);
      std::copy(input_bias.begin(), input_bias.end(), from_input + i * 3 * h);
    }
    k.product(active, 3 * h, d, {x, static_cast<ptrdiff_t>(d), 1}, input.data(), stride, from_input,
              stride, true);
    k.product(active, 3 * h, h, {states, static_cast<ptrdiff_t>(h), 1}, recurrent.data(), stride,
              from_state, stride, false);
    for (size_t i = 0; i < active; ++i) {
      if (!reads(foldings[i]->history[foldings[i]->first + t])) continue;
      float* state = states + i * h;
      k.gru_forward(h, from_input + i * 3 * h, from_state + i * 3 * h, candidate_bias.data(), state,
                    state, nullptr, nullptr);
    }
  }
  for (size_t i = 0; i < count; ++i) std::copy_n(states + i * h, h, foldings[i]->state.data());
}

}  // namespace personalize::hrnn
