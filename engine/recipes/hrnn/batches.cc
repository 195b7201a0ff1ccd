#include "engine/recipes/hrnn/batches.h"

#include <algorithm>

namespace personalize::hrnn {
namespace {
constexpr uint64_t kStream = 0xBA7C'0000;
}

Batches::Batches(const TrainingView& data, size_t lanes, size_t window, uint64_t seed)
    : data_(data), window_(window), seed_(seed), lanes_(lanes) {
  for (size_t user = 0; user < data.end.size(); ++user)
    if (inputs(user) > 0) {
      order_.push_back(static_cast<uint32_t>(user));
      events_ += static_cast<size_t>(inputs(user));
    }
}

void Batches::begin_epoch(size_t epoch) {
  Random random(seed_, kStream + epoch);
  std::sort(order_.begin(), order_.end());
  random.shuffle(std::span(order_));
  for (Lane& lane : lanes_) {
    lane.users.clear();
    lane.length = lane.current = 0;
    lane.next = 0;
  }
  for (const uint32_t user : order_) {
    Lane& shortest =
        *std::min_element(lanes_.begin(), lanes_.end(),
                          [](const Lane& a, const Lane& b) { return a.length < b.length; });
    shortest.users.push_back(user);
    shortest.length += static_cast<size_t>(inputs(user));
  }
  longest_ = 0;
  for (const Lane& lane : lanes_) longest_ = std::max(longest_, lane.length);
  first_window_ = longest_ > 4 * window_ ? 1 + random.below(window_) : window_;
  first_window_ = std::min(first_window_, longest_);
  windows_ = longest_ == 0 ? 0 : 1 + (longest_ - first_window_ + window_ - 1) / window_;
  done_ = 0;
}

size_t Batches::fill(Lane& lane, size_t row, size_t steps, Window& window) {
  size_t t = 0;
  for (; t < steps && lane.current < lane.users.size(); ++t, ++row) {
    const uint32_t user = lane.users[lane.current];
    window.event[row] = data_.begin(user) + lane.next;
    window.first[row] = lane.next == 0 ? 1 : 0;
    window.user[row] = user;
    if (++lane.next == inputs(user)) {
      lane.next = 0;
      ++lane.current;
    }
  }
  return t;
}

bool Batches::next(Window& window, size_t& total) {
  if (done_ >= longest_) return false;
  const size_t steps = std::min(done_ == 0 ? first_window_ : window_, longest_ - done_);
  const size_t room = lanes_.size() * window_;
  window.event.resize(room);
  window.first.resize(room);
  window.user.resize(room);
  window.valid.resize(lanes_.size());
  window.steps = steps;
  total = 0;
  for (size_t lane = 0; lane < lanes_.size(); ++lane)
    total += window.valid[lane] = fill(lanes_[lane], lane * steps, steps, window);
  done_ += steps;
  return true;
}

}  // namespace personalize::hrnn
