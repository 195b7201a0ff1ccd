#include "engine/recipes/markov_counts.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "engine/math/dispatch.h"
#include "engine/math/finite.h"
#include "engine/math/machine_speed.h"
#include "engine/math/parallel.h"

namespace personalize {
namespace {

constexpr size_t kBlock = 16;        // rows that a thread counts at a time
constexpr uint64_t kCacheLine = 16;  // numbers
constexpr uint64_t kAhead = 12;      // occurrences between asking for memory and using it

// Where each item occurs, item after item: a counting sort of the events.
struct Occurrences {
  std::vector<uint64_t> first;  // items + 1
  std::vector<int64_t> event;
  std::vector<uint8_t> following;  // how many events of the same user in its window, beside `event`
};

Occurrences find_occurrences(const TrainingView& data, int32_t window) {
  const Sequences& all = *data.sequences;
  Occurrences found;
  found.first.assign(all.item_count() + 1, 0);
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e)
      ++found.first[static_cast<size_t>(all.item[static_cast<size_t>(e)]) + 1];
  for (size_t i = 1; i < found.first.size(); ++i) found.first[i] += found.first[i - 1];
  found.event.resize(found.first.back());
  found.following.resize(found.first.back());
  std::vector<uint64_t> next(found.first.begin(), found.first.end() - 1);
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      const uint64_t place = next[static_cast<size_t>(all.item[static_cast<size_t>(e)])]++;
      found.event[place] = e;
      found.following[place] =
          static_cast<uint8_t>(std::min<int64_t>(window, data.end[user] - 1 - e));
    }
  return found;
}

// Neighbouring rows of C, one after the other.
struct Rows {
  std::vector<uint32_t> size;  // entries, one a row
  std::vector<float> total;    // one a row
  std::vector<ItemIndex> column;
  std::vector<float> count;
};

// Counts one row of C after the other in a scratch array of its own.
class RowCounter {
 public:
  RowCounter(size_t item_count, size_t cut)
      : cut_(cut), sums_(item_count), items_(item_count + 1) {}

  // Without a branch: whether an item is new to the row can't be foretold.
  void add(ItemIndex item, float amount) {
    float& sum = sums_[static_cast<size_t>(item)];
    items_[size_] = item;
    size_ += sum == 0 ? 1 : 0;
    sum += amount;
  }

  // Appends the row's largest entries to `rows` and starts the next row.
  void finish(Rows& rows) {
    sort();
    double total = 0;
    for (const ItemIndex item : items()) total += sums_[static_cast<size_t>(item)];
    rows.total.push_back(static_cast<float>(total));
    const uint64_t least = least_kept();
    uint32_t kept = 0;
    for (const ItemIndex item : items()) {
      float& sum = sums_[static_cast<size_t>(item)];
      if (order(item, sum) >= least) {
        rows.column.push_back(item);
        rows.count.push_back(sum);
        ++kept;
      }
      sum = 0;
    }
    rows.size.push_back(kept);
    size_ = 0;
  }

