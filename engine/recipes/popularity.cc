#include "engine/recipes/popularity.h"

#include <algorithm>
#include <cmath>

#include "engine/math/machine_speed.h"

namespace personalize {
namespace {

constexpr std::string_view kUsers = "popularity-count.users";

class PopularityModel : public Model {
 public:
  explicit PopularityModel(std::span<const float> users) : users_(users) {}

  size_t item_count() const override { return users_.size(); }
  ScoreKind score_kind() const override { return ScoreKind::kCounts; }
  void score(const Question&, std::span<float> scores) const override {
    std::copy(users_.begin(), users_.end(), scores.begin());
  }
  ScoreKind similar_kind() const override { return ScoreKind::kCounts; }
  bool similar(ItemIndex, std::span<float> scores) const override {
    std::copy(users_.begin(), users_.end(), scores.begin());
    return false;
  }

 private:
  std::span<const float> users_;  // one an item
};

class PopularityRecipe : public Recipe {
 public:
  std::string_view name() const override { return "popularity-count"; }
  RecipeType type() const override { return RecipeType::kUserPersonalization; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return {}; }

  Result<Fitted> fit(const TrainingView& data, const Hyperparameters& hyperparameters,
                     const FitOptions&, Progress&) const override {
    if (data.sequences->event_count() == 0) {
      return Status(StatusCode::kInvalidInput,
                    "there are 0 interactions to learn from; popularity-count needs at least 1");
    }
    Fitted fitted;
    fitted.blob.add(kUsers, distinct_users(data));
    fitted.hyperparameters = hyperparameters;
    return fitted;
  }

  FitCost cost(const DataSize& size, const Hyperparameters&, const FitOptions&) const override {
    const auto items = static_cast<double>(size.items);
    const double second = 1 / machine_speed().updates;
    return {.bytes = 16 * items,
            .seconds = 2 * second * static_cast<double>(size.events),
            .model_bytes = 4 * items,
            .step_seconds = 0,
            .score_seconds = items * second / 4};
  }

  Result<std::unique_ptr<Model>> open(const BlobView& blob) const override {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::span<const float> users, blob.section<float>(kUsers));
    for (const float count : users)
      if (!std::isfinite(count) || count < 0)
        return Status(StatusCode::kCorrupt, "the popularity model is damaged: a count is wrong");
    return std::unique_ptr<Model>(std::make_unique<PopularityModel>(users));
  }
};

}  // namespace

std::vector<float> distinct_users(const TrainingView& data) {
  const Sequences& sequences = *data.sequences;
  std::vector<float> users(sequences.item_count());
  std::vector<size_t> last_user(sequences.item_count());  // user + 1, who was counted last
  for (size_t u = 0; u < sequences.user_count(); u++) {
    for (int64_t i = data.begin(u); i < data.end[u]; i++) {
      const auto item = static_cast<size_t>(sequences.item[static_cast<size_t>(i)]);
      if (last_user[item] == u + 1) continue;
      last_user[item] = u + 1;
      users[item] += 1;
    }
  }
  return users;
}

const Recipe& popularity_recipe() {
  static const PopularityRecipe recipe;
  return recipe;
}

}  // namespace personalize
