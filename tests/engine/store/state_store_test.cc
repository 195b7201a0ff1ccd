#include "engine/store/state_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr uint64_t kSecret = 0x5ec7e7;

std::shared_ptr<StateStore> open_states(const TemporaryDirectory& directory,
                                        OpenMode mode = OpenMode::kReadWrite) {
  return StateStore::open(directory.path(), mode, "");
}

TEST(StateStore, GivesBackTheNewestState) {
  TemporaryDirectory scratch;
  const auto states = open_states(scratch);
  ASSERT_TRUE(states->enabled());
  const StateKey key = StateKey::make(1, "user 42", kSecret);
  StoredState found;
  EXPECT_FALSE(states->get(key, found));
  states->put(key, 3, 33, std::vector<float>{1, 2, 3});
  states->put(key, 4, 44, std::vector<float>{4, 5, 6});
  ASSERT_TRUE(states->get(key, found));
  EXPECT_EQ(found.event_count, 4u);
  EXPECT_EQ(found.chain_hash, 44u);
  EXPECT_EQ(found.state, (std::vector<float>{4, 5, 6}));
  EXPECT_FALSE(states->get(StateKey::make(2, "user 42", kSecret), found));
  EXPECT_FALSE(states->get(StateKey::make(1, "user 43", kSecret), found));
  EXPECT_FALSE(states->get(StateKey::make(1, "user 42", kSecret + 1), found));
}

TEST(StateStore, RemembersAfterItWasClosed) {
  TemporaryDirectory scratch;
  const StateKey key = StateKey::make(1, "user", kSecret);
  open_states(scratch)->put(key, 3, 33, std::vector<float>{1, 2, 3});
  StoredState found;
  EXPECT_TRUE(open_states(scratch)->get(key, found));
}

TEST(StateStore, ForgetsAUserAndNobodyElse) {
  TemporaryDirectory scratch;
  const auto states = open_states(scratch);
  for (const uint64_t model : {1, 2, 3})
    for (const char* user : {"a", "b"})
      states->put(StateKey::make(model, user, kSecret), 1, 1, std::vector<float>{1});
  const auto knows = [&](uint64_t model, const char* user) {
    StoredState found;
    return states->get(StateKey::make(model, user, kSecret), found);
  };
  EXPECT_TRUE(states->forget("a", kSecret, std::vector<uint64_t>{2}).is_ok());
  EXPECT_TRUE(knows(1, "a"));
  EXPECT_FALSE(knows(2, "a"));
  EXPECT_TRUE(states->forget("a", kSecret, {}).is_ok());
  EXPECT_FALSE(knows(1, "a"));
  EXPECT_FALSE(knows(3, "a"));
  for (const uint64_t model : {1, 2, 3}) EXPECT_TRUE(knows(model, "b"));
}

TEST(StateStore, RemembersNothingWhenSwitchedOffOrReadOnly) {
  TemporaryDirectory scratch;
  EXPECT_FALSE(open_states(scratch, OpenMode::kReadOnly)->enabled());
  EXPECT_FALSE(StateStore::open(scratch / "missing", OpenMode::kReadWrite, "")->enabled());
  setenv("PERSONALIZE_NO_STATE", "1", 1);
  const auto states = open_states(scratch);
  unsetenv("PERSONALIZE_NO_STATE");
  const StateKey key = StateKey::make(1, "user", kSecret);
  states->put(key, 1, 1, std::vector<float>{1});
  StoredState found;
  EXPECT_FALSE(states->get(key, found));
  EXPECT_FALSE(states->enabled());
}

TEST(StateStore, StartsAnewWhenItsFileWasRemoved) {
  TemporaryDirectory scratch;
  const auto states = open_states(scratch);
  const StateKey key = StateKey::make(1, "user", kSecret);
  states->put(key, 1, 1, std::vector<float>{1});
  ASSERT_EQ(unlink((scratch / "states.mdb").c_str()), 0);
  StoredState found;
  EXPECT_FALSE(states->get(key, found));
  states->put(key, 2, 2, std::vector<float>{2});
  ASSERT_TRUE(states->get(key, found));
  EXPECT_EQ(found.event_count, 2u);
}

TEST(StateStore, OpensALargeFileOnlyOnceItWasMissedOften) {
  TemporaryDirectory scratch;
  const StateKey key = StateKey::make(1, "user", kSecret);
  {
    const auto states = open_states(scratch);
    for (uint64_t model = 1; model <= 3000; model++)
      states->put(StateKey::make(model, "user", kSecret), 1, 1, std::vector<float>(700, 1.5F));
  }
  struct stat file;
  ASSERT_EQ(stat((scratch / "states.mdb").c_str(), &file), 0);
  ASSERT_GT(file.st_size, 8 << 20);
  StoredState found;
  const auto states = open_states(scratch);
  int missed = 0;
  while (missed < 1000 && !states->get(key, found)) missed++;
  EXPECT_EQ(missed, (file.st_size - (4 << 20) + (256 << 10) - 1) / (256 << 10));
  // Another connection of the process has nothing to wait for.
  EXPECT_TRUE(open_states(scratch)->get(key, found));
}

TEST(StateStore, ForgetsAUserInALargeFileThatWasNotWorthOpening) {
  TemporaryDirectory scratch;
  const StateKey key = StateKey::make(2, "user", kSecret);
  for (uint64_t model = 1; model <= 2500; model++)
    open_states(scratch)->put(StateKey::make(model, "user", kSecret), 1, 1,
                              std::vector<float>(700, 1.5F));
  const auto states = open_states(scratch);
  StoredState found;
  EXPECT_FALSE(states->get(key, found));
  EXPECT_TRUE(states->forget("user", kSecret, {}).is_ok());
  EXPECT_FALSE(states->get(key, found));
}

TEST(StateStore, NeverGivesAStateThatIsNoNumber) {
  TemporaryDirectory scratch;
  const auto states = open_states(scratch);
  const StateKey key = StateKey::make(1, "user", kSecret);
  states->put(key, 1, 1, std::vector<float>{1, NAN});
  StoredState found;
  EXPECT_FALSE(states->get(key, found));
}

TEST(StateStore, AgreesWithAMapUnderManyThreads) {
  TemporaryDirectory scratch;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; thread++)
    threads.emplace_back([&scratch, thread] {
      const auto states = open_states(scratch);
      std::mt19937 random(thread);
      std::map<uint64_t, uint64_t> last;  // of this thread's own models: what may be found
      StoredState found;
      for (int i = 0; i < 2000; i++) {
        const uint64_t model = thread * 1000 + random() % 50;
        const StateKey key = StateKey::make(model, "user", kSecret);
        if (random() % 2 == 0) {
          const std::vector<float> state(random() % 200, static_cast<float>(i));
          states->put(key, i, state.size(), state);
          // Another writer may have been in the way; then the older state stays.
          ASSERT_TRUE(!states->get(key, found) || found.event_count == uint64_t(i) ||
                      found.event_count == last[model]);
          last[model] = found.event_count;
        } else if (states->get(key, found)) {
          ASSERT_EQ(found.event_count, last[model]);
          ASSERT_EQ(found.state.size(), found.chain_hash);
          for (const float value : found.state) ASSERT_EQ(value, float(found.event_count));
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace personalize
