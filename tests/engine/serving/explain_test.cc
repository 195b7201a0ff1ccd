#include "engine/serving/explain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/recipes/hrnn/hrnn.h"
#include "engine/recipes/markov.h"
#include "engine/recipes/popularity.h"
#include "tests/engine/serving/fakes.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

bool never() { return false; }

// Answers as the model it was given.
class Borrowed : public Model {
 public:
  explicit Borrowed(const Model& model) : model_(model) {}
  size_t item_count() const override { return model_.item_count(); }
  size_t state_size() const override { return model_.state_size(); }
  void begin(std::span<float> state) const override { model_.begin(state); }
  void step(std::span<const ModelEvent> history, size_t index,
            std::span<float> state) const override {
    model_.step(history, index, state);
  }
  ScoreKind score_kind() const override { return model_.score_kind(); }
  void score(const Question& question, std::span<float> scores) const override {
    model_.score(question, scores);
  }
  bool similar(ItemIndex item, std::span<float> scores) const override {
    return model_.similar(item, scores);
  }

 private:
  const Model& model_;
};

// Its logit of an item is how often the user had it.
class CountingModel : public Model {
 public:
  size_t item_count() const override { return 2; }
  ScoreKind score_kind() const override { return ScoreKind::kLogits; }
  void score(const Question& question, std::span<float> scores) const override {
    std::fill(scores.begin(), scores.end(), 0.0F);
    for (const ModelEvent& event : question.history) scores[static_cast<size_t>(event.item)] += 1;
  }
  bool similar(ItemIndex, std::span<float>) const override { return false; }
};

// A recipe's model of made-up events, with all that a question needs.
struct Trained {
  static constexpr size_t kItems = 40;
  Sequences all = random_sequences(120, kItems, 30, 3);
  TrainedModel model;
  fakes::Loaded loaded{kItems};
  std::vector<float> users = distinct_users(TrainingView::everything(all));

  Trained(const Recipe& recipe, const std::string& hyperparameters)
      : model(recipe, TrainingView::everything(all),
              *Hyperparameters::parse(hyperparameters, recipe.hyperparameters()), {.threads = 1}) {
    loaded.model->popularity = users;
    loaded.model->model = std::make_unique<Borrowed>(*model);
  }

  // ln(score), everything folded and added up from the start, in double precision.
  double log_score(std::span<const ModelEvent> history, size_t item) const {
    std::vector<float> scores = history.empty() ? users : scores_after(*model, history);
    const bool counts = history.empty() || (*model).score_kind() == ScoreKind::kCounts;
    double sum = 0;
    for (const float score : scores) sum += counts ? score : std::exp(static_cast<double>(score));
    const double wanted = scores[item];
    return (counts ? std::log(wanted) : wanted) - std::log(sum);
  }

  // Compares every part with what it is said to be.
  void expect_explained(std::span<const ModelEvent> history, size_t item) const {
    const auto found =
        explain(*loaded.model, {history, {}}, nullptr, static_cast<ItemIndex>(item), never);
    ASSERT_TRUE(found.is_ok());
    const size_t shown = std::min(history.size(), kExplainedEvents);
    ASSERT_EQ(found->events.size(), shown);
    EXPECT_EQ(found->first, history.size() - shown);
    const double all_events = log_score(history, item);
    for (size_t i = 0; i < shown; i++) {
      std::vector<ModelEvent> rest(history.begin(), history.end());
      rest.erase(rest.begin() + static_cast<ptrdiff_t>(found->first + i));
      EXPECT_NEAR(found->events[i], all_events - log_score(rest, item), 1e-4) << "event " << i;
    }
    EXPECT_NEAR(found->earlier, all_events - log_score(history.last(shown), item), 1e-4);
    const double told = std::accumulate(found->events.begin(), found->events.end(), found->earlier);
    EXPECT_NEAR(told + found->interplay, all_events - log_score({}, item), 1e-4);
  }
};

class ExplainTest : public testing::TestWithParam<const Recipe*> {};

