// Processes that make histories and whose law is known, so that the best a recommender can do on
// them can be computed instead of measured. All numbers depend on seeds alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/math/random.h"
#include "engine/recipes/recipe.h"

namespace personalize {

// What NDCG@10 gives for the wanted item in place `rank`, from 0.
inline double gain_at(size_t rank) {
  return rank < 10 ? 1 / std::log2(2 + static_cast<double>(rank)) : 0;
}

// The NDCG@10 to be expected of a list by descending `scores` if the next item's law is
// `probability`. Equal scores stand in the order that is worst.
template <typename Score>
double expected_ndcg(std::span<const double> probability, std::span<const Score> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t shown = std::min<size_t>(10, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(shown), order.end(),
                    [&](size_t a, size_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b]
                                                    : probability[a] < probability[b];
                    });
  double sum = 0;
  for (size_t rank = 0; rank < shown; ++rank) sum += probability[order[rank]] * gain_at(rank);
  return sum;
}

// The most that any list can expect.
inline double optimal_ndcg(std::span<const double> probability) {
  return expected_ndcg(probability, probability);
}

// A number from 0 on drawn from `weights`, which need not sum to 1.
inline size_t draw(std::span<const double> weights, Random& random) {
  double left = random.uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
  size_t i = 0;
  while (i + 1 < weights.size() && left >= weights[i]) left -= weights[i++];
  return i;
}

// 1, 1/2^power, 1/3^power ...: a few large ones and a tail.
inline std::vector<double> zipf_weights(size_t count, double power) {
  std::vector<double> weights(count);
  for (size_t i = 0; i < count; ++i) weights[i] = std::pow(1 / static_cast<double>(i + 1), power);
  return weights;
}

// Collects histories.
class SequencesWriter {
 public:
  explicit SequencesWriter(size_t items) {
    for (size_t item = 0; item < items; ++item) all_.items.add("item " + std::to_string(item));
    all_.start.push_back(0);
  }
  void event(size_t item, int64_t time) {
    all_.item.push_back(static_cast<ItemIndex>(item));
    all_.timestamp.push_back(time);
    all_.value.push_back(kNoValue);
  }
  void end_user() {
    all_.users.push_back("user " + std::to_string(all_.users.size()));
    all_.start.push_back(static_cast<int64_t>(all_.item.size()));
  }
  Sequences finish() { return std::move(all_); }

 private:
  Sequences all_;
};

inline constexpr int64_t kProcessStart = 1'600'000'000;

// What comes next depends on the last item alone.
class MarkovProcess {
 public:
  // Every row's probabilities are those of zipf_weights in an order of its own, some rows steeper
  // than others.
  MarkovProcess(size_t items, uint64_t seed) : items_(items) {
    Random random(seed, 0);
    for (size_t i = 0; i < items; ++i) {
      std::vector<double> row = zipf_weights(items, 1.2 + 0.8 * random.uniform());
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      for (double& p : row) p /= sum;
      random.shuffle(std::span(row));
      for (const double p : row) transition_.push_back(p);
    }
  }

  size_t items() const { return items_; }
  std::span<const double> after(size_t item) const {
    return std::span(transition_).subspan(item * items_, items_);
  }

  // The law of the item at a time long after the start, by iteration.
  std::vector<double> stationary() const {
    std::vector<double> law(items_, 1 / static_cast<double>(items_));
    for (int i = 0; i < 200; ++i) {
      std::vector<double> next(items_);
      for (size_t from = 0; from < items_; ++from)
        for (size_t to = 0; to < items_; ++to) next[to] += law[from] * after(from)[to];
      law.swap(next);
    }
    return law;
  }

  // Users of `length` events each, an hour apart.
  Sequences histories(size_t users, size_t length, uint64_t seed) const {
    const std::vector<double> first = stationary();
    SequencesWriter writer(items_);
    for (size_t user = 0; user < users; ++user) {
      Random random(seed, user);
      size_t item = draw(first, random);
      for (size_t e = 0; e < length; ++e) {
        writer.event(item, kProcessStart + static_cast<int64_t>(e) * 3'600);
        item = draw(after(item), random);
      }
      writer.end_user();
    }
    return writer.finish();
  }

 private:
  size_t items_;
  std::vector<double> transition_;  // items x items, row: from
};

// Sessions with a hidden topic, users with a hidden taste: a user likes some of the topics, each of
// his sessions has one of them, and in it come, in random order and once each, some of the topic's
// items. Topics share their items, so that it is hard to see from the items alone where a session
// ended and the next began, and what was had comes again, but in another session only.
class SessionProcess {
 public:
  static constexpr int64_t kShortGap = 60;  // inside of a session
  static constexpr int64_t kLongGap = 86'400;

  SessionProcess(size_t items, size_t topics, size_t topic_items, uint64_t seed)
      : items_(items), topics_(topics) {
    Random random(seed, 0);
    std::vector<size_t> order(items);
    std::iota(order.begin(), order.end(), size_t{0});
    for (std::vector<size_t>& topic : topics_) {
      random.shuffle(std::span(order));
      topic.assign(order.begin(), order.begin() + static_cast<ptrdiff_t>(topic_items));
    }
  }

