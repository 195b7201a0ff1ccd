#include "engine/serving/user_state.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/engine/serving/fakes.h"

namespace personalize {
namespace {

std::vector<ModelEvent> some_history(size_t events, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<ModelEvent> history;
  for (size_t i = 0; i < events; i++)
    history.push_back({static_cast<int64_t>(1000 + i), static_cast<ItemIndex>(random() % 30),
                       random() % 2 ? 1.0F : kNoValue});
  return history;
}

class UserStateTest : public testing::Test {
 protected:
  // What every answer must equal: folded from the first event, without any memo.
  std::vector<float> from_the_start(std::span<const ModelEvent> history) {
    const fakes::DecayModel model(30);
    std::vector<float> state(2);
    model.begin(state);
    for (size_t i = 0; i < history.size(); i++) model.step(history, i, state);
    return state;
  }
  void expect_right(std::span<const ModelEvent> history, size_t steps) {
    model_.steps = 0;
    const std::span<const float> state = user_state_.after(model_, history, memo_);
    EXPECT_EQ(std::vector<float>(state.begin(), state.end()), from_the_start(history));
    EXPECT_EQ(model_.steps, steps);
  }

  fakes::MapStateStore store_;
  UserMemo memo_ = {&store_, {42, {7, 8}}};
  fakes::DecayModel model_{30};
  UserState user_state_;
  std::vector<ModelEvent> history_ = some_history(20);
};

TEST_F(UserStateTest, FoldsOnlyWhatCameSinceTheMemo) {
  expect_right(std::span(history_).first(10), 10);
  EXPECT_EQ(store_.writes, 1);
  expect_right(std::span(history_).first(10), 0);
  expect_right(std::span(history_).first(12), 2);
  EXPECT_EQ(store_.writes, 1) << "two events are cheaper to fold again than to write";
  expect_right(std::span(history_).first(14), 4);
  EXPECT_EQ(store_.writes, 2);
  expect_right(history_, 6);
}

TEST_F(UserStateTest, FoldsFromTheStartForLateChangedAndDeletedEvents) {
  expect_right(history_, 20);
  std::vector<ModelEvent> late = history_;
  late.insert(late.begin() + 3, {1002, 5, kNoValue});
  expect_right(late, 21);
  std::vector<ModelEvent> changed = late;
  changed[4].item = (changed[4].item + 1) % 30;
  expect_right(changed, 21);
  changed[4].value = 3;
  expect_right(changed, 21);
  changed.erase(changed.begin() + 7);
  expect_right(changed, 20);
  expect_right({}, 0);
  expect_right(changed, 0);
}

TEST_F(UserStateTest, AnOlderSnapshotIsNotAnsweredFromANewerMemo) {
  expect_right(history_, 20);
  expect_right(std::span(history_).first(15), 15);
}

TEST_F(UserStateTest, IgnoresAMemoOfAnotherShape) {
  expect_right(history_, 20);
  for (auto& [key, state] : store_.states) state.state.push_back(0);
  expect_right(history_, 20);
  for (auto& [key, state] : store_.states) state.event_count = 1'000'000;
  expect_right(history_, 20);
}

TEST_F(UserStateTest, IsTheSameWithoutAMemo) {
  memo_.store = nullptr;
  expect_right(history_, 20);
  expect_right(history_, 20);
}

TEST_F(UserStateTest, RandomHistoriesThatGrowShrinkAndChangeAreAlwaysRight) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; i++) {
    switch (random() % 4) {
      case 0:
        if (!history_.empty()) history_.resize(random() % history_.size());
        break;
      case 1:
        if (!history_.empty()) history_[random() % history_.size()].timestamp++;
        break;
      default:
        for (const ModelEvent& event : some_history(random() % 9, static_cast<uint32_t>(i)))
          history_.push_back(event);
    }
    const std::span<const float> state = user_state_.after(model_, history_, memo_);
    ASSERT_EQ(std::vector<float>(state.begin(), state.end()), from_the_start(history_));
  }
}

}  // namespace
}  // namespace personalize
