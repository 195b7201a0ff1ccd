// Contexts and users' metadata for random sequences, drawn by a seed: some events and users have
// none.
#pragma once

#include <string>
#include <vector>

#include "engine/dataset/side_columns.h"
#include "engine/math/random.h"

namespace personalize {

// Gives the events of `all` contexts of two fields.
inline void add_random_contexts(Sequences& all, uint64_t seed) {
  const MetadataField fields[] = {{"DEVICE", FieldKind::kCategorical},
                                  {"PLACE", FieldKind::kCategorical}};
  all.contexts = Contexts(fields);
  Random random(seed, 11);
  const std::string names[] = {"a", "b", "c"};
  for (size_t e = 0; e < all.event_count(); ++e) {
    FieldValue values[2];
    for (FieldValue& value : values)
      if (random.below(4) > 0) value = FieldValue::of(names[random.below(3)]);
    all.context.push_back(all.contexts.add(values));
  }
}

inline MetadataTable random_users(const Sequences& all, uint64_t seed) {
  const MetadataField fields[] = {{"GROUP", FieldKind::kCategorical}};
  MetadataTable users(fields);
  Random random(seed, 12);
  const std::string names[] = {"x|y", "x", "y"};
  for (const std::string& user : all.users)
    if (random.below(5) > 0) {
      const FieldValue value = FieldValue::of(names[random.below(3)]);
      users.add(user, {&value, 1});
    }
  return users;
}

// The columns of both, learned from them.
inline SideColumns side_columns_of(const Sequences& all, const MetadataTable& users) {
  return SideColumns(all, users, MetadataEncoder::learn(all.contexts),
                     MetadataEncoder::learn(users));
}

}  // namespace personalize
