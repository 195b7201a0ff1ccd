// Where a search for hyperparameters draws its trials from.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/recipes/recipe.h"
#include "engine/training/search_config.h"

namespace personalize {

// Names and values of hyperparameters, as Hyperparameters::resolve takes them.
using Settings = std::map<std::string, std::string>;

class SearchSpace {
 public:
  // `centre`: the values of the trial that all others are drawn around, "auto" resolved as far as
  // that is known. Both are copied.
  SearchSpace(std::span<const SearchRange> ranges, const Hyperparameters& centre, uint64_t seed);

  // The values of trial `number` (from 1), one for each range: a function of the seed alone. Trials
  // are spread evenly over the ranges (the additive recurrence of Roberts 2018, "The unreasonable
  // effectiveness of quasirandom sequences", with a random start), then drawn towards the centre:
  // in turn by three quarters of the way, by half of it, and not at all. For the centre is a good
  // place, and few trials find no better one among many hyperparameters at once. Ranges whose ends
  // differ by a factor of 100 or more are drawn from on a logarithmic scale. Numbers have four
  // digits.
  Settings draw(int number) const;

  // The first `count` different draws, none of which is the centre; fewer where the ranges have no
  // more.
  std::vector<Settings> draw_different(size_t count) const;

 private:
  struct Dimension {
    SearchRange range;
    std::string centre;  // as text
    double start = 0;    // of the recurrence
    double step = 0;
  };
  std::vector<Dimension> dimensions_;
};

}  // namespace personalize
