// What hrnn-metadata makes of processes in which contexts, users' groups and items' genres decide,
// beside hrnn, which does not hear of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/recipes/hrnn/hrnn.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/side_metadata.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

constexpr size_t kGenres = 4;
constexpr size_t kPerGenre = 10;
constexpr size_t kItems = kGenres * kPerGenre;
constexpr int64_t kHour = 3'600;

Hyperparameters small(const std::string& more = "") {
  return *Hyperparameters::parse(
      R"({"hidden_dimension":32,"embedding_dimension":16,"batch_size":4,"bptt":16)" + more + "}",
      hrnn_metadata_recipe().hyperparameters());
}

std::string genre_name(size_t genre) { return "genre " + std::to_string(genre); }
ItemIndex item_of_genre(size_t genre, Random& random) {
  return static_cast<ItemIndex>(genre + kGenres * random.below(kPerGenre));
}

// A table with one field, of which row i has values[i]; "" is missing.
MetadataTable table(const std::string& field, const std::string& id,
                    std::span<const std::string> values) {
  const MetadataField fields[] = {{field, FieldKind::kCategorical}};
  MetadataTable result(fields);
  for (size_t i = 0; i < values.size(); ++i) {
    const FieldValue value = values[i].empty() ? FieldValue::missing() : FieldValue::of(values[i]);
    result.add(id + std::to_string(i), {&value, 1});
  }
  return result;
}

Sequences empty_sequences(size_t items) {
  Sequences all;
  for (size_t item = 0; item < items; ++item) all.items.add("item " + std::to_string(item));
  all.start.push_back(0);
  return all;
}

