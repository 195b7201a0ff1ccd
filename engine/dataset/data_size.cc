#include "engine/dataset/data_size.h"

#include <algorithm>
#include <vector>

namespace personalize {
namespace {

class Counter : public EventSink {
 public:
  Counter(EventSource& source, const EventFilter& filter, const std::function<bool()>& stop)
      : check_(source, filter), stop_(stop) {}

  const DataSize& size() const { return size_; }

  Status user(std::string_view, std::span<const Event> events) override {
    if (stop_()) return {StatusCode::kInterrupted, "counting the interactions was interrupted"};
    uint64_t mine = 0;
    uint64_t distinct = 0;
    for (const Event& event : events) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool taken, check_.passes(event));
      if (!taken) continue;
      if (event.item < 0) return {StatusCode::kInternal, "an event came without an item"};
      ++mine;
      uint64_t& last = last_user(static_cast<size_t>(event.item));
      if (last == 0) ++size_.items;
      if (last != size_.users + 1) ++distinct;
      last = size_.users + 1;
    }
    if (mine == 0) return Status::ok();
    size_.events += mine;
    ++size_.users;
    if (mine < DataSize::kLongLengths) ++size_.users_of_length[mine];
    size_.longest = std::max(size_.longest, mine);
    size_.pairs += static_cast<double>(distinct) * static_cast<double>(distinct);
    return Status::ok();
  }

 private:
  uint64_t& last_user(size_t item) {
    if (item >= last_user_.size()) last_user_.resize(std::max(item + 1, last_user_.size() * 2));
    return last_user_[item];
  }

  FilterCheck check_;
  const std::function<bool()>& stop_;
  std::vector<uint64_t> last_user_;  // by item code: the number, from 1, of who had it last
  DataSize size_;
};

}  // namespace

double DataSize::transitions(uint64_t window) const {
  // A user of n events has window transitions an event, less those that would reach past his end.
  double sum = static_cast<double>(events) * static_cast<double>(window);
  double known = 0;
  const auto missing = [&](uint64_t n) {
    const uint64_t at_end = std::min(n, window);
    return static_cast<double>(at_end * window - at_end * (at_end - 1) / 2);
  };
  for (uint64_t n = 1; n < kLongLengths; ++n) {
    const auto users = static_cast<double>(users_of_length[n]);
    sum -= users * missing(n);
    known += users;
  }
  // Of bounds, only the number of users is known, and perhaps too many.
  if (longest < events) sum -= (static_cast<double>(this->users) - known) * missing(kLongLengths);
  return sum;
}

Result<DataSize> count_data(EventSource& source, const EventFilter& filter,
                            const std::function<bool()>& stop) {
  Counter counter(source, filter, stop);
  PERSONALIZE_RETURN_IF_ERROR(source.scan(counter));
  return counter.size();
}

}  // namespace personalize
