#include "engine/training/search_space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace personalize {
namespace {

using Kind = SearchRange::Kind;

SearchRange integers(std::string name, double minimum, double maximum) {
  return {std::move(name), Kind::kInteger, minimum, maximum, {}};
}
SearchRange numbers(std::string name, double minimum, double maximum) {
  return {std::move(name), Kind::kContinuous, minimum, maximum, {}};
}

Hyperparameters centre(const Settings& settings) {
  Hyperparameters result;
  for (const auto& [name, text] : settings) result.resolve(name, text);
  return result;
}

TEST(SearchSpace, DrawsValuesOfItsRangesOnly) {
  const std::vector<SearchRange> ranges = {integers("width", 32, 256),
                                           numbers("rate", 1e-5, 0.1),
                                           numbers("dropout", 0, 0.9),
                                           {"mask", Kind::kCategorical, 0, 0, {"true", "false"}},
                                           numbers("fixed", 0.3, 0.3)};
  for (uint64_t seed = 0; seed < 20; seed++) {
    const SearchSpace space(
        ranges,
        centre({{"width", "128"}, {"rate", "0.008"}, {"dropout", "0.25"}, {"mask", "true"}}), seed);
    for (int number = 1; number <= 40; number++) {
      const Settings settings = space.draw(number);
      ASSERT_EQ(settings.size(), ranges.size());
      const double width = std::stod(settings.at("width"));
      EXPECT_EQ(width, std::floor(width));
      EXPECT_TRUE(width >= 32 && width <= 256);
      const double rate = std::stod(settings.at("rate"));
      EXPECT_TRUE(rate >= 1e-5 && rate <= 0.1) << rate;
      EXPECT_LE(std::stod(settings.at("dropout")), 0.9);
      EXPECT_TRUE(settings.at("mask") == "true" || settings.at("mask") == "false");
      EXPECT_EQ(settings.at("fixed"), "0.3");
    }
  }
}

TEST(SearchSpace, GoesAQuarterAHalfAndTheWholeWayFromTheCentreInTurn) {
  const std::vector<SearchRange> ranges = {numbers("x", 0, 1)};
  for (uint64_t seed = 0; seed < 20; seed++) {
    const SearchSpace space(ranges, centre({{"x", "0.4"}}), seed);
    double furthest[3] = {};
    for (int number = 1; number <= 60; number++) {
      double& most = furthest[(number - 1) % 3];
      most = std::max(most, std::abs(std::stod(space.draw(number).at("x")) - 0.4));
    }
    EXPECT_LE(furthest[0], 0.1501);
    EXPECT_LE(furthest[1], 0.3001);
    EXPECT_GT(furthest[2], 0.5);
  }
}

TEST(SearchSpace, SpreadsDrawsOverAllOfWideRangesByTheirLogarithm) {
  const std::vector<SearchRange> ranges = {numbers("rate", 1e-4, 1)};
  const SearchSpace space(ranges, centre({{"rate", "auto"}}), 3);  // no centre to draw towards
  int in_decade[4] = {};
  for (int number = 1; number <= 40; number++) {
    const double rate = std::stod(space.draw(number).at("rate"));
    in_decade[std::min(3, static_cast<int>(std::floor(std::log10(rate) + 4)))]++;
  }
  for (const int count : in_decade) EXPECT_NEAR(count, 10, 2);
}

TEST(SearchSpace, CoversTwoDimensionsEvenly) {
  const std::vector<SearchRange> ranges = {numbers("x", 0, 1), numbers("y", 0, 1)};
  const SearchSpace space(ranges, centre({}), 9);
  std::set<int> cells;  // of a grid of 3 x 3
  for (int number = 1; number <= 18; number++) {
    const Settings settings = space.draw(number);
    cells.insert(std::min(2, static_cast<int>(3 * std::stod(settings.at("x")))) * 3 +
                 std::min(2, static_cast<int>(3 * std::stod(settings.at("y")))));
  }
  EXPECT_EQ(cells.size(), 9U);
}

TEST(SearchSpace, IsAFunctionOfTheSeed) {
  const std::vector<SearchRange> ranges = {numbers("x", 0, 1), integers("n", 1, 50)};
  const SearchSpace one(ranges, centre({}), 1), same(ranges, centre({}), 1),
      other(ranges, centre({}), 2);
  EXPECT_EQ(one.draw(5), same.draw(5));
  EXPECT_NE(one.draw(5), other.draw(5));
}

TEST(SearchSpace, GivesNoTrialTwiceAndTheCentreNever) {
  const std::vector<SearchRange> ranges = {integers("n", 1, 3),
                                           {"mask", Kind::kCategorical, 0, 0, {"true", "false"}}};
  const SearchSpace space(ranges, centre({{"n", "2"}, {"mask", "true"}}), 4);
  const std::vector<Settings> draws = space.draw_different(20);
  EXPECT_EQ(std::set<Settings>(draws.begin(), draws.end()).size(), draws.size());
  EXPECT_EQ(draws.size(), 5U) << "3 x 2 without the centre";
  EXPECT_EQ(std::count(draws.begin(), draws.end(), Settings{{"n", "2"}, {"mask", "true"}}), 0);
  EXPECT_EQ(space.draw_different(3).size(), 3U);
}

}  // namespace
}  // namespace personalize