 private:
  // Larger sums are larger, and of equal ones that of the smaller item. Sums are positive, so their
  // bits are in the order of their values.
  static uint64_t order(ItemIndex item, float sum) {
    return uint64_t{std::bit_cast<uint32_t>(sum)} << 32 |
           (0xFFFF'FFFF - static_cast<uint32_t>(item));
  }

  // Ascending. Where many items have a sum, finding them again is faster than sorting them.
  void sort() {
    if (size_ < sums_.size() / 16) {
      std::sort(items_.begin(), items_.begin() + static_cast<ptrdiff_t>(size_));
      return;
    }
    size_ = 0;
    for (size_t item = 0; item < sums_.size(); ++item) {
      items_[size_] = static_cast<ItemIndex>(item);
      size_ += sums_[item] != 0 ? 1 : 0;
    }
  }

  // order() of the last entry that is kept; 0 if all are.
  uint64_t least_kept() {
    if (size_ <= cut_) return 0;
    orders_.clear();
    for (const ItemIndex item : items())
      orders_.push_back(order(item, sums_[static_cast<size_t>(item)]));
    const auto last = orders_.begin() + static_cast<ptrdiff_t>(cut_) - 1;
    std::nth_element(orders_.begin(), last, orders_.end(), std::greater<>());
    return *last;
  }

  std::span<const ItemIndex> items() const { return std::span(items_).first(size_); }

  const size_t cut_;
  std::vector<float> sums_;       // by item; all 0 between two rows
  std::vector<ItemIndex> items_;  // those whose sum is not 0, and room for one more
  size_t size_ = 0;               // of them
  std::vector<uint64_t> orders_;
};

MarkovCounts joined(const MarkovSettings& settings, size_t item_count, std::vector<Rows>& blocks) {
  size_t entries = 0;
  for (const Rows& rows : blocks) entries += rows.column.size();
  MarkovCounts counts;
  counts.settings = settings;
  counts.row.reserve(item_count + 1);
  counts.row.push_back(0);
  counts.column.reserve(entries);
  counts.count.reserve(entries);
  counts.total.reserve(item_count);
  for (Rows& rows : blocks) {
    for (const uint32_t size : rows.size) counts.row.push_back(counts.row.back() + size);
    counts.total.insert(counts.total.end(), rows.total.begin(), rows.total.end());
    counts.column.insert(counts.column.end(), rows.column.begin(), rows.column.end());
    counts.count.insert(counts.count.end(), rows.count.begin(), rows.count.end());
    rows = Rows();
  }
  return counts;
}

Status damaged() { return {StatusCode::kCorrupt, "the model's Markov counts are damaged"}; }

}  // namespace

Result<MarkovCounts> count_transitions(const TrainingView& data, const MarkovSettings& settings,
                                       int threads, const std::function<bool()>& stop) {
  const Sequences& all = *data.sequences;
  const size_t item_count = all.item_count();
  const Occurrences occurrences = find_occurrences(data, settings.window);
  std::vector<float> weight(static_cast<size_t>(settings.window), 1);
  for (size_t g = 1; g < weight.size(); ++g) weight[g] = weight[g - 1] * settings.decay;

  const int workers = thread_count(threads);
  std::vector<RowCounter> counters(static_cast<size_t>(workers),
                                   RowCounter(item_count, static_cast<size_t>(settings.cut)));
  std::vector<Rows> blocks((item_count + kBlock - 1) / kBlock);
  std::atomic<bool> stopped = false;  // a popular item must not hold up the end
  const auto count_row = [&](size_t item, RowCounter& row) {
    const uint64_t end = occurrences.first[item + 1];
    for (uint64_t o = occurrences.first[item]; o < end; ++o) {
      // The histories lie anywhere in memory.
      if (o + kAhead < end) __builtin_prefetch(all.item.data() + occurrences.event[o + kAhead] + 1);
      const ItemIndex* next = all.item.data() + occurrences.event[o] + 1;
      for (size_t g = 0; g < occurrences.following[o]; ++g) row.add(next[g], weight[g]);
      if (o % 65'536 == 65'535 && stopped) return;
    }
  };
  const bool done = parallel_blocks(
      item_count, kBlock, workers,
      [&] {
        if (stop()) stopped = true;
        return stopped.load();
      },
      [&](size_t begin, size_t end, size_t worker) {
        for (size_t item = begin; item < end && !stopped; ++item) {
          count_row(item, counters[worker]);
          counters[worker].finish(blocks[begin / kBlock]);
        }
      });
  if (!done || stop()) return Status(StatusCode::kInterrupted, "training was interrupted");
  return joined(settings, item_count, blocks);
}

CountingCost counting_cost(const DataSize& size, const MarkovSettings& settings, int threads) {
  const auto items = static_cast<double>(size.items);
  const auto events = static_cast<double>(size.events);
  const double transitions = size.transitions(static_cast<uint64_t>(settings.window));
  // Of the uncut rows; each transition may make an entry of its own.
  const double all = std::min(transitions, items * items);
  const double row = std::min<double>(settings.cut, items);
  const double update = 1 / machine_speed().updates;
  CountingCost cost;
  cost.entries = std::min(items * row, transitions);
  cost.bytes = 9 * events + 2 * 8 * cost.entries + (40 + 12 * thread_count(threads)) * items;
  cost.seconds = update * (6 * events + (transitions + 6 * all) / thread_count(threads));
  cost.terms = std::min(items, settings.window * row);
  return cost;
}

