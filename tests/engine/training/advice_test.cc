#include "engine/training/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/testing/random_events.h"

namespace personalize {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

constexpr int64_t kNow = 1'700'000'000;

std::vector<std::string> advice(VectorSource source, TieOrder tie_order = TieOrder::kArrival) {
  return training_advice(*read_sequences(source, {}, tie_order, 1), kNow);
}

TEST(Advice, IsSilentAboutGoodData) {
  EXPECT_THAT(advice(random_events(1, 100, 50, 60)), IsEmpty());
}

TEST(Advice, NamesAmazonsFloor) {
  VectorSource source({{"a", "x", 1}, {"a", "y", 2}, {"b", "x", 3}});
  EXPECT_THAT(advice(source),
              ElementsAre("there are 3 interactions and 1 users with 2 or more; expect little of a "
                          "model below 1000 interactions and 25 such users (Amazon Personalize "
                          "would refuse)"));
}

TEST(Advice, RecognisesMillisecondsAndTheFuture) {
  VectorSource milliseconds = random_events(1, 100, 50, 60);
  milliseconds.add({"user 1", "item 1", 1'600'000'000'123});
  EXPECT_THAT(advice(milliseconds),
              ElementsAre("1 timestamps are above 100000000000, such as 1600000000123: they look "
                          "like milliseconds; TIMESTAMP is in Unix seconds, so divide by 1000"));
  VectorSource future = random_events(1, 100, 50, 60);
  future.add({"user 1", "item 1", 1'900'000'000});
  EXPECT_THAT(advice(future),
              ElementsAre("1 timestamps lie in the future, the latest is 1900000000; TIMESTAMP is "
                          "in Unix seconds, and now is 1700000000"));
}

TEST(Advice, SaysThatTiesWereShuffled) {
  EXPECT_THAT(advice(random_events(1, 100, 50, 60), TieOrder::kShuffled),
              ElementsAre(StartsWith("ties shuffled: ")));
}

TEST(Advice, SaysWhatLeftNothingToLearnFrom) {
  Solution solution;
  solution.name = "movies";
  VectorSource empty;
  EXPECT_EQ(
      check_enough_to_train(*read_sequences(empty, {}, TieOrder::kAuto, 1), solution).message(),
      "dataset group 'default' has 0 interactions; training needs at least 1, and 1000 from "
      "25 users to be worth anything");
  VectorSource source({{"a", "x", 1, "view"}, {"b", "x", 1, "view"}});
  solution.filter = {"click", 3.5, true};
  EXPECT_EQ(
      check_enough_to_train(*read_sequences(source, solution.filter, TieOrder::kAuto, 1), solution)
          .message(),
      "none of the 2 interactions of dataset group 'default' has event_type 'click' and an "
      "event_value of 3.5 or more, as solution 'movies' asks for; training needs at least 1");
  solution.filter = {};
  EXPECT_TRUE(
      check_enough_to_train(*read_sequences(source, {}, TieOrder::kAuto, 1), solution).is_ok());
}

}  // namespace
}  // namespace personalize
