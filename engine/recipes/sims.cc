#include "engine/recipes/sims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/dataset/history_length.h"
#include "engine/math/machine_speed.h"
#include "engine/math/parallel.h"
#include "engine/recipes/popularity.h"

namespace personalize {
namespace {

constexpr size_t kMostNeighbours = 500;
constexpr std::string_view kStart = "sims.start";
constexpr std::string_view kNeighbour = "sims.neighbour";
constexpr std::string_view kSimilarity = "sims.similarity";
constexpr std::string_view kUsers = "sims.users";

using Kind = HyperparameterSpec::Kind;
const HyperparameterSpec kSpecs[] = {
    {"popularity_discount_factor",
     Kind::kReal,
     "0.5",
     0,
     1,
     {},
     true,
     "0: popular items first; 1: correlation alone"},
    {"min_cointeraction_count",
     Kind::kInteger,
     "3",
     0,
     10,
     {},
     true,
     "how many users must have had both items"},
    {"min_user_history_length_percentile",
     Kind::kReal,
     "0.005",
     0,
     1,
     {},
     false,
     "users with shorter histories are left out"},
    {"max_user_history_length_percentile",
     Kind::kReal,
     "0.995",
     0,
     1,
     {},
     false,
     "users with longer histories are left out"},
    {"min_item_interaction_count_percentile",
     Kind::kReal,
     "0.01",
     0,
     1,
     {},
     false,
     "items with fewer users are left out"},
    // Amazon's 0.9 leaves out the most popular tenth of the items: a shop's best sellers would have
    // no similar items. What it is there for, popularity_discount_factor does.
    {"max_item_interaction_count_percentile",
     Kind::kReal,
     "1",
     0,
     1,
     {},
     false,
     "items with more users are left out"},
};

struct Neighbour {
  ItemIndex item;
  float similarity;
};

// Lists of numbers, one after the other: list k is values[start[k]] .. values[start[k + 1] - 1].
struct Lists {
  std::vector<uint64_t> start = {0};
  std::vector<uint32_t> values;
  std::span<const uint32_t> operator[](size_t k) const {
    return std::span(values).subspan(start[k], start[k + 1] - start[k]);
  }
  size_t size() const { return start.size() - 1; }
};

// The distinct items of each user within the percentiles.
Lists items_of_users(const TrainingView& data, const Hyperparameters& parameters) {
  const Sequences& sequences = *data.sequences;
  const std::vector<uint8_t> within =
      users_within_percentiles(data, parameters.real("min_user_history_length_percentile"),
                               parameters.real("max_user_history_length_percentile"));
  Lists lists;
  for (size_t u = 0; u < sequences.user_count(); u++) {
    if (within[u] == 0) continue;
    const auto from = static_cast<std::ptrdiff_t>(lists.values.size());
    for (int64_t i = data.begin(u); i < data.end[u]; i++)
      lists.values.push_back(static_cast<uint32_t>(sequences.item[static_cast<size_t>(i)]));
    std::sort(lists.values.begin() + from, lists.values.end());
    lists.values.erase(std::unique(lists.values.begin() + from, lists.values.end()),
                       lists.values.end());
    lists.start.push_back(lists.values.size());
  }
  return lists;
}

// The users of each item: `lists` seen from the other side.
Lists transposed(const Lists& lists, size_t items) {
  Lists result;
  result.start.assign(items + 1, 0);
  for (const uint32_t item : lists.values) result.start[item + 1]++;
  for (size_t i = 0; i < items; i++) result.start[i + 1] += result.start[i];
  result.values.resize(lists.values.size());
  std::vector<uint64_t> place(result.start.begin(), result.start.end() - 1);
  for (size_t k = 0; k < lists.size(); k++)
    for (const uint32_t item : lists[k]) result.values[place[item]++] = static_cast<uint32_t>(k);
  return result;
}

// Leaves only items whose number of users lies within the percentiles of those who have any.
void keep_items_within_percentiles(Lists& items_of, size_t items,
                                   const Hyperparameters& parameters) {
  std::vector<int64_t> users(items);
  for (const uint32_t item : items_of.values) users[item]++;
  std::vector<int64_t> counts = users;
  std::erase(counts, 0);
  const CountRange range =
      percentile_range(std::move(counts), parameters.real("min_item_interaction_count_percentile"),
                       parameters.real("max_item_interaction_count_percentile"));
  Lists kept;
  kept.values.reserve(items_of.values.size());
  for (size_t k = 0; k < items_of.size(); k++) {
    for (const uint32_t item : items_of[k])
      if (range.contains(users[item])) kept.values.push_back(item);
    kept.start.push_back(kept.values.size());
  }
  items_of = std::move(kept);
}

// Counts co-occurrences of one item after the other in a scratch array of its own.
class Counter {
 public:
  Counter(const Lists& items_of, const Lists& users_of, const Hyperparameters& parameters)
      : items_of_(items_of),
        users_of_(users_of),
        discount_(parameters.real("popularity_discount_factor")),
        least_(static_cast<uint32_t>(
            std::max<int64_t>(1, parameters.integer("min_cointeraction_count")))),
        together_(users_of.size()),
        theirs_(users_of.size()),
        touched_(users_of.size() + 1) {
    for (size_t i = 0; i < theirs_.size(); i++)
      theirs_[i] = std::pow(static_cast<double>(users_of[i].size()), discount_ / 2);
  }

