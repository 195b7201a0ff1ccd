#include "engine/store/recommendation_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/store/state_store.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

std::shared_ptr<RecommendationStore> open_lists(const TemporaryDirectory& directory,
                                                OpenMode mode = OpenMode::kReadWrite) {
  return RecommendationStore::open(directory.path(), mode, "");
}

using Items = std::vector<std::string>;

Items found(RecommendationStore& lists, std::string_view id) {
  Items items;
  if (!lists.find(id, items)) return {"not known"};
  return items;
}

TEST(RecommendationStore, GivesBackTheListThatWasRememberedUnderAnIdLast) {
  TemporaryDirectory scratch;
  const auto lists = open_lists(scratch);
  EXPECT_EQ(found(*lists, "RID-1"), Items{"not known"});
  lists->remember("RID-1", std::vector<std::string_view>{"a", "", "c"});
  lists->remember("RID-2", std::vector<std::string_view>{});
  EXPECT_EQ(found(*lists, "RID-1"), (Items{"a", "", "c"}));
  EXPECT_EQ(found(*lists, "RID-2"), Items());
  lists->remember("RID-1", std::vector<std::string_view>{"b"});
  EXPECT_EQ(found(*lists, "RID-1"), Items{"b"});
  EXPECT_EQ(found(*open_lists(scratch), "RID-1"), Items{"b"}) << "another one over the same file";
}

TEST(RecommendationStore, SharesItsFileWithTheStates) {
  TemporaryDirectory scratch;
  const auto states = StateStore::open(scratch.path(), OpenMode::kReadWrite, "");
  const StateKey key = StateKey::make(1, "u", 7);
  states->put(key, 1, 2, std::vector<float>{3});
  const auto lists = open_lists(scratch);
  lists->remember("RID-1", std::vector<std::string_view>{"a"});
  StoredState state;
  EXPECT_TRUE(states->get(key, state));
  EXPECT_TRUE(states->forget("u", 7, {}).is_ok());
  EXPECT_EQ(found(*lists, "RID-1"), Items{"a"});
}

// Ids that lie in one set, as doc/file_format.md says.
std::vector<std::string> ids_of_one_set(size_t count) {
  std::vector<std::string> ids;
  for (int i = 0; ids.size() < count; ++i) {
    const std::string id = "RID-" + std::to_string(i);
    if (XXH3_64bits(id.data(), id.size()) % 16'384 == 5) ids.push_back(id);
  }
  return ids;
}

TEST(RecommendationStore, DropsTheOldestListsOfASetThatIsFull) {
  TemporaryDirectory scratch;
  const auto lists = open_lists(scratch);
  const std::vector<std::string> ids = ids_of_one_set(12);
  for (const std::string& id : ids) lists->remember(id, std::vector<std::string_view>{id});
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(found(*lists, ids[i]), i < 4 ? Items{"not known"} : Items{ids[i]});

  // Of long lists there is room for two.
  const std::string item(1000, 'x');
  for (const std::string& id : ids) lists->remember(id, std::vector<std::string_view>(7, item));
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(found(*lists, ids[i]).size(), i < 10 ? 1u : 7u);
}

TEST(RecommendationStore, KeepsTheBeginningOfALongList) {
  TemporaryDirectory scratch;
  const auto lists = open_lists(scratch);
  const std::string item(1000, 'x');
  lists->remember("RID-1", std::vector<std::string_view>(50, item));
  const Items kept = found(*lists, "RID-1");
  EXPECT_EQ(kept.size(), 8u);  // of 1,004 bytes each
  EXPECT_EQ(kept.front(), item);
}

TEST(RecommendationStore, KeepsNothingUnderWhatIsNoId) {
  TemporaryDirectory scratch;
  const auto lists = open_lists(scratch);
  lists->remember("", std::vector<std::string_view>{"a"});
  lists->remember(std::string(41, 'r'), std::vector<std::string_view>{"a"});
  lists->remember(std::string(40, 'r'), std::vector<std::string_view>{"a"});
  EXPECT_EQ(found(*lists, ""), Items{"not known"});
  EXPECT_EQ(found(*lists, std::string(41, 'r')), Items{"not known"});
  EXPECT_EQ(found(*lists, std::string(40, 'r')), Items{"a"});
}

TEST(RecommendationStore, RemembersNothingWhenSwitchedOffOrReadOnly) {
  TemporaryDirectory scratch;
  const std::vector<std::string_view> items = {"a"};
  open_lists(scratch, OpenMode::kReadOnly)->remember("RID-1", items);
  setenv("PERSONALIZE_NO_STATE", "1", 1);
  open_lists(scratch)->remember("RID-1", items);
  unsetenv("PERSONALIZE_NO_STATE");
  struct stat status;
  EXPECT_NE(stat((scratch.path() + "/states.mdb").c_str(), &status), 0);
  EXPECT_EQ(found(*open_lists(scratch), "RID-1"), Items{"not known"});
}

}  // namespace
}  // namespace personalize