void add_event(Sequences& all, ItemIndex item) {
  all.item.push_back(item);
  all.timestamp.push_back(1'000'000'000 + static_cast<int64_t>(all.item.size()) * kHour);
  all.value.push_back(kNoValue);
}

void end_user(Sequences& all) {
  all.users.push_back("user " + std::to_string(all.users.size()));
  all.start.push_back(static_cast<int64_t>(all.item.size()));
}

// Share of the `best` best of `scores` that are of a genre.
double share_of_genre(std::span<const float> scores, size_t genre, size_t best = kPerGenre) {
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  double count = 0;
  for (size_t i = 0; i < best; ++i) count += order[i] % kGenres == genre ? 1 : 0;
  return count / static_cast<double>(best);
}

// The columns of a table's row in a model.
std::vector<ColumnIndex> columns_of(const MetadataEncoder& encoder, const MetadataTable& from,
                                    const std::string& id, ColumnIndex first = 0) {
  std::vector<ColumnIndex> columns;
  std::vector<FieldValue> values;
  const ItemIndex row = from.find(id);
  if (row == kNoItem) return columns;
  from.row(static_cast<size_t>(row), values);
  encoder.encode(encoder.places_in(from.fields()), values, first, columns);
  return columns;
}

// The device of an event decides its genre.
Sequences by_device(size_t users, uint64_t seed) {
  Sequences all = empty_sequences(kItems);
  const MetadataField fields[] = {{"DEVICE", FieldKind::kCategorical}};
  all.contexts = Contexts(fields);
  Random random(seed, 1);
  for (size_t user = 0; user < users; ++user) {
    for (size_t e = 0; e < 12; ++e) {
      const size_t genre = random.below(kGenres);
      const std::string device = genre_name(genre);
      const FieldValue value = FieldValue::of(device);
      all.context.push_back(all.contexts.add({&value, 1}));
      add_event(all, item_of_genre(genre, random));
    }
    end_user(all);
  }
  return all;
}

TEST(HrnnMetadata, AnswersToTheContextOfTheQuestion) {
  const Sequences all = by_device(300, 1);
  const TrainedModel model(hrnn_metadata_recipe(), TrainingView::everything(all),
                           small(R"(,"epochs":3)"));
  ASSERT_NE(model.get(), nullptr);
  const ModelMetadata* metadata = model->metadata();
  ASSERT_NE(metadata, nullptr);
  EXPECT_EQ(metadata->context.size(), kGenres);
  const std::vector<ModelEvent> history = history_of(all, 0, 6);
  const std::vector<float> state = state_after(*model, history);
  std::vector<float> scores(kItems);
  for (size_t genre = 0; genre < kGenres; ++genre) {
    const std::string device = genre_name(genre);
    const FieldValue value = FieldValue::of(device);
    std::vector<ColumnIndex> columns;
    metadata->context.encode(metadata->context.places_in(metadata->context.fields()), {&value, 1},
                             0, columns);
    model->score({history, state, columns}, scores);
    EXPECT_EQ(share_of_genre(scores, genre), 1) << genre;
  }
  // Without a context all are about as likely, which the withheld quarter has taught.
  model->score({history, state, {}}, scores);
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  EXPECT_LT(*most - *least, 2);
}

// The user's group decides the genre of his events but for the first.
TEST(HrnnMetadata, KnowsWhatAUsersGroupLikesBeforeHisHistoryTells) {
  Sequences all = empty_sequences(kItems);
  std::vector<std::string> groups;
  Random random(3, 1);
  for (size_t user = 0; user < 400; ++user) {
    const size_t genre = random.below(kGenres);
    groups.push_back(genre_name(genre));
    add_event(all, static_cast<ItemIndex>(random.below(kItems)));
    for (size_t e = 0; e < 5; ++e) add_event(all, item_of_genre(genre, random));
    end_user(all);
  }
  const Metadata metadata{{}, table("GROUP", "user ", groups)};
  const auto share = [&](const Recipe& recipe, bool told) {
    TrainingView known = TrainingView::everything(all);
    for (size_t user = 300; user < 400; ++user) known.end[user] = known.begin(user);
    const TrainedModel model(recipe, known, small(R"(,"epochs":4)"),
                             {.metadata = told ? &metadata : nullptr});
    double sum = 0;
    std::vector<float> scores(kItems);
    for (size_t user = 300; user < 400; ++user) {
      std::vector<ModelEvent> history = history_of(all, user, all.start[user] + 1);
      std::vector<ColumnIndex> columns;
      if (model->metadata() != nullptr)
        columns = columns_of(model->metadata()->users, metadata.users, all.users[user],
                             static_cast<ColumnIndex>(model->metadata()->context.size()));
      history[0].columns = columns;
      model->score({history, state_after(*model, history), columns}, scores);
      sum += share_of_genre(scores, static_cast<size_t>(groups[user].back() - '0')) / 100;
    }
    return sum;
  };
  EXPECT_GT(share(hrnn_metadata_recipe(), true), 0.95);
  EXPECT_LT(share(hrnn_recipe(), true), 0.5);
  EXPECT_LT(share(hrnn_metadata_recipe(), false), 0.5);
}

// Users stay with a genre; of the items a fifth, the last of each genre, have no events.
class UnseenItemsTest : public testing::Test {
 protected:
  static constexpr size_t kKnown = kItems - 2 * kGenres;

  UnseenItemsTest() : all_(empty_sequences(kKnown)) {
    Random random(5, 1);
    for (size_t user = 0; user < 300; ++user) {
      const size_t genre = random.below(kGenres);
      for (size_t e = 0; e < 10; ++e) {
        const auto item = static_cast<ItemIndex>(genre + kGenres * random.below(kPerGenre - 2));
        add_event(all_,
                  random.below(10) == 0 ? static_cast<ItemIndex>(random.below(kKnown)) : item);
      }
      end_user(all_);
    }
    for (size_t item = 0; item < kItems; ++item) genres_.push_back(genre_name(item % kGenres));
  }

  void train(const Metadata& metadata, const Hyperparameters& hyperparameters) {
    model_ = std::make_unique<TrainedModel>(hrnn_metadata_recipe(), TrainingView::everything(all_),
                                            hyperparameters, FitOptions{.metadata = &metadata});
    ASSERT_NE(model_->get(), nullptr);
    for (size_t item = kKnown; item < kItems; ++item) {
      const auto columns =
          columns_of((**model_).metadata()->items, metadata.items, "item " + std::to_string(item));
      columns_.insert(columns_.end(), columns.begin(), columns.end());
      start_.push_back(static_cast<uint32_t>(columns_.size()));
    }
  }
  UnseenItems unseen() const { return {start_, columns_}; }
  // A history of three items of a genre.
  static std::vector<ModelEvent> history_in(size_t genre) {
    std::vector<ModelEvent> history;
    for (size_t e = 0; e < 3; ++e)
      history.push_back(
          {static_cast<int64_t>(e) * kHour, static_cast<ItemIndex>(genre + kGenres * e), kNoValue});
    return history;
  }

  Sequences all_;
  std::vector<std::string> genres_;  // of all items, seen or not
  std::unique_ptr<TrainedModel> model_;
  std::vector<uint32_t> start_ = {0};
  std::vector<ColumnIndex> columns_;
};

TEST_F(UnseenItemsTest, ArePlacedByTheirMetadata) {
  train({table("GENRES", "item ", genres_), {}}, small(R"(,"epochs":6)"));
  const Model& model = **model_;
  std::vector<float> known(kKnown);
  std::vector<float> scores(2 * kGenres);
  for (size_t genre = 0; genre < kGenres; ++genre) {
    const std::vector<ModelEvent> history = history_in(genre);
    const std::vector<float> state = state_after(model, history);
    const Question question{history, state, {}};
    model.score(question, known);
    model.score_unseen(question, unseen(), scores);
    EXPECT_EQ(share_of_genre(scores, genre, 2), 1) << genre;
    // On the scale of known scores: between those of other genres and a little above its own.
    for (size_t i = 0; i < scores.size(); ++i) {
      if (i % kGenres != genre) continue;
      double other = 0;
      for (size_t item = 0; item < kKnown; ++item)
        if (item % kGenres != genre) other += known[item] / static_cast<double>(kKnown * 3 / 4);
      EXPECT_GT(scores[i], other);
      EXPECT_LT(scores[i], *std::max_element(known.begin(), known.end()) + 1);
    }
  }
}

TEST_F(UnseenItemsTest, AreReadAsTheItemsThatTheyAreLike) {
  train({table("GENRES", "item ", genres_), {}}, small(R"(,"epochs":6)"));
  const Model& model = **model_;
  std::vector<float> known(kKnown);
  for (size_t genre = 0; genre < kGenres; ++genre) {
    std::vector<ModelEvent> history;
    for (size_t e = 0; e < 2; ++e) {
      const size_t i = genre + kGenres * e;
      history.push_back({static_cast<int64_t>(e) * kHour,
                         static_cast<ItemIndex>(kKnown + i),
                         kNoValue,
                         {},
                         unseen().of(i)});
    }
    model.score({history, state_after(model, history), {}}, known);
    EXPECT_EQ(share_of_genre(known, genre, kPerGenre - 2), 1) << genre;
  }
}

TEST_F(UnseenItemsTest, OfWhichNothingIsKnownAreLeftOutOfTheState) {
  train({table("GENRES", "item ", genres_), {}}, small(R"(,"epochs":2)"));
  const Model& model = **model_;
  const std::vector<ModelEvent> plain = history_in(1);
  std::vector<ModelEvent> history = plain;
  const ModelEvent unknown{kHour / 2, static_cast<ItemIndex>(kKnown + 3), kNoValue};
  history.insert(history.begin(), unknown);
  history.insert(history.begin() + 2, unknown);
  history.push_back(unknown);
  EXPECT_EQ(state_after(model, history), state_after(model, plain));
  std::vector<float> scores(kKnown);
  model.score({history, state_after(model, history), {}}, scores);
  for (const float score : scores) EXPECT_TRUE(std::isfinite(score));
}

// The same state, so that two histories differ in their own-history terms alone.
TEST_F(UnseenItemsTest, HaveTheTermOfWhatWasHad) {
  train({table("GENRES", "item ", genres_), {}}, small(R"(,"epochs":4)"));
  const Model& model = **model_;
  const std::vector<ModelEvent> history = history_in(0);
  std::vector<ModelEvent> had = history;
  had.push_back({4 * kHour, static_cast<ItemIndex>(kKnown + 2), kNoValue, {}, unseen().of(2)});
  const std::vector<float> state = state_after(model, history);
  std::vector<float> before(2 * kGenres);
  std::vector<float> after(2 * kGenres);
  model.score_unseen({history, state, {}}, unseen(), before);
  model.score_unseen({had, state, {}}, unseen(), after);
  for (size_t i = 0; i < before.size(); ++i)
    if (i != 2) {
      EXPECT_EQ(after[i], before[i]);
    }
  EXPECT_NE(after[2], before[2]);
}

TEST_F(UnseenItemsTest, AreLikeItemsOfTheirGenre) {
  train({table("GENRES", "item ", genres_), {}}, small(R"(,"epochs":6)"));
  const Model& model = **model_;
  std::vector<float> known(kKnown);
  std::vector<float> others(2 * kGenres);
  for (size_t genre = 0; genre < kGenres; ++genre) {
    EXPECT_TRUE(model.similar_to_unseen(unseen().of(genre), known));
    EXPECT_GE(share_of_genre(known, genre, 4), 0.75);
    model.similar_unseen(static_cast<ItemIndex>(genre), {}, unseen(), others);
    EXPECT_EQ(share_of_genre(others, genre, 2), 1);
    model.similar_unseen(kNoItem, unseen().of(genre), unseen(), others);
    EXPECT_EQ(share_of_genre(others, genre, 2), 1);
    EXPECT_NEAR(others[genre], 1, 1e-5);
  }
  EXPECT_FALSE(model.similar_to_unseen({}, known));
}

TEST_F(UnseenItemsTest, WithoutMetadataGetTheScoreOfTheMean) {
  genres_[kKnown + 1].clear();
  for (size_t item = 3; item < kItems; item += 2) genres_[item].clear();  // of most it is missing
  train({table("GENRES", "item ", genres_), {}}, small(R"(,"epochs":2)"));
  std::vector<float> scores(2 * kGenres);
  const std::vector<ModelEvent> history = history_in(0);
  (**model_).score_unseen({history, state_after(**model_, history), {}}, unseen(), scores);
  for (const float score : scores) EXPECT_TRUE(std::isfinite(score));
  EXPECT_TRUE(unseen().of(1).empty());
  EXPECT_EQ(scores[1], scores[3]);
}

TEST_F(UnseenItemsTest, ArePlacedInAnUpdateToo) {
  const Metadata metadata{table("GENRES", "item ", genres_), {}};
  SilentProgress progress;
  auto fitted = hrnn_metadata_recipe().fit(TrainingView::everything(all_), small(R"(,"epochs":6)"),
                                           {.metadata = &metadata}, progress);
  ASSERT_TRUE(fitted.is_ok()) << fitted.status().message();
  all_.items.write(fitted->blob);
  const AlignedBlob blob(fitted->blob);
  const Vocabulary vocabulary = *Vocabulary::open(blob.view());
  const PreviousModel previous{blob.view(), &vocabulary,
                               all_.timestamp[all_.timestamp.size() * 9 / 10]};
  const TrainedModel updated(hrnn_metadata_recipe(), TrainingView::everything(all_),
                             small(R"(,"epochs":6)"),
                             {.previous = &previous, .metadata = &metadata});
  ASSERT_NE(updated.get(), nullptr);
  ASSERT_NE(updated->metadata(), nullptr);
  const auto columns = columns_of(updated->metadata()->items, metadata.items, "item 33");
  std::vector<float> known(kKnown);
  EXPECT_TRUE(updated->similar_to_unseen(columns, known));
  EXPECT_GE(share_of_genre(known, 33 % kGenres, 4), 0.75);
}

TEST_F(UnseenItemsTest, ComeOfTheSameBitsForAnyNumberOfThreads) {
  const Metadata metadata{table("GENRES", "item ", genres_), {}};
  const auto bytes = [&](int threads) {
    SilentProgress progress;
    const auto fitted =
        hrnn_metadata_recipe().fit(TrainingView::everything(all_), small(R"(,"epochs":2)"),
                                   {.threads = threads, .metadata = &metadata}, progress);
    return fitted.is_ok() ? fitted->blob.finish() : std::vector<std::byte>();
  };
  const auto one = bytes(1);
  EXPECT_FALSE(one.empty());
  EXPECT_TRUE(bytes(3) == one);
}

TEST(HrnnMetadata, IsHrnnWithoutMetadata) {
  const Sequences all = random_sequences(60, 30, 8, 3);
  SilentProgress progress;
  const auto plain =
      hrnn_recipe().fit(TrainingView::everything(all), small(R"(,"epochs":2)"), {}, progress);
  const auto told = hrnn_metadata_recipe().fit(TrainingView::everything(all),
                                               small(R"(,"epochs":2)"), {}, progress);
  ASSERT_TRUE(plain.is_ok() && told.is_ok());
  EXPECT_TRUE(plain->blob.finish() == told->blob.finish());
}

TEST(HrnnMetadata, BearsTenThousandValuesASampledSoftmaxAndAllAtOnce) {
  Sequences all = random_sequences(300, 500, 6, 3);
  add_random_contexts(all, 2);
  std::vector<std::string> values;
  for (size_t item = 0; item < 700; ++item) {
    std::string text = "rare " + std::to_string(item % 251);
    for (size_t v = 0; v < 40; ++v) text += "|value " + std::to_string((item * 40 + v) % 10'000);
    values.push_back(std::move(text));
  }
  const Metadata metadata{table("TAGS", "item ", values), random_users(all, 3)};
  for (const std::string softmax : {"full", "sampled"}) {
    const TrainedModel model(hrnn_metadata_recipe(), TrainingView::everything(all),
                             small(R"(,"epochs":1,"softmax":")" + softmax + "\""),
                             {.metadata = &metadata});
    ASSERT_NE(model.get(), nullptr);
    EXPECT_EQ(model->metadata()->items.size(), kMostColumns);
    EXPECT_GT(model->metadata()->users.size(), 0U);
    for (const float score : scores_after(*model, history_of(all, 1, all.start[2])))
      ASSERT_TRUE(std::isfinite(score));
  }
}

TEST(HrnnColdstart, TellsWhichItemsAreNewByItsHyperparameters) {
  const Sequences all = random_sequences(60, 30, 8, 3);
  const MetadataField fields[] = {{"CREATION_TIMESTAMP", FieldKind::kNumber}};
  Metadata metadata{MetadataTable(fields), {}};
  const FieldValue created = FieldValue::of(2e9);
  metadata.items.add("item 4", {&created, 1});
  const auto ages = [&](const Recipe& recipe, const std::string& json) {
    const TrainedModel model(
        recipe, TrainingView::everything(all),
        *Hyperparameters::parse(
            R"({"hidden_dimension":32,"embedding_dimension":16,"batch_size":4,"epochs":1)" + json +
                "}",
            recipe.hyperparameters()),
        {.metadata = &metadata});
    const ItemAges* found = model->item_ages();
    EXPECT_NE(found, nullptr);
    if (found == nullptr) return ItemAges();
    EXPECT_EQ(found->created[4], 2'000'000'000);
    float events = 0;
    int64_t first = std::numeric_limits<int64_t>::max();
    for (size_t e = 0; e < all.event_count(); ++e) {
      if (all.item[e] != 7) continue;
      ++events;
      first = std::min(first, all.timestamp[e]);
    }
    EXPECT_EQ(found->events[7], events);
    EXPECT_EQ(found->created[7], first);
    return ItemAges{
        {}, {}, found->newest_event, found->few_events, found->most_days, found->as_of_question};
  };
  const ItemAges plain = ages(hrnn_coldstart_recipe(), "");
  EXPECT_EQ(plain.few_events, 15);
  EXPECT_EQ(plain.most_days, 5);
  EXPECT_EQ(plain.newest_event, 2'000'000'000);
  EXPECT_FALSE(plain.as_of_question);
  const ItemAges other = ages(
      hrnn_coldstart_recipe(),
      R"(,"cold_start_max_interactions":3,"cold_start_max_duration":2.5,"cold_start_relative_from":"currentTime")");
  EXPECT_EQ(other.few_events, 3);
  EXPECT_EQ(other.most_days, 2.5);
  EXPECT_TRUE(other.as_of_question);
  const ItemAges campaign = ages(user_personalization_recipe(), "");
  EXPECT_EQ(campaign.most_days, 0);
  EXPECT_EQ(campaign.newest_event, *std::max_element(all.timestamp.begin(), all.timestamp.end()));
}

}  // namespace
}  // namespace personalize
