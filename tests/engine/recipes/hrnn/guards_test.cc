// Data and hyperparameters at the ends of what there can be: a sound model comes of them, or a
// sentence that says what would be right.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/recipes/hrnn/hrnn.h"
#include "tests/engine/testing/known_processes.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

constexpr int64_t kFirstTime = std::numeric_limits<int64_t>::min();
constexpr int64_t kLastTime = std::numeric_limits<int64_t>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Hyperparameters small() {
  return *Hyperparameters::parse(
      R"({"hidden_dimension":32,"embedding_dimension":16,"batch_size":4,"epochs":3})",
      hrnn_recipe().hyperparameters());
}

void expect_sound_scores(const Model& model, std::span<const ModelEvent> history) {
  for (const float score : scores_after(model, history)) ASSERT_TRUE(std::isfinite(score));
}

// A model of `all` whose scores are numbers after every user's history, and after events at the
// ends of time and value.
void expect_sound_model(const Sequences& all, const Hyperparameters& hyperparameters) {
  const TrainedModel model(hrnn_recipe(), TrainingView::everything(all), hyperparameters);
  ASSERT_NE(model.get(), nullptr);
  const size_t users = std::min<size_t>(50, all.user_count());
  for (size_t user = 0; user < users; ++user)
    expect_sound_scores(*model, history_of(all, user, all.start[user + 1]));
  std::vector<ModelEvent> history;
  for (const int64_t time : {kFirstTime, int64_t{0}, kLastTime})
    for (const float value : {-kInfinity, -1e38F, 0.0F, 1e38F, kInfinity, kNoValue}) {
      history.push_back({time, static_cast<ItemIndex>(history.size() % all.item_count()), value});
      expect_sound_scores(*model, history);
    }
}

TEST(HrnnGuards, HoldAtTheEndsOfTimeAndOfEventValues) {
  Sequences ends_of_time = random_sequences(60, 30, 8, 3);
  for (size_t user = 0; user < ends_of_time.user_count(); ++user)
    for (int64_t e = ends_of_time.start[user]; e < ends_of_time.start[user + 1]; ++e)
      ends_of_time.timestamp[static_cast<size_t>(e)] =
          2 * (e - ends_of_time.start[user]) < ends_of_time.start[user + 1] - e ? kFirstTime
                                                                                : kLastTime;
  expect_sound_model(ends_of_time, small());

  Sequences one_moment = random_sequences(60, 30, 8, 3);
  std::fill(one_moment.timestamp.begin(), one_moment.timestamp.end(), 0);
  expect_sound_model(one_moment, small());

  Sequences values = random_sequences(60, 30, 8, 3);
  const float wild[] = {1e38F, -1e38F, kInfinity, -kInfinity, kNoValue, 1e-38F};
  for (size_t e = 0; e < values.event_count(); ++e) values.value[e] = wild[e * 7 % 6];
  expect_sound_model(values, small());
}

TEST(HrnnGuards, HoldWhereThereIsNothingToTellApart) {
  for (const size_t items : {1, 2}) expect_sound_model(random_sequences(80, items, 6, 4), small());
  SequencesWriter writer(3);
  for (int user = 0; user < 70; ++user) {  // enough for a calibration
    for (int e = 0; e < 5; ++e) writer.event(1, kProcessStart);
    writer.end_user();
  }
  expect_sound_model(writer.finish(), small());
}

TEST(HrnnGuards, HoldForAHistoryOfAHundredThousandEvents) {
  SequencesWriter writer(20);
  Random random(6, 0);
  for (int e = 0; e < 100'000; ++e)
    writer.event(random.below(20), kProcessStart + static_cast<int64_t>(e) * 60);
  writer.end_user();
  for (int user = 0; user < 10; ++user) {
    for (int e = 0; e < 4; ++e) writer.event(random.below(20), kProcessStart);
    writer.end_user();
  }
  Hyperparameters hyperparameters = small();
  hyperparameters.resolve("epochs", 1);
  expect_sound_model(writer.finish(), hyperparameters);
}

TEST(HrnnGuards, MakeASoundModelOfEveryProcessAtTheHighestRateThereIs) {
  Hyperparameters hyperparameters = small();
  hyperparameters.resolve("learning_rate", 0.1);
  hyperparameters.resolve("epochs", 20);
  expect_sound_model(AlwaysAgainProcess(20).histories(100, 30, 1), hyperparameters);
  expect_sound_model(NeverAgainProcess(60).histories(100, 30, 1), hyperparameters);
  expect_sound_model(MarkovProcess(20, 1).histories(100, 30, 1), hyperparameters);
}

TEST(HrnnGuards, SayWhichRateWouldDoWhereNoModelComesOfTheOneAsked) {
  const Sequences all = random_sequences(100, 60, 15, 2);
  for (const double rate : {1e7, 1e15, 1e30, 1e38}) {  // out of the range that SQL takes
    Hyperparameters hyperparameters = small();
    hyperparameters.resolve("learning_rate", rate);
    SilentProgress progress;
    const auto fitted =
        hrnn_recipe().fit(TrainingView::everything(all), hyperparameters, {}, progress);
    ASSERT_FALSE(fitted.is_ok()) << rate;
    EXPECT_EQ(fitted.status().code(), StatusCode::kInvalidInput);
    const std::string& message = fitted.status().message();
    EXPECT_TRUE(message.starts_with("the network's numbers grew beyond bounds with learning_rate "))
        << message;
    EXPECT_TRUE(message.ends_with(
        ", and with a half and a quarter of it; try a smaller one, for instance 0.008"))
        << message;
    ASSERT_EQ(progress.notes.size(), 2U);
    EXPECT_TRUE(progress.notes[0].starts_with(
        "the network's numbers grew beyond bounds: again with learning_rate "))
        << progress.notes[0];
  }
}

}  // namespace
}  // namespace personalize
