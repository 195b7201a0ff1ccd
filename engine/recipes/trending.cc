#include "engine/recipes/trending.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/math/finite.h"
#include "engine/math/machine_speed.h"
#include "engine/recipes/popularity.h"

namespace personalize {
namespace {

constexpr std::string_view kGrowth = "trending-now.growth";
constexpr std::string_view kUsers = "trending-now.users";
constexpr std::string_view kFrequency = "trend_discovery_frequency";

constexpr double kPriorWeight = 5;
constexpr double kDeviations = 1.64;  // one-sided: 95 %
// Of popularity, which decides among items that nothing else tells apart.
constexpr float kLittle = 1e-4F;

constexpr std::pair<const char*, int64_t> kFrequencies[] = {
    {"30 minutes", 1'800}, {"1 hour", 3'600}, {"3 hours", 10'800}, {"1 day", 86'400}};

int64_t seconds_of(std::string_view frequency) {
  for (const auto& [text, seconds] : kFrequencies)
    if (text == frequency) return seconds;
  return 0;
}

double total(const std::vector<float>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0);
}

class TrendingModel final : public Model {
 public:
  TrendingModel(std::span<const float> growth, std::span<const float> users)
      : growth_(growth), users_(users) {}

  size_t item_count() const override { return growth_.size(); }
  ScoreKind score_kind() const override { return ScoreKind::kGrowth; }
  void score(const Question&, std::span<float> scores) const override {
    std::copy(growth_.begin(), growth_.end(), scores.begin());
  }
  ScoreKind similar_kind() const override { return ScoreKind::kCounts; }
  bool similar(ItemIndex, std::span<float> scores) const override {
    std::copy(users_.begin(), users_.end(), scores.begin());
    return false;
  }

 private:
  std::span<const float> growth_;  // one an item
  std::span<const float> users_;
};

class TrendingRecipe final : public Recipe {
 public:
  TrendingRecipe() {
    HyperparameterSpec spec;
    spec.name = kFrequency;
    spec.kind = HyperparameterSpec::Kind::kText;
    spec.default_text = "3 hours";
    for (const auto& [text, seconds] : kFrequencies) spec.choices.emplace_back(text);
    spec.meaning =
        "what is had in the last so much time is compared with seven times as much before";
    specs_.push_back(std::move(spec));
  }