  // The most similar items of `item`, best first; among equals the smaller number.
  std::vector<Neighbour> neighbours(size_t item) {
    size_t touched = 0;
    for (const uint32_t user : users_of_[item]) {
      for (const uint32_t other : items_of_[user]) {
        // Without a branch: whether an item is new can't be foretold.
        touched_[touched] = other;
        touched += together_[other] == 0 ? 1 : 0;
        together_[other]++;
      }
    }
    const double mine = std::pow(static_cast<double>(users_of_[item].size()), 1 - discount_ / 2);
    found_.clear();
    for (const uint32_t other : std::span(touched_).first(touched)) {
      const uint32_t together = std::exchange(together_[other], 0);
      if (together < least_ || other == item) continue;
      found_.push_back(
          {static_cast<ItemIndex>(other), static_cast<float>(together / (mine * theirs_[other]))});
    }
    const auto better = [](const Neighbour& a, const Neighbour& b) {
      return a.similarity != b.similarity ? a.similarity > b.similarity : a.item < b.item;
    };
    if (found_.size() > kMostNeighbours) {
      std::nth_element(found_.begin(), found_.begin() + kMostNeighbours, found_.end(), better);
      found_.resize(kMostNeighbours);
    }
    std::sort(found_.begin(), found_.end(), better);
    return found_;
  }

 private:
  const Lists& items_of_;
  const Lists& users_of_;
  const double discount_;
  const uint32_t least_;
  std::vector<uint32_t> together_;  // by item; zero between two calls
  std::vector<double> theirs_;      // c(j)^(p / 2), by item
  std::vector<uint32_t> touched_;   // items had together with the one, and room for one more
  std::vector<Neighbour> found_;
};

class SimsModel : public Model {
 public:
  SimsModel(std::span<const uint64_t> start, std::span<const ItemIndex> neighbour,
            std::span<const float> similarity, std::span<const float> users)
      : start_(start), neighbour_(neighbour), similarity_(similarity), users_(users) {
    float least = 1, most = 1;
    for (const float s : similarity_) least = std::min(least, s);
    for (const float u : users_) most = std::max(most, u);
    popularity_scale_ = least / (2 * most);
  }

  size_t item_count() const override { return users_.size(); }
  ScoreKind score_kind() const override { return ScoreKind::kSimilarity; }

  void score(const Question& question, std::span<float> scores) const override {
    std::fill(scores.begin(), scores.end(), 0.0f);
    std::vector<ItemIndex> items;
    items.reserve(question.history.size());
    for (const ModelEvent& event : question.history) items.push_back(event.item);
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    for (const ItemIndex item : items) add_similarities(static_cast<size_t>(item), scores);
    let_popular_items_follow(scores);
  }

  bool similar(ItemIndex item, std::span<float> scores) const override {
    const auto i = static_cast<size_t>(item);
    if (item == kNoItem || start_[i] == start_[i + 1]) {
      std::copy(users_.begin(), users_.end(), scores.begin());
      return false;
    }
    std::fill(scores.begin(), scores.end(), 0.0f);
    add_similarities(i, scores);
    let_popular_items_follow(scores);
    return true;
  }

 private:
  // Items without any similarity come behind all others, popular ones first.
  void let_popular_items_follow(std::span<float> scores) const {
    for (size_t i = 0; i < users_.size(); i++)
      if (scores[i] == 0) scores[i] = popularity_scale_ * users_[i];
  }
  void add_similarities(size_t item, std::span<float> scores) const {
    for (uint64_t k = start_[item]; k < start_[item + 1]; k++)
      scores[static_cast<size_t>(neighbour_[k])] += similarity_[k];
  }

