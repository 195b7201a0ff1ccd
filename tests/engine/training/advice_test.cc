#include "engine/training/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/testing/random_events.h"

namespace personalize {
namespace {

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
