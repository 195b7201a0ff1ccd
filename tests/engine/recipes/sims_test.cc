#include "engine/recipes/sims.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/silent_progress.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

// Keeps everybody and everything, so that a small example can be worked out by hand.
constexpr const char* kKeepAll =
    R"({"popularity_discount_factor": %g, "min_cointeraction_count": %d,
        "min_user_history_length_percentile": 0, "max_user_history_length_percentile": 1,
        "min_item_interaction_count_percentile": 0, "max_item_interaction_count_percentile": 1})";

Hyperparameters parameters(double discount, int least) {
  char json[600];
  std::snprintf(json, sizeof json, kKeepAll, discount, least);
  auto parsed = Hyperparameters::parse(json, sims_recipe().hyperparameters());
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().message();
  return *parsed;
}

std::vector<std::byte> fit(const TrainingView& view, const Hyperparameters& h, int threads = 2) {
  SilentProgress progress;
  const auto fitted = sims_recipe().fit(view, h, {.threads = threads}, progress);
  EXPECT_TRUE(fitted.is_ok()) << fitted.status().message();
  return fitted->blob.finish();
}

Sequences random_sequences(unsigned seed, int users, int items, int events) {
  std::mt19937 random(seed);
  std::geometric_distribution<int> popular(3.0 / items);
  VectorSource source;
  for (int i = 0; i < events; i++) {
    source.add(
        {"u" + std::to_string(random() % users), "i" + std::to_string(popular(random) % items), i});
  }
  return *read_sequences(source, {}, TieOrder::kArrival, 1);
}

// Similarities by two loops over sets of users.
std::map<std::pair<ItemIndex, ItemIndex>, double> slow_similarities(const TrainingView& view,
                                                                    double discount, size_t least) {
  std::map<ItemIndex, std::set<size_t>> users;
  for (size_t u = 0; u < view.sequences->user_count(); u++)
    for (int64_t i = view.begin(u); i < view.end[u]; i++) users[view.sequences->item[i]].insert(u);
  std::map<std::pair<ItemIndex, ItemIndex>, double> result;
  for (const auto& [i, users_i] : users) {
    for (const auto& [j, users_j] : users) {
      size_t both = 0;
      for (const size_t u : users_i) both += users_j.count(u);
      if (i == j || both < least || both == 0) continue;
      result[{i, j}] = both / (std::pow(users_i.size(), 1 - discount / 2) *
                               std::pow(users_j.size(), discount / 2));
    }
  }
  return result;
}

TEST(Sims, GivesTheSimilaritiesOfTwoPlainLoopsOverSetsOfUsers) {
  const Sequences sequences = random_sequences(1, 60, 80, 1500);
  TrainingView view = TrainingView::everything(sequences);
  for (size_t u = 0; u < view.end.size(); u += 2) view.end[u]--;  // something is withheld
  for (const double discount : {0.0, 0.5, 1.0}) {
    for (const int least : {0, 3}) {
      const auto expected = slow_similarities(view, discount, static_cast<size_t>(least));
      const AlignedBlob blob(fit(view, parameters(discount, least)));
      const auto model = sims_recipe().open(blob.view());
      ASSERT_TRUE(model.is_ok()) << model.status().message();
      double smallest = 1;
      for (const auto& [pair, value] : expected) smallest = std::min(smallest, value);
      std::vector<float> scores(sequences.item_count());
      for (ItemIndex i = 0; i < static_cast<ItemIndex>(scores.size()); i++) {
        const bool known = (*model)->similar(i, scores);
        EXPECT_EQ(known, std::any_of(expected.begin(), expected.end(),
                                     [i](const auto& x) { return x.first.first == i; }));
        if (!known) continue;
        for (ItemIndex j = 0; j < static_cast<ItemIndex>(scores.size()); j++) {
          const auto pair = expected.find({i, j});
          if (pair == expected.end())
            EXPECT_LT(scores[j], smallest);
          else
            EXPECT_NEAR(scores[j], pair->second, 1e-6);
        }
      }
    }
  }
}

TEST(Sims, GivesTheSameBytesForAnyNumberOfThreads) {
  const Sequences sequences = random_sequences(2, 100, 150, 4000);
  const TrainingView view = TrainingView::everything(sequences);
  const std::vector<std::byte> one = fit(view, parameters(0.5, 1), 1);
  EXPECT_EQ(one, fit(view, parameters(0.5, 1), 2));
  EXPECT_EQ(one, fit(view, parameters(0.5, 1), 3));
}

// Four users have bread and butter; three of them jam; everybody has a bag.
VectorSource shop() {
  VectorSource source;
  for (int user = 0; user < 4; user++) {
    source.add({"u" + std::to_string(user), "bread", 1});
    source.add({"u" + std::to_string(user), "butter", 2});
    if (user < 3) source.add({"u" + std::to_string(user), "jam", 3});
  }
  for (int user = 0; user < 12; user++) source.add({"u" + std::to_string(user), "bag", 4});
  source.add({"u11", "rare", 5});
  return source;
}

TEST(Sims, DiscountsPopularItemsAsFarAsAsked) {
  VectorSource source = shop();
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  const ItemIndex bread = s.items.find("bread"), bag = s.items.find("bag"),
                  jam = s.items.find("jam");
  std::vector<float> scores(s.item_count());
  const auto similar_to = [&](double discount, ItemIndex item) {
    const AlignedBlob blob(fit(TrainingView::everything(s), parameters(discount, 3)));
    const auto model = sims_recipe().open(blob.view());
    ASSERT_TRUE(model.is_ok());
    ASSERT_TRUE((*model)->similar(item, scores));
  };
  similar_to(0, jam);  // the share of jam's users: all three have bread, butter and bag
  EXPECT_EQ(scores[bread], 1);
  EXPECT_EQ(scores[bag], 1);
  similar_to(1, jam);  // cosine: 3 / sqrt(3 * 4), 3 / sqrt(3 * 12)
  EXPECT_FLOAT_EQ(scores[bread], 0.8660254f);
  EXPECT_FLOAT_EQ(scores[bag], 0.5f);
}