  std::string_view name() const override { return "trending-now"; }
  RecipeType type() const override { return RecipeType::kTrendingNow; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return specs_; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions&, Progress& progress) const override {
    if (data.sequences->event_count() == 0) {
      return Status(StatusCode::kInvalidInput,
                    "there are 0 interactions to learn from; trending-now needs at least 1");
    }
    const std::string& frequency = hyperparameters.text(kFrequency);
    PERSONALIZE_ASSIGN_OR_RETURN(
        const TrendCounts counts,
        count_trends(data, seconds_of(frequency), [&progress] { return progress.stop(); }));
    if (counts.window != seconds_of(frequency)) {
      progress.note(fmt::format("too few interactions for a trend over {}: it is over {:.0f} hours",
                                frequency, static_cast<double>(counts.window) / 3'600));
    }
    std::vector<float> users = distinct_users(data);
    const double last = total(counts.last);
    const double earlier = total(counts.earlier);
    const float most = std::max(1.0F, *std::max_element(users.begin(), users.end()));
    std::vector<float> growth(users.size());
    for (size_t i = 0; i < growth.size(); ++i) {
      const double expected = earlier > 0 ? counts.earlier[i] * last / earlier : 0;
      growth[i] =
          static_cast<float>(trend_score(counts.last[i], expected)) + kLittle * users[i] / most;
    }
    Fitted fitted;
    fitted.blob.add(kGrowth, growth);
    fitted.blob.add(kUsers, users);
    fitted.hyperparameters = hyperparameters;
    return fitted;
  }

  FitCost cost(const DataSize& size, const Hyperparameters&, const FitOptions&) const override {
    const auto items = static_cast<double>(size.items);
    const auto events = static_cast<double>(size.events);
    const double second = 1 / machine_speed().updates;
    return {.bytes = 24 * items + 16 * static_cast<double>(size.longest),
            .seconds = 10 * second * events,
            .model_bytes = 8 * items,
            .step_seconds = 0,
            .score_seconds = items * second / 4};
  }

  Result<std::unique_ptr<Model>> open(const BlobView& blob) const override {
    PERSONALIZE_ASSIGN_OR_RETURN(const auto growth, blob.section<float>(kGrowth));
    PERSONALIZE_ASSIGN_OR_RETURN(const auto users, blob.section<float>(kUsers, growth.size()));
    if (!all_finite(growth) || !all_finite(users))
      return Status(StatusCode::kCorrupt, "the model holds numbers that are not finite");
    return std::unique_ptr<Model>(std::make_unique<TrendingModel>(growth, users));
  }

 private:
  std::vector<HyperparameterSpec> specs_;
};

struct TimeSpan {
  int64_t oldest = std::numeric_limits<int64_t>::max();
  int64_t newest = std::numeric_limits<int64_t>::min();
};

TimeSpan time_span(const TrainingView& data) {
  TimeSpan span;
  for (size_t user = 0; user < data.end.size(); ++user) {
    if (data.length(user) == 0) continue;
    const auto& times = data.sequences->timestamp;
    span.oldest = std::min(span.oldest, times[static_cast<size_t>(data.begin(user))]);
    span.newest = std::max(span.newest, times[static_cast<size_t>(data.end[user]) - 1]);
  }
  return span;
}

// Counts without doubling.
Result<TrendCounts> count_windows(const TrainingView& data, int64_t newest, int64_t window,
                                  const std::function<bool()>& stop) {
  const Sequences& sequences = *data.sequences;
  TrendCounts counts;
  counts.window = window;
  counts.last.resize(sequences.item_count());
  counts.earlier.resize(sequences.item_count());
  std::vector<std::pair<ItemIndex, int64_t>> had;  // by the user: item and window
  for (size_t user = 0; user < data.end.size(); ++user) {
    if (user % 1'024 == 0 && stop())
      return Status(StatusCode::kInterrupted, "training was interrupted");
    had.clear();
    for (int64_t i = data.end[user] - 1; i >= data.begin(user); --i) {
      const auto event = static_cast<size_t>(i);
      // In double precision: timestamps may lie further apart than their type can tell.
      const double ago =
          (static_cast<double>(newest) - static_cast<double>(sequences.timestamp[event])) /
          static_cast<double>(window);
      if (ago >= 1 + kEarlierWindows) break;
      had.emplace_back(sequences.item[event], static_cast<int64_t>(ago));
    }
    std::sort(had.begin(), had.end());
    had.erase(std::unique(had.begin(), had.end()), had.end());
    for (const auto& [item, ago] : had)
      (ago == 0 ? counts.last : counts.earlier)[static_cast<size_t>(item)] += 1;
  }
  return counts;
}

}  // namespace

double trend_score(double r, double e) {
  const double shape = r + kPriorWeight;
  return (shape - kDeviations * std::sqrt(shape)) / (e + kPriorWeight);
}

Result<TrendCounts> count_trends(const TrainingView& data, int64_t window,
                                 const std::function<bool()>& stop) {
  constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 2;
  const TimeSpan span = time_span(data);
  for (;; window *= 2) {
    PERSONALIZE_ASSIGN_OR_RETURN(TrendCounts counts,
                                 count_windows(data, span.newest, window, stop));
    const bool enough =
        total(counts.last) >= kFewestTrendCounts && total(counts.earlier) >= kFewestTrendCounts;
    const double whole = static_cast<double>(span.newest) - static_cast<double>(span.oldest);
    if (enough || static_cast<double>(window) > whole || window > kLongest) return counts;
  }
}

const Recipe& trending_recipe() {
  static const TrendingRecipe recipe;
  return recipe;
}

}  // namespace personalize