std::vector<float> count_events(const TrainingView& data) {
  const Sequences& all = *data.sequences;
  std::vector<float> events(all.item_count());
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e)
      ++events[static_cast<size_t>(all.item[static_cast<size_t>(e)])];
  return events;
}

void MarkovCounts::write(BlobWriter& blob) const {
  blob.add("markov.settings", std::span<const MarkovSettings>(&settings, 1));
  blob.add("markov.row", row);
  blob.add("markov.column", column);
  blob.add("markov.count", count);
  blob.add("markov.total", total);
}

MarkovChain::MarkovChain(const MarkovCounts& counts)
    : settings_(counts.settings),
      row_(counts.row),
      column_(counts.column),
      count_(counts.count),
      total_(counts.total) {}

Result<MarkovChain> MarkovChain::open(const BlobView& blob, size_t item_count) {
  MarkovChain chain;
  PERSONALIZE_ASSIGN_OR_RETURN(const auto settings,
                               blob.section<MarkovSettings>("markov.settings", 1));
  chain.settings_ = settings[0];
  PERSONALIZE_ASSIGN_OR_RETURN(chain.row_, blob.section<uint64_t>("markov.row", item_count + 1));
  PERSONALIZE_ASSIGN_OR_RETURN(chain.column_, blob.section<ItemIndex>("markov.column"));
  PERSONALIZE_ASSIGN_OR_RETURN(chain.count_,
                               blob.section<float>("markov.count", chain.column_.size()));
  PERSONALIZE_ASSIGN_OR_RETURN(chain.total_, blob.section<float>("markov.total", item_count));
  const MarkovSettings& s = chain.settings_;
  if (s.window < 1 || !(s.decay >= 0 && s.decay <= 1) || !(s.smoothing > 0) ||
      !std::isfinite(s.smoothing) || chain.row_.front() != 0 ||
      chain.row_.back() != chain.column_.size() ||
      !std::is_sorted(chain.row_.begin(), chain.row_.end()) ||
      !all_below(chain.column_, item_count) || !all_finite_and_positive(chain.count_) ||
      !all_finite_and_positive(chain.total_))
    return damaged();
  return chain;
}

void MarkovChain::terms(std::span<const ModelEvent> history, MarkovTerms& out) const {
  if (out.sums.size() < total_.size()) out.sums.resize(total_.size());
  const size_t window = std::min(history.size(), static_cast<size_t>(settings_.window));
  const std::span<const ModelEvent> last = history.last(window);
  size_t most = 1;  // with room for one that is taken back
  for (const ModelEvent& event : last) {
    const auto item = static_cast<size_t>(event.item);
    if (item >= total_.size()) continue;
    most += row_[item + 1] - row_[item];
    for (uint64_t entry = row_[item]; entry < row_[item + 1]; entry += kCacheLine) {
      __builtin_prefetch(column_.data() + entry);
      __builtin_prefetch(count_.data() + entry);
    }
  }
  out.items.resize(std::max(out.items.size(), most));
  ItemIndex* const items = out.items.data();
  float* const sums = out.sums.data();
  size_t size = 0;
  float weight = 1;
  for (size_t g = 0; g < window; ++g, weight *= settings_.decay) {
    const auto item = static_cast<size_t>(history[history.size() - 1 - g].item);
    if (item >= total_.size()) continue;  // an unseen item: nothing is known to follow it
    const float factor = weight / (total_[item] + settings_.smoothing);
    for (uint64_t entry = row_[item]; entry < row_[item + 1]; ++entry) {
      // Without a branch: whether the item came before can't be foretold.
      const ItemIndex next = column_[entry];
      float& sum = sums[static_cast<size_t>(next)];
      items[size] = next;
      size += sum == 0 ? 1 : 0;
      sum += factor * count_[entry];
    }
  }
  out.items.resize(size);
  out.terms.resize(out.items.size());
  for (size_t i = 0; i < out.items.size(); ++i) {
    float& sum = out.sums[static_cast<size_t>(out.items[i])];
    out.terms[i] = sum;
    sum = 0;
  }
  kernels().log1p_scaled(out.terms.size(), out.terms.data(), 1 / kMarkovEpsilon, out.terms.data());
}

}  // namespace personalize