TEST(Sims, GivesPopularItemsForUnknownItemsAndThoseWithTooLittleBehaviour) {
  VectorSource source = shop();
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  const AlignedBlob blob(fit(TrainingView::everything(s), parameters(0.5, 3)));
  const auto model = sims_recipe().open(blob.view());
  ASSERT_TRUE(model.is_ok());
  for (const ItemIndex item : {kNoItem, s.items.find("rare")}) {
    std::vector<float> scores(s.item_count());
    EXPECT_FALSE((*model)->similar(item, scores));
    EXPECT_EQ(scores[s.items.find("bag")], 12);
    EXPECT_EQ(scores[s.items.find("jam")], 3);
  }
}

TEST(Sims, SumsTheSimilaritiesToAUsersDistinctItems) {
  const Sequences sequences = random_sequences(3, 60, 50, 1500);
  const TrainingView view = TrainingView::everything(sequences);
  const auto expected = slow_similarities(view, 0.5, 2);
  const AlignedBlob blob(fit(view, parameters(0.5, 2)));
  const auto model = sims_recipe().open(blob.view());
  ASSERT_TRUE(model.is_ok());
  const std::vector<ModelEvent> history = {{1, 4}, {2, 7}, {3, 4}, {4, 9}};
  std::vector<float> scores(sequences.item_count());
  (*model)->score({history, {}}, scores);
  for (ItemIndex j = 0; j < static_cast<ItemIndex>(scores.size()); j++) {
    double sum = 0;
    for (const ItemIndex i : {4, 7, 9})
      if (const auto pair = expected.find({i, j}); pair != expected.end()) sum += pair->second;
    if (sum == 0)
      EXPECT_LT(scores[j], 0.1);
    else
      EXPECT_NEAR(scores[j], sum, 1e-5);
  }
}

TEST(Sims, LeavesOutUsersAndItemsOutsideOfThePercentiles) {
  VectorSource source = shop();
  for (int i = 0; i < 50; i++)
    source.add({"collector", i == 0 ? "jam" : "c" + std::to_string(i), i});
  const Sequences s = *read_sequences(source, {}, TieOrder::kArrival, 1);
  const auto model_of = [&](const AlignedBlob& blob) { return *sims_recipe().open(blob.view()); };
  std::vector<float> scores(s.item_count());
  const auto with = [&](std::string_view json) {
    return *Hyperparameters::parse(json, sims_recipe().hyperparameters());
  };
  const AlignedBlob all(fit(TrainingView::everything(s), with(R"({"min_cointeraction_count": 1,
                                     "max_user_history_length_percentile": 1})")));
  EXPECT_TRUE(model_of(all)->similar(s.items.find("c1"), scores));
  const AlignedBlob no_collector(
      fit(TrainingView::everything(s), with(R"({"min_cointeraction_count": 1,
                                              "max_user_history_length_percentile": 0.9})")));
  EXPECT_FALSE(model_of(no_collector)->similar(s.items.find("c1"), scores));
  const AlignedBlob no_bag(fit(TrainingView::everything(s), with(R"({"min_cointeraction_count": 1,
                                        "max_user_history_length_percentile": 0.9,
                                        "max_item_interaction_count_percentile": 0.7})")));
  EXPECT_FALSE(model_of(no_bag)->similar(s.items.find("bag"), scores));
  EXPECT_TRUE(model_of(no_bag)->similar(s.items.find("bread"), scores));
}

TEST(Sims, StopsWhenAskedTo) {
  const Sequences sequences = random_sequences(4, 2000, 3000, 200000);
  SilentProgress progress;
  progress.stop_after = 0;
  const auto fitted = sims_recipe().fit(TrainingView::everything(sequences), parameters(0.5, 1),
                                        {.threads = 1}, progress);
  ASSERT_FALSE(fitted.is_ok());
  EXPECT_EQ(fitted.status().code(), StatusCode::kInterrupted);
}

TEST(Sims, RefusesADamagedModel) {
  const auto open = [](std::vector<uint64_t> start, std::vector<ItemIndex> neighbour,
                       std::vector<float> similarity, std::vector<float> users) {
    BlobWriter writer;
    writer.add("sims.start", start);
    writer.add("sims.neighbour", neighbour);
    writer.add("sims.similarity", similarity);
    writer.add("sims.users", users);
    const AlignedBlob blob(writer);
    return sims_recipe().open(blob.view()).status().code();
  };
  EXPECT_EQ(open({0, 1, 2}, {1, 0}, {0.5f, 0.5f}, {3, 3}), StatusCode::kOk);
  EXPECT_EQ(open({0, 1, 2}, {2, 0}, {0.5f, 0.5f}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 1, 2}, {-1, 0}, {0.5f, 0.5f}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 3, 2}, {1, 0}, {0.5f, 0.5f}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 1, 3}, {1, 0}, {0.5f, 0.5f}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 2}, {1, 0}, {0.5f, 0.5f}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 1, 2}, {1, 0}, {0.5f}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 1, 2}, {1, 0}, {0.5f, kNoValue}, {3, 3}), StatusCode::kCorrupt);
  EXPECT_EQ(open({0, 1, 2}, {1, 0}, {0.5f, 0.5f}, {3, -1}), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace personalize