  // Users with a taste for `taste` topics and so many sessions of `shortest` to `longest` events.
  Sequences histories(size_t users, size_t taste, size_t sessions, size_t shortest, size_t longest,
                      uint64_t seed) const {
    SequencesWriter writer(items_);
    for (size_t user = 0; user < users; ++user) {
      Random random(seed, user);
      std::vector<std::vector<size_t>> liked = topics_;
      random.shuffle(std::span(liked));
      int64_t time = kProcessStart;
      for (size_t session = 0; session < sessions; ++session, time += kLongGap) {
        std::vector<size_t>& topic = liked[random.below(taste)];
        random.shuffle(std::span(topic));
        const size_t length = shortest + random.below(longest - shortest + 1);
        for (size_t e = 0; e < length; ++e, time += kShortGap) writer.event(topic[e], time);
      }
      writer.end_user();
    }
    return writer.finish();
  }

 private:
  size_t items_;
  std::vector<std::vector<size_t>> topics_;
};

// Nobody has an item twice: the next is drawn by popularity from what he has not had.
class NeverAgainProcess {
 public:
  explicit NeverAgainProcess(size_t items) : popularity_(zipf_weights(items, 1)) {}

  size_t items() const { return popularity_.size(); }

  // The law of the item after `history`.
  std::vector<double> after(std::span<const ModelEvent> history) const {
    std::vector<double> law = popularity_;
    for (const ModelEvent& event : history) law[static_cast<size_t>(event.item)] = 0;
    const double sum = std::accumulate(law.begin(), law.end(), 0.0);
    for (double& p : law) p /= sum;
    return law;
  }

  Sequences histories(size_t users, size_t length, uint64_t seed) const {
    SequencesWriter writer(items());
    for (size_t user = 0; user < users; ++user) {
      Random random(seed, user);
      std::vector<double> left = popularity_;
      for (size_t e = 0; e < length; ++e) {
        const size_t item = draw(left, random);
        left[item] = 0;
        writer.event(item, kProcessStart + static_cast<int64_t>(e) * 3'600);
      }
      writer.end_user();
    }
    return writer.finish();
  }

 private:
  std::vector<double> popularity_;
};

// Everybody has a few items of his own and takes them again and again, some more often than others;
// whose they are, nothing tells but his history.
class AlwaysAgainProcess {
 public:
  static constexpr size_t kOwn = 4;
  explicit AlwaysAgainProcess(size_t items) : items_(items), frequency_(zipf_weights(kOwn, 1)) {
    const double sum = std::accumulate(frequency_.begin(), frequency_.end(), 0.0);
    for (double& p : frequency_) p /= sum;
  }

  size_t items() const { return items_; }

  // The law of the item after `history`, from all orders in which the user's items may be his
  // first, second ... choice: an item that was not had may be any of his that are missing.
  std::vector<double> after(std::span<const ModelEvent> history) const {
    std::vector<size_t> seen;
    std::vector<int> count;
    for (const ModelEvent& event : history) {
      const auto item = static_cast<size_t>(event.item);
      const auto place = std::find(seen.begin(), seen.end(), item);
      const auto i = static_cast<size_t>(place - seen.begin());
      if (place == seen.end()) {
        seen.push_back(item);
        count.push_back(0);
      }
      ++count[i];
    }
    std::vector<size_t> choice(kOwn);
    std::iota(choice.begin(), choice.end(), size_t{0});
    std::vector<double> next(seen.size());
    double rest = 0;
    double sum = 0;
    do {
      double likelihood = 1;
      double missing = 1;
      for (size_t i = 0; i < seen.size(); ++i) {
        likelihood *= std::pow(frequency_[choice[i]], count[i]);
        missing -= frequency_[choice[i]];
      }
      sum += likelihood;
      rest += likelihood * missing;
      for (size_t i = 0; i < seen.size(); ++i) next[i] += likelihood * frequency_[choice[i]];
    } while (std::next_permutation(choice.begin(), choice.end()));
    std::vector<double> law(items_, rest / sum / static_cast<double>(items_ - seen.size()));
    for (size_t i = 0; i < seen.size(); ++i) law[seen[i]] = next[i] / sum;
    return law;
  }

  Sequences histories(size_t users, size_t length, uint64_t seed) const {
    SequencesWriter writer(items_);
    std::vector<size_t> items(items_);
    for (size_t user = 0; user < users; ++user) {
      Random random(seed, user);
      std::iota(items.begin(), items.end(), size_t{0});
      random.shuffle(std::span(items));
      for (size_t e = 0; e < length; ++e)
        writer.event(items[draw(frequency_, random)],
                     kProcessStart + static_cast<int64_t>(e) * 3'600);
      writer.end_user();
    }
    return writer.finish();
  }

 private:
  size_t items_;
  std::vector<double> frequency_;  // of a user's first, second ... choice
};

}  // namespace personalize
