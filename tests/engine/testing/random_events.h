// Random interactions with some of the structure of real ones, for tests: popular and rare items,
// short and long histories, ties, and items that tend to follow one another.
#pragma once

#include <random>
#include <string>

#include "tests/engine/testing/vector_source.h"

namespace personalize {

// Each user gets 1 .. longest events; after item i, item i + 1 comes next half of the time.
inline VectorSource random_events(unsigned seed, int users, int items, int longest) {
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto popular_item = [&] { return std::min(below(items), below(items)); };
  VectorSource source;
  for (int user = 0; user < users; user++) {
    int item = popular_item();
    int64_t time = 1'600'000'000 + below(1'000'000);
    for (int i = 1 + below(longest); i > 0; i--) {
      source.add({"user " + std::to_string(user), "item " + std::to_string(item), time});
      item = below(2) == 0 ? (item + 1) % items : popular_item();
      time += below(3) * 100;
    }
  }
  return source;
}

}  // namespace personalize
