#include "engine/recipes/hrnn/candidates.h"

#include <algorithm>
#include <cmath>

#include "engine/math/random.h"

namespace personalize::hrnn {
namespace {

constexpr uint64_t kStream = 0x5A3D;
constexpr double kPopularShare = 0.5;
constexpr size_t kFewestCandidates = 1'024;
// Where nearly all items are candidates already, few draws find another one.
constexpr size_t kMostDrawsOfRoom = 8;

}  // namespace

size_t candidate_rows(size_t lanes, size_t window) {
  return std::max(kFewestCandidates, 4 * lanes * window);
}

Candidates::Candidates(const TrainingView& data, size_t room, uint64_t seed)
    : room_(room), seed_(seed) {
  const Sequences& all = *data.sequences;
  count_.resize(all.item_count());
  place_.resize(all.item_count(), -1);
  size_t events = 0;
  for (size_t user = 0; user < data.end.size(); ++user)
    events += static_cast<size_t>(data.length(user));
  event_items_.reserve(events);
  for (size_t user = 0; user < data.end.size(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      const ItemIndex item = all.item[static_cast<size_t>(e)];
      event_items_.push_back(item);
      ++count_[static_cast<size_t>(item)];
    }
  items_.reserve(room);
  corrections_.reserve(room);
}

void Candidates::clear() {
  for (const ItemIndex item : items_) place_[static_cast<size_t>(item)] = -1;
  items_.clear();
  corrections_.clear();
}

bool Candidates::add(ItemIndex item) {
  int32_t& place = place_[static_cast<size_t>(item)];
  if (place >= 0 || items_.size() == room_) return false;
  place = static_cast<int32_t>(items_.size());
  items_.push_back(item);
  return true;
}

bool Candidates::need(ItemIndex item) { return add(item) || place(item) >= 0; }

void Candidates::draw(uint64_t window) {
  const size_t needed = items_.size();
  Random random(seed_, mix64(kStream + window));
  size_t draws = 0;
  for (; items_.size() < room_ && draws < kMostDrawsOfRoom * room_; ++draws)
    add(random.uniform() < kPopularShare ? event_items_[random.below(event_items_.size())]
                                         : static_cast<ItemIndex>(random.below(place_.size())));
  corrections_.assign(needed, 0);
  for (size_t i = needed; i < items_.size(); ++i) {
    const auto n = static_cast<double>(count_[static_cast<size_t>(items_[i])]);
    const double q = kPopularShare * n / static_cast<double>(event_items_.size()) +
                     (1 - kPopularShare) / static_cast<double>(place_.size());
    const double drawn = -std::expm1(static_cast<double>(draws) * std::log1p(-q));
    corrections_.push_back(static_cast<float>(-std::log(drawn)));
  }
}

}  // namespace personalize::hrnn
