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

Result<DataSize> count_data(EventSource& source, const EventFilter& filter,
                            const std::function<bool()>& stop) {
  Counter counter(source, filter, stop);
  PERSONALIZE_RETURN_IF_ERROR(source.scan(counter));
  return counter.size();
}

}  // namespace personalize
