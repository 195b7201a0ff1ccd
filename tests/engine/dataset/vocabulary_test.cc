#include "engine/dataset/vocabulary.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace personalize {
namespace {

TEST(Vocabulary, NumbersIdsInOrderOfFirstSightAsAMapWould) {
  std::mt19937 random(1);
  VocabularyBuilder builder;
  std::map<std::string, ItemIndex> oracle;
  for (int i = 0; i < 20000; i++) {
    const std::string id = std::to_string(random() % 5000) + std::string(random() % 3, '\0');
    const auto [place, fresh] = oracle.emplace(id, static_cast<ItemIndex>(oracle.size()));
    ASSERT_EQ(builder.add(id), place->second);
  }
  ASSERT_EQ(builder.size(), oracle.size());
  EXPECT_EQ(builder.find("no such id"), kNoItem);

  BlobWriter writer;
  builder.write(writer);
  const std::vector<std::byte> bytes = writer.finish();
  std::vector<std::byte> room(bytes.size() + 64);
  void* place = room.data();
  size_t space = room.size();
  std::align(64, bytes.size(), place, space);
  std::memcpy(place, bytes.data(), bytes.size());
  const auto view = BlobView::parse({static_cast<const std::byte*>(place), bytes.size()});
  ASSERT_TRUE(view.is_ok()) << view.status().message();
  const auto stored = Vocabulary::open(*view);
  ASSERT_TRUE(stored.is_ok()) << stored.status().message();
  ASSERT_EQ(stored->size(), oracle.size());
  for (const auto& [id, index] : oracle) {
    ASSERT_EQ(stored->find(id), index);
    ASSERT_EQ(stored->id(index), id);
  }
  EXPECT_EQ(stored->find("no such id"), kNoItem);
}

}  // namespace
}  // namespace personalize