  std::span<const uint64_t> start_;  // items + 1
  std::span<const ItemIndex> neighbour_;
  std::span<const float> similarity_;
  std::span<const float> users_;  // one an item
  float popularity_scale_;        // users times this is at most half of the least similarity
};

class SimsRecipe : public Recipe {
 public:
  std::string_view name() const override { return "sims"; }
  RecipeType type() const override { return RecipeType::kRelatedItems; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return kSpecs; }
  bool answers_similar_items() const override { return true; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions& options, Progress& progress) const override {
    const size_t items = data.sequences->item_count();
    if (items == 0) {
      return Status(StatusCode::kInvalidInput,
                    "there are 0 interactions to learn from; sims needs at least 1");
    }
    Lists items_of = items_of_users(data, hyperparameters);
    keep_items_within_percentiles(items_of, items, hyperparameters);
    const Lists users_of = transposed(items_of, items);

    const int threads = thread_count(options.threads);
    std::vector<Counter> counters(static_cast<size_t>(threads),
                                  Counter(items_of, users_of, hyperparameters));
    std::vector<std::vector<Neighbour>> neighbours(items);
    const bool done = parallel_blocks(
        items, 4, threads, [&] { return progress.stop(); },
        [&](size_t begin, size_t end, size_t worker) {
          for (size_t i = begin; i < end; i++) neighbours[i] = counters[worker].neighbours(i);
        });
    if (!done) return Status(StatusCode::kInterrupted, "interrupted");

    size_t kept = 0;
    for (const std::vector<Neighbour>& row : neighbours) kept += row.size();
    std::vector<uint64_t> start = {0};
    std::vector<ItemIndex> neighbour;
    std::vector<float> similarity;
    start.reserve(items + 1);
    neighbour.reserve(kept);
    similarity.reserve(kept);
    for (std::vector<Neighbour>& row : neighbours) {
      for (const Neighbour& other : row) {
        neighbour.push_back(other.item);
        similarity.push_back(other.similarity);
      }
      start.push_back(neighbour.size());
      row = {};
    }
    if (neighbour.empty()) {
      progress.note(fmt::format(
          "no two items share min_cointeraction_count = {} users: similar_items will give popular "
          "items only",
          hyperparameters.integer("min_cointeraction_count")));
    }
    Fitted fitted;
    fitted.blob.add(kStart, start);
    fitted.blob.add(kNeighbour, neighbour);
    fitted.blob.add(kSimilarity, similarity);
    fitted.blob.add(kUsers, distinct_users(data));
    fitted.hyperparameters = hyperparameters;
    return fitted;
  }

  FitCost cost(const DataSize& size, const Hyperparameters& hyperparameters,
               const FitOptions& options) const override {
    const auto items = static_cast<double>(size.items);
    const auto events = static_cast<double>(size.events);
    const int threads = thread_count(options.threads);
    const double second = 1 / machine_speed().updates;
    // Each needs so many users; where most pairs of items have fewer, it is far less.
    const auto least = static_cast<double>(
        std::max<int64_t>(1, hyperparameters.integer("min_cointeraction_count")));
    const double kept = std::min({items * kMostNeighbours, items * items, size.pairs / least});
    FitCost cost;
    cost.model_bytes = 8 * kept + 12 * items;
    cost.bytes = 12 * events + 16 * kept + (64 + 24 * threads) * items;
    cost.seconds = second * (60 * events + (1.3 * size.pairs + 20 * kept) / threads);
    cost.score_seconds =
        second * (2 * items + kept / items * events / static_cast<double>(size.users));
    return cost;
  }

  Result<std::unique_ptr<Model>> open(const BlobView& blob) const override {
    const auto damaged = [](std::string_view what) {
      return Status(StatusCode::kCorrupt, fmt::format("the sims model is damaged: {}", what));
    };
    PERSONALIZE_ASSIGN_OR_RETURN(const auto users, blob.section<float>(kUsers));
    PERSONALIZE_ASSIGN_OR_RETURN(const auto start,
                                 blob.section<uint64_t>(kStart, users.size() + 1));
    PERSONALIZE_ASSIGN_OR_RETURN(const auto neighbour, blob.section<ItemIndex>(kNeighbour));
    PERSONALIZE_ASSIGN_OR_RETURN(const auto similarity,
                                 blob.section<float>(kSimilarity, neighbour.size()));
    if (start.front() != 0 || start.back() != neighbour.size())
      return damaged("its lists do not span its neighbours");
    if (!std::is_sorted(start.begin(), start.end())) return damaged("its lists overlap");
    for (const ItemIndex item : neighbour)
      if (item < 0 || static_cast<size_t>(item) >= users.size())
        return damaged("a neighbour is no item");
    for (const float s : similarity)
      if (!(s > 0 && s <= 1.001f)) return damaged("a similarity is out of range");
    for (const float u : users)
      if (!std::isfinite(u) || u < 0) return damaged("a number of users is wrong");
    return std::unique_ptr<Model>(std::make_unique<SimsModel>(start, neighbour, similarity, users));
  }
};

}  // namespace

const Recipe& sims_recipe() {
  static const SimsRecipe recipe;
  return recipe;
}

}  // namespace personalize
