#include "engine/recipes/hrnn/batches.h"

#include <algorithm>

namespace personalize::hrnn {
namespace {
constexpr uint64_t kStream = 0xBA7C'0000;

size_t inputs(const Segment& segment) { return static_cast<size_t>(segment.last - segment.first); }

}  // namespace

std::vector<Segment> whole_histories(const TrainingView& data) {
  std::vector<Segment> segments;
  for (size_t user = 0; user < data.end.size(); ++user)
    if (data.length(user) > 1)
      segments.push_back({static_cast<uint32_t>(user), data.begin(user), data.end[user] - 1});
  return segments;
}

Batches::Batches(const Sequences& sequences, std::span<const Segment> segments, size_t lanes,
                 size_t window, uint64_t seed)
    : sequences_(sequences), segments_(segments), window_(window), seed_(seed), lanes_(lanes) {
  order_.resize(segments.size());
  for (size_t s = 0; s < segments.size(); ++s) {
    order_[s] = static_cast<uint32_t>(s);
    events_ += inputs(segments[s]);
  }
}

void Batches::begin_epoch(size_t epoch) {
  Random random(seed_, kStream + epoch);
  std::sort(order_.begin(), order_.end());
  random.shuffle(std::span(order_));
  for (Lane& lane : lanes_) {
    lane.segments.clear();
    lane.length = lane.current = 0;
    lane.next = 0;
  }
  for (const uint32_t segment : order_) {
    Lane& shortest =
        *std::min_element(lanes_.begin(), lanes_.end(),
                          [](const Lane& a, const Lane& b) { return a.length < b.length; });
    shortest.segments.push_back(segment);
    shortest.length += inputs(segments_[segment]);
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
  for (; t < steps && lane.current < lane.segments.size(); ++t, ++row) {
    const uint32_t number = lane.segments[lane.current];
    const Segment& segment = segments_[number];
    const int64_t event = segment.first + lane.next;
    const bool first = event == sequences_.start[segment.user];
    window.event[row] = event;
    window.first[row] = first ? 1 : 0;
    window.resumed[row] = lane.next == 0 && !first ? static_cast<int32_t>(number) : -1;
    window.user[row] = segment.user;
    if (++lane.next == segment.last - segment.first) {
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
  window.resumed.resize(room);
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
