// Exploration: a share of each list of recommendations goes to new items, of which too little is
// known to rank them by what users did. How many is set beforehand, whatever their scores are, so
// that exposure and its price are known (doc/recipes.md):
//
//   p = 0.3 weight; of N places, m = floor(N p + u) are for new items, u uniform. New items that
//   are in the list by their own score count. The others are those with the highest
//   score + s_j g, g normal, s_j = s / sqrt(1 + impressions / 10); they take places drawn from
//   floor(N / 2) + 1 .. N, in the order of that value, and the last of the old items fall out.
//
// Every draw is a function of the campaign or model, the user, the number of his events and the
// item: the same snapshot gives the same list.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/ids.h"

namespace personalize {

// An item that has been shown so often is no longer new.
inline constexpr double kMostImpressions = 200;

// A candidate for exploration.
struct NewItem {
  ItemIndex item = kNoItem;
  uint64_t hash = 0;       // exploration_hash of its id: its number may change, its draw must not
  double impressions = 0;  // how often it was shown: 0 and more
};

// What the draws of one question depend on.
struct ExplorationDraw {
  double weight = 0.3;   // 0 .. 1
  double noise = 0;      // s
  uint64_t seed = 0;     // of the campaign or model
  uint64_t user = 0;     // exploration_hash of the user's id
  uint64_t request = 0;  // the number of the user's events
};

// Of a text id: the same on any machine.
uint64_t exploration_hash(std::string_view id);

struct ListedItem {
  ItemIndex item = kNoItem;
  bool explored = false;  // has its place from exploration, not by its score
};

// Gives new items their share of a list. Keeps its buffers from call to call. Used by one thread.
class Explorer {
 public:
  // Replaces items of `list`, the best items for the user in order. `fresh`: the new items that may
  // be in it, in ascending order of item; those shown kMostImpressions times and more are left out.
  // `scores`: one a fresh item; none: all are alike. What has no score is left out.
  // Afterwards the list has as many items as before, each once, and those that were not new in
  // their old order.
  void explore(const ExplorationDraw& draw, std::span<const NewItem> fresh,
               std::span<const float> scores, std::vector<ListedItem>& list);

 private:
  struct Candidate {
    double value;
    ItemIndex item;
  };
  std::vector<Candidate> candidates_;
  std::vector<ItemIndex> listed_;
  std::vector<size_t> places_;
  std::vector<ListedItem> mixed_;
};

}  // namespace personalize