TEST_P(ExplainTest, GivesTheDifferencesOfTheModelsOwnAnswersAndTheySumUp) {
  const bool network = GetParam()->name() == "hrnn";
  const Trained trained(*GetParam(), network ? R"({"hidden_dimension": 32, "epochs": 2})" : "");
  ASSERT_NE(trained.model.get(), nullptr);
  const std::vector<ModelEvent> history = [&] {
    std::vector<ModelEvent> longest;
    for (size_t user = 0; user < trained.all.user_count(); user++) {
      auto events = history_of(trained.all, user, trained.all.start[user + 1]);
      if (events.size() > longest.size()) longest = std::move(events);
    }
    return longest;
  }();
  ASSERT_GT(history.size(), kExplainedEvents + 5);
  for (const size_t events :
       {size_t{1}, size_t{2}, size_t{7}, kExplainedEvents, kExplainedEvents + 1, history.size()})
    for (const size_t item : {size_t{0}, size_t{17}})
      trained.expect_explained(std::span(history).first(events), item);
}

INSTANTIATE_TEST_SUITE_P(Recipes, ExplainTest,
                         testing::Values(&hrnn_recipe(), &markov_recipe(), &popularity_recipe()),
                         [](const auto& info) {
                           std::string name(info.param->name());
                           std::erase(name, '-');
                           return name;
                         });

TEST(Explain, IsAsWorkedOutByHand) {
  fakes::Loaded loaded(2);
  loaded.popularity = {3, 1};
  loaded.model->popularity = loaded.popularity;
  loaded.model->model = std::make_unique<CountingModel>();
  const std::vector<ModelEvent> history = {{100, 0}, {200, 1}, {300, 0}};
  const auto found = explain(*loaded.model, {history, {}}, nullptr, 0, never);
  ASSERT_TRUE(found.is_ok());
  // Logits 2 against 1; without one of item 0, 1 against 1; without that of item 1, 2 against 0.
  const double all = std::log(std::exp(2.0) / (std::exp(2.0) + std::exp(1.0)));
  const double less = all - std::log(0.5);
  const double more = all - std::log(std::exp(2.0) / (std::exp(2.0) + 1));
  ASSERT_EQ(found->events.size(), 3U);
  EXPECT_NEAR(found->events[0], less, 1e-6);
  EXPECT_NEAR(found->events[1], more, 1e-6);
  EXPECT_NEAR(found->events[2], less, 1e-6);
  EXPECT_LT(found->events[1], 0) << "what was had instead speaks against it";
  EXPECT_EQ(found->earlier, 0);
  EXPECT_NEAR(found->interplay, all - std::log(0.75) - 2 * less - more, 1e-6);
}

TEST(Explain, AnItemThatNobodyHadIsComparedWithOneThatOneUserHad) {
  fakes::Loaded loaded(2);
  loaded.popularity = {4, 0};
  loaded.model->popularity = loaded.popularity;
  loaded.model->model = std::make_unique<CountingModel>();
  const std::vector<ModelEvent> history = {{100, 0}};
  const auto found = explain(*loaded.model, {history, {}}, nullptr, 1, never);
  ASSERT_TRUE(found.is_ok());
  EXPECT_NEAR(found->events[0], std::log(1 / (std::exp(1.0) + 1)) - std::log(0.25), 1e-6);
  EXPECT_NEAR(found->interplay, 0, 1e-12);
}

TEST(Explain, AUserWithoutEventsHasNothingToExplain) {
  const fakes::Loaded loaded(5);
  const auto found = explain(*loaded.model, {}, nullptr, 2, never);
  ASSERT_TRUE(found.is_ok());
  EXPECT_TRUE(found->events.empty());
  EXPECT_EQ(found->interplay, 0);
}

TEST(Explain, StopsWhenItIsTold) {
  const fakes::Loaded loaded(5);
  std::vector<ModelEvent> history;
  for (int i = 0; i < 5'000; i++) history.push_back({i, i % 5});
  const auto found = explain(*loaded.model, {history, {}}, nullptr, 2, [] { return true; });
  EXPECT_EQ(found.status().code(), StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
