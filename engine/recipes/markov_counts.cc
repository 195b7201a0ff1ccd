#include "engine/recipes/markov_counts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/math/dispatch.h"
#include "engine/math/finite.h"

namespace personalize {
namespace {

// Where each item occurs, item after item: a counting sort of the events.
struct Occurrences {
  std::vector<uint64_t> first;  // items + 1
  std::vector<int64_t> event;
  std::vector<int64_t> user_end;  // of the event's user, beside `event`
};

Occurrences find_occurrences(const TrainingView& data) {
  const Sequences& all = *data.sequences;
  Occurrences found;
  found.first.assign(all.item_count() + 1, 0);
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e)
      ++found.first[static_cast<size_t>(all.item[static_cast<size_t>(e)]) + 1];
  for (size_t i = 1; i < found.first.size(); ++i) found.first[i] += found.first[i - 1];
  found.event.resize(found.first.back());
  found.user_end.resize(found.first.back());
  std::vector<uint64_t> next(found.first.begin(), found.first.end() - 1);
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      const uint64_t place = next[static_cast<size_t>(all.item[static_cast<size_t>(e)])]++;
      found.event[place] = e;
      found.user_end[place] = data.end[user];
    }
  return found;
}

// One row of C while it is counted.
class RowCounter {
 public:
  explicit RowCounter(size_t item_count) : sums_(item_count) {}

  void add(ItemIndex item, float amount) {
    float& sum = sums_[static_cast<size_t>(item)];
    if (sum == 0) items_.push_back(item);
    sum += amount;
  }

  // Appends the row's largest entries to `counts` and starts the next row.
  void finish(MarkovCounts& counts) {
    std::sort(items_.begin(), items_.end());
    double total = 0;
    for (const ItemIndex item : items_) total += sums_[static_cast<size_t>(item)];
    counts.total.push_back(static_cast<float>(total));
    cut(static_cast<size_t>(counts.settings.cut));
    for (const ItemIndex item : items_) {
      counts.column.push_back(item);
      counts.count.push_back(sums_[static_cast<size_t>(item)]);
      sums_[static_cast<size_t>(item)] = 0;
    }
    counts.row.push_back(counts.column.size());
    items_.clear();
  }

 private:
  void cut(size_t limit) {
    if (items_.size() <= limit) return;
    const auto keep = items_.begin() + static_cast<ptrdiff_t>(limit);
    std::nth_element(items_.begin(), keep, items_.end(), [&](ItemIndex a, ItemIndex b) {
      const float x = sums_[static_cast<size_t>(a)];
      const float y = sums_[static_cast<size_t>(b)];
      return x > y || (x == y && a < b);
    });
    for (auto it = keep; it != items_.end(); ++it) sums_[static_cast<size_t>(*it)] = 0;
    items_.erase(keep, items_.end());
    std::sort(items_.begin(), items_.end());
  }

  std::vector<float> sums_;
  std::vector<ItemIndex> items_;
};

Status damaged() { return {StatusCode::kCorrupt, "the model's Markov counts are damaged"}; }

}  // namespace

Result<MarkovCounts> count_transitions(const TrainingView& data, const MarkovSettings& settings,
                                       const std::function<bool()>& stop) {
  const Sequences& all = *data.sequences;
  const size_t item_count = all.item_count();
  const Occurrences occurrences = find_occurrences(data);
  std::vector<float> weight(static_cast<size_t>(settings.window), 1);
  for (size_t g = 1; g < weight.size(); ++g) weight[g] = weight[g - 1] * settings.decay;

  MarkovCounts counts;
  counts.settings = settings;
  counts.row.reserve(item_count + 1);
  counts.row.push_back(0);
  RowCounter row(item_count);
  size_t work = 0;
  for (size_t item = 0; item < item_count; ++item) {
    for (uint64_t o = occurrences.first[item]; o < occurrences.first[item + 1]; ++o) {
      const int64_t e = occurrences.event[o];
      const int64_t last = std::min(occurrences.user_end[o] - 1, e + settings.window);
      for (int64_t l = e + 1; l <= last; ++l)
        row.add(all.item[static_cast<size_t>(l)], weight[static_cast<size_t>(l - e - 1)]);
      if (++work % 65'536 == 0 && stop())
        return Status(StatusCode::kInterrupted, "training was interrupted");
    }
    row.finish(counts);
  }
  return counts;
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
  out.items.clear();
  if (out.sums.size() < total_.size()) out.sums.resize(total_.size());
  const size_t window = std::min(history.size(), static_cast<size_t>(settings_.window));
  float weight = 1;
  for (size_t g = 0; g < window; ++g, weight *= settings_.decay) {
    const auto item = static_cast<size_t>(history[history.size() - 1 - g].item);
    const float factor = weight / (total_[item] + settings_.smoothing);
    for (uint64_t entry = row_[item]; entry < row_[item + 1]; ++entry) {
      const ItemIndex next = column_[entry];
      float& sum = out.sums[static_cast<size_t>(next)];
      if (sum == 0) out.items.push_back(next);
      sum += factor * count_[entry];
    }
  }
  out.terms.resize(out.items.size());
  for (size_t i = 0; i < out.items.size(); ++i) {
    float& sum = out.sums[static_cast<size_t>(out.items[i])];
    out.terms[i] = sum;
    sum = 0;
  }
  kernels().log1p_scaled(out.terms.size(), out.terms.data(), 1 / kMarkovEpsilon, out.terms.data());
}

}  // namespace personalize
