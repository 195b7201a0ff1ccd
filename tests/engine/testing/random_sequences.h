// Made-up histories with something to learn in them, for tests of recipes.
#pragma once

#include <string>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/math/random.h"

namespace personalize {

// `users` users with 1 to 2 * mean_length - 1 events of `items` items each. Every item has two
// favoured followers, taken two times in three; otherwise an item is drawn, small numbers more
// often. Values are 1 to 5, gaps between events mostly short, now and then a day.
inline Sequences random_sequences(size_t users, size_t items, size_t mean_length, uint64_t seed) {
  Sequences all;
  for (size_t item = 0; item < items; ++item) all.items.add("item " + std::to_string(item));
  Random random(seed, 1);
  all.start.push_back(0);
  for (size_t user = 0; user < users; ++user) {
    all.users.push_back("user " + std::to_string(user));
    const size_t length = 1 + random.below(2 * mean_length - 1);
    int64_t time = 1'000'000'000 + static_cast<int64_t>(random.below(10'000'000));
    size_t item = random.below(items);
    for (size_t e = 0; e < length; ++e) {
      const uint64_t choice = random.below(3);
      if (choice < 2)
        item = (item * 7 + 3 + choice) % items;
      else
        item = random.below(1 + random.below(items));
      time += static_cast<int64_t>(random.below(20) == 0 ? 86'400 : random.below(300));
      all.item.push_back(static_cast<ItemIndex>(item));
      all.timestamp.push_back(time);
      all.value.push_back(static_cast<float>(1 + random.below(5)));
    }
    all.start.push_back(static_cast<int64_t>(all.item.size()));
  }
  return all;
}

}  // namespace personalize
