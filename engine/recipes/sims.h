// sims: items that the same users had. Answers similar_items; asked about a user, it sums the
// similarities to what he had.
#pragma once

#include "engine/recipes/recipe.h"

namespace personalize {

// With c(i) the number of distinct users of item i, c(i, j) of both, and p the
// popularity_discount_factor,
//
//     similarity(i -> j) = c(i, j) / (c(i)^(1 - p / 2) * c(j)^(p / 2)),   0 .. 1.
//
// p = 1 is the cosine of co-occurrence, correlation alone; p = 0 is the share of i's users who have
// j too, which puts popular items first. Only users and items within the percentile ranges count
// (their counts are taken among the kept users), only pairs with c(i, j) >=
// min_cointeraction_count, and of each item's only the 500 most similar ones are kept (Amazon's
// largest numResults).
//
// similar(): items without a kept similarity follow after all others, popular ones first, with
// scores below the least similarity kept anywhere; so a set of candidates is always ranked whole.
// An item that has no kept similarity at all is one too little is known about.
//
// score(): the sum of the similarities from each distinct item of the history, which can exceed 1;
// items without any follow in the same way.
const Recipe& sims_recipe();

}  // namespace personalize
