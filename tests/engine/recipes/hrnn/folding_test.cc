// Many histories folded side by side, against one step after the other.
#include <gtest/gtest.h>

#include "engine/recipes/hrnn/hrnn.h"
#include "engine/serving/user_state.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/trained_model.h"

namespace personalize {
namespace {

class Folded : public testing::TestWithParam<const char*> {
 protected:
  Folded()
      : all_(random_sequences(70, 40, 12, 3)),
        model_(hrnn_recipe(), TrainingView::everything(all_),
               *Hyperparameters::parse(GetParam(), hrnn_recipe().hyperparameters())) {}
  // Users of all lengths; every third has an event of an item that nothing is known of.
  std::vector<std::vector<ModelEvent>> histories() const {
    std::vector<std::vector<ModelEvent>> histories;
    for (size_t user = 0; user < all_.user_count(); ++user) {
      histories.push_back(history_of(all_, user, all_.start[user + 1]));
      if (user % 3 == 0) histories.back()[histories.back().size() / 2].item = 41;
    }
    return histories;
  }

  const Sequences all_;
  const TrainedModel model_;
};

TEST_P(Folded, StatesAreThoseOfSteps) {
  const auto histories = this->histories();
  std::vector<std::vector<float>> states, wanted;
  std::vector<Folding> foldings;
  for (size_t user = 0; user < histories.size(); ++user) {
    wanted.push_back(state_after(*model_, histories[user]));
    const size_t first = std::min(histories[user].size(), user % 4 * 3);
    states.push_back(state_after(*model_, std::span(histories[user]).first(0)));
    for (size_t i = 0; i < first; ++i) model_->step(histories[user], i, states[user]);
  }
  for (size_t user = 0; user < histories.size(); ++user)
    foldings.push_back(
        {histories[user], std::min(histories[user].size(), user % 4 * 3), states[user]});
  model_->fold(foldings);
  EXPECT_EQ(states, wanted);
  model_->fold({});
}

// Also across events of unseen items of which nothing is known.
TEST_P(Folded, StatesOfManyEventsAreThoseOfOneAfterTheOther) {
  std::vector<ModelEvent> history;
  for (int i = 0; i < 100; ++i) history.push_back({.timestamp = i * i * 60, .item = i * 7 % 43});
  std::vector<float> stepped = state_after(*model_, std::span(history).first(0)), moved = stepped;
  size_t done = 0;
  for (size_t i = 0; i < history.size(); ++i) {
    model_->step(history, i, stepped);
    if (i % 45 != 3 && i + 1 != history.size()) continue;
    model_->advance(history, done, i + 1, moved);
    done = i + 1;
    EXPECT_EQ(moved, stepped) << i;
  }
}

TEST_P(Folded, StatesOfManyUsersAreThoseOfEach) {
  const auto histories = this->histories();
  UserState one;
  UserStates many;
  for (const size_t count : {histories.size(), size_t{1}, size_t{0}, size_t{29}}) {
    std::vector<UserStates::Asked> asked;
    for (size_t user = 0; user < count; ++user) asked.push_back({histories[user], {}});
    many.after(*model_, asked);
    for (size_t user = 0; user < count; ++user) {
      const std::span<const float> state = many.state(user),
                                   wanted = one.after(*model_, histories[user], {});
      EXPECT_TRUE(std::equal(state.begin(), state.end(), wanted.begin(), wanted.end())) << user;
    }
  }
}

// Sizes that are whole lines, and such as are not.
INSTANTIATE_TEST_SUITE_P(
    Sizes, Folded,
    testing::Values(R"({"epochs":1,"hidden_dimension":32})",
                    R"({"epochs":1,"hidden_dimension":128})",
                    R"({"epochs":1,"hidden_dimension":48,"embedding_dimension":19})",
                    R"({"epochs":1,"hidden_dimension":43,"embedding_dimension":25})"));

}  // namespace
}  // namespace personalize
