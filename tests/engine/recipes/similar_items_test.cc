#include "engine/recipes/similar_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/recipes/sims.h"
#include "tests/engine/testing/known_processes.h"
#include "tests/engine/testing/shared_data.h"
#include "tests/engine/testing/trained_model.h"
#include "tests/engine/testing/vector_metadata.h"

namespace personalize {
namespace {

Hyperparameters defaults(const Recipe& recipe) {
  return *Hyperparameters::parse("", recipe.hyperparameters());
}

// Items of `clusters` clusters; a user stays in one. Every second item is rare: a few users in all
// have it. The items dataset tells an item's cluster, also of items that nobody had.
struct Clusters {
  size_t clusters, of_cluster;
  Sequences all;
  Metadata metadata;

  Clusters(size_t clusters, size_t of_cluster) : clusters(clusters), of_cluster(of_cluster) {
    const size_t items = clusters * of_cluster;
    SequencesWriter writer(items);
    Random random(5, 0);
    for (size_t user = 0; user < clusters * 20; ++user) {
      for (size_t e = 0; e < 8; ++e) {
        size_t place = random.below(of_cluster);
        if (place % 2 == 1 && random.below(40) != 0) --place;
        writer.event(place * clusters + user % clusters,
                     kProcessStart + static_cast<int64_t>(e) * 3'600);
      }
      writer.end_user();
    }
    all = writer.finish();
    VectorMetadata source(
        {{"CLUSTER", FieldKind::kCategorical}, {"COLOR", FieldKind::kCategorical}});
    for (size_t i = 0; i < items + clusters; ++i)
      source.add("item " + std::to_string(i), {FieldValue::of("c" + std::to_string(i % clusters)),
                                               FieldValue::of(i % 7 < 3 ? "red" : "blue")});
    metadata.items = *read_metadata(source);
  }

  // The share of the best ten similar items of rare ones that are of their cluster.
  double precision(const Model& model) const {
    std::vector<float> scores(all.item_count());
    double hits = 0, places = 0;
    for (size_t item = 0; item < all.item_count(); ++item) {
      if (item / clusters % 2 == 0) continue;
      model.similar(static_cast<ItemIndex>(item), scores);
      scores[item] = -2;
      hits += hits_of(scores, item % clusters);
      places += shown();
    }
    return hits / places;
  }
  size_t shown() const { return std::min<size_t>(10, of_cluster - 1); }
  double hits_of(std::span<const float> scores, size_t cluster) const {
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    double hits = 0;
    for (size_t k = 0; k < shown(); ++k) hits += order[k] % clusters == cluster ? 1 : 0;
    return hits;
  }
};

TEST(SimilarItems, MetadataPlacesItemsOfFewEvents) {
  const Clusters data(12, 14);  // more items than a vector has numbers
  const TrainingView view = TrainingView::everything(data.all);
  const Recipe& recipe = similar_items_recipe();
  const TrainedModel with(recipe, view, defaults(recipe), {.metadata = &data.metadata});
  const TrainedModel without(recipe, view, defaults(recipe));
  ASSERT_NE(with.get(), nullptr);
  ASSERT_NE(without.get(), nullptr);
  EXPECT_GT(data.precision(*with), 0.95);
  EXPECT_GT(data.precision(*with), data.precision(*without));
  EXPECT_EQ(without->metadata(), nullptr);
}

TEST(SimilarItems, PlacesItemsThatNobodyHad) {
  for (const size_t clusters : {size_t{3}, size_t{12}}) {
    const Clusters data(clusters, 14);
    const Recipe& recipe = similar_items_recipe();
    const TrainedModel model(recipe, TrainingView::everything(data.all), defaults(recipe),
                             {.metadata = &data.metadata});
    ASSERT_NE(model.get(), nullptr);
    const ModelMetadata* metadata = model->metadata();
    ASSERT_NE(metadata, nullptr);
    const FieldPlaces places = metadata->items.places_in(data.metadata.items.fields());
    // One unseen item a cluster, and one about which nothing is known.
    std::vector<uint32_t> start = {0};
    std::vector<ColumnIndex> columns;
    std::vector<FieldValue> values;
    for (size_t c = 0; c < clusters; ++c) {
      data.metadata.items.row(data.all.item_count() + c, values);
      metadata->items.encode(places, values, 0, columns);
      start.push_back(static_cast<uint32_t>(columns.size()));
    }
    start.push_back(start.back());
    const UnseenItems unseen{start, columns};

    std::vector<float> scores(data.all.item_count());
    std::vector<float> of_unseen(unseen.size());
    for (size_t c = 0; c < clusters; ++c) {
      ASSERT_TRUE(model->similar_to_unseen(unseen.of(c), scores));
      EXPECT_EQ(data.hits_of(scores, c % clusters), static_cast<double>(data.shown())) << c;
      model->similar_unseen(static_cast<ItemIndex>(c), {}, unseen, of_unseen);
      EXPECT_EQ(std::max_element(of_unseen.begin(), of_unseen.end()) - of_unseen.begin(),
                static_cast<ptrdiff_t>(c));
      model->similar_unseen(kNoItem, unseen.of(c), unseen, of_unseen);
      EXPECT_EQ(std::max_element(of_unseen.begin(), of_unseen.end()) - of_unseen.begin(),
                static_cast<ptrdiff_t>(c));
      EXPECT_EQ(of_unseen.back(), -1);
    }
    EXPECT_FALSE(model->similar_to_unseen({}, scores)) << "nothing known: popular items";
    EXPECT_FALSE(model->similar(kNoItem, scores));
  }
}

// NDCG@10 of a user's last event, asked of the one before.
double next_item_gain(const Recipe& recipe, const Sequences& all) {
  TrainingView view = TrainingView::everything(all);
  for (size_t user = 0; user < all.user_count(); ++user)
    if (view.length(user) > 0) --view.end[user];
  const TrainedModel model(recipe, view, defaults(recipe));
  if (model.get() == nullptr) return 0;
  std::vector<float> scores(all.item_count());
  double gain = 0, asked = 0;
  for (size_t user = 0; user < all.user_count(); ++user) {
    if (view.length(user) == 0) continue;
    const auto end = static_cast<size_t>(view.end[user]);
    model->similar(all.item[end - 1], scores);
    scores[static_cast<size_t>(all.item[end - 1])] = -INFINITY;
    const float wanted = scores[static_cast<size_t>(all.item[end])];
    size_t rank = 0;
    for (const float score : scores) rank += score >= wanted ? 1 : 0;
    gain += gain_at(rank - 1);
    asked += 1;
  }
  return gain / asked;
}

TEST(SimilarItems, FindsWhatComesNextAtLeastAsWellAsSimsOnMovieLens) {
  const auto rows = read_shared_data("ml-100k");
  if (!rows) GTEST_SKIP() << "needs MovieLens-100K beside the source tree";
  VectorSource source(*rows);
  const auto all = read_sequences(source, {}, TieOrder::kArrival, 1);
  ASSERT_TRUE(all.is_ok());
  const double sims = next_item_gain(sims_recipe(), *all);
  const double ours = next_item_gain(similar_items_recipe(), *all);
  RecordProperty("sims", std::to_string(sims));
  RecordProperty("similar-items", std::to_string(ours));
  EXPECT_GT(ours, sims);
}

TEST(SimilarItems, IsTheSameBitForBitForAnyNumberOfThreads) {
  const Clusters data(6, 10);
  std::vector<std::byte> first;
  for (const int threads : {1, 2, 5}) {
    SilentProgress progress;
    const auto fitted = similar_items_recipe().fit(
        TrainingView::everything(data.all), defaults(similar_items_recipe()),
        {.threads = threads, .metadata = &data.metadata}, progress);
    ASSERT_TRUE(fitted.is_ok());
    if (first.empty()) first = fitted->blob.finish();
    EXPECT_TRUE(fitted->blob.finish() == first) << threads << " threads";
  }
}

TEST(SimilarItems, AnswersFromNextToNothing) {
  SequencesWriter writer(1);
  writer.event(0, kProcessStart);
  writer.end_user();
  const Sequences one = writer.finish();
  const Recipe& recipe = similar_items_recipe();
  const TrainedModel model(recipe, TrainingView::everything(one), defaults(recipe));
  ASSERT_NE(model.get(), nullptr);
  std::vector<float> scores(1);
  EXPECT_FALSE(model->similar(0, scores)) << "nothing is known to go with it";
  const std::vector<ModelEvent> history = {{kProcessStart, 0}};
  model->score({history, {}}, scores);
  EXPECT_TRUE(std::isfinite(scores[0]));
}

TEST(SimilarItems, SaysWhatItLacks) {
  SilentProgress progress;
  SequencesWriter writer(0);
  const Sequences none = writer.finish();
  const Recipe& recipe = similar_items_recipe();
  const auto fitted = recipe.fit(TrainingView::everything(none), defaults(recipe), {}, progress);
  EXPECT_EQ(fitted.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(fitted.status().message(),
            "there are 0 interactions to learn from; similar-items needs at least 1");
  const Clusters data(3, 6);
  const TrainedModel without(recipe, TrainingView::everything(data.all), defaults(recipe));
  ASSERT_FALSE(without.progress().notes.empty());
  EXPECT_TRUE(without.progress().notes[0].starts_with("nothing is known of the items"));
}

TEST(SimilarItems, StopsWhenItIsTold) {
  const Clusters data(6, 10);
  const Recipe& recipe = similar_items_recipe();
  SilentProgress progress;
  progress.stop_after = 1;
  const auto fitted = recipe.fit(TrainingView::everything(data.all), defaults(recipe),
                                 {.metadata = &data.metadata}, progress);
  EXPECT_EQ(fitted.status().code(), StatusCode::kInterrupted);
}

TEST(SimilarItems, RefusesADamagedModel) {
  const Clusters data(3, 6);
  const Recipe& recipe = similar_items_recipe();
  SilentProgress progress;
  const auto fitted = recipe.fit(TrainingView::everything(data.all), defaults(recipe),
                                 {.metadata = &data.metadata}, progress);
  ASSERT_TRUE(fitted.is_ok());
  BlobWriter header_only;
  const AlignedBlob whole(fitted->blob);
  const auto header = whole.view().section<uint64_t>("similar.header");
  EXPECT_EQ(header.status().code(), StatusCode::kCorrupt) << "elements of another size";
  const std::vector<float> users(3);
  header_only.add("similar.users", users);
  const AlignedBlob damaged(header_only);
  EXPECT_EQ(recipe.open(damaged.view()).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace personalize
