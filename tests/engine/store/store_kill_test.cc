// kill -9 in the middle of whatever a store does: what was reported as committed is there, nothing
// half is, and the next opening needs no repair.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <vector>

#include "engine/store/model_store.h"
#include "engine/store/state_store.h"
#include "engine/store/store_check.h"
#include "tests/engine/store/forked.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr const char* kUuid = "0f6e8a12-0000-4000-8000-000000000001";
constexpr int kKept = 10;  // versions

// The model of version `number`, of 1 to 120,000 bytes.
std::string model_of(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  return std::string(1 + random() % 120'000, static_cast<char>(random()));
}

Status write_version(ModelStore& store, int number) {
  return store.write([&](StoreWriter& writer) {
    const std::string key = version_key("movies", number),
                      old = version_key("movies", number - kKept);
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kOther, key, std::to_string(number)));
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kModel, key, model_of(number)));
    PERSONALIZE_RETURN_IF_ERROR(writer.erase(StoreKind::kOther, old));
    return writer.erase(StoreKind::kModel, old);
  });
}

// Writes versions from `first` on, reporting each to `report`, and before them `first` - 1, until
// it is killed.
[[noreturn]] void write_for_ever(const std::string& directory, int first, int report) {
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kCreate, "");
  const auto states = StateStore::open(directory, OpenMode::kReadWrite, "");
  if (!store.is_ok()) _exit(1);
  const int ready = first - 1;
  if (write(report, &ready, sizeof ready) != sizeof ready) _exit(3);
  for (int number = first;; number++) {
    if (!write_version(**store, number).is_ok()) _exit(2);
    if (write(report, &number, sizeof number) != sizeof number) _exit(3);
    states->put(StateKey::make(1, fmt::format("{}", number % 100), 1), number, number,
                std::vector<float>(number % 300, 1));
  }
}

// Kills a writer `delay` after it has reported `awaited` versions and gives the last one that it
// reported, or `first` - 1.
int kill_a_writer(const std::string& directory, int first, int awaited,
                  std::chrono::microseconds delay) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) write_for_ever(directory, first, ends[1]);
  close(ends[1]);
  int last = first - 1;
  for (int ready = 0; ready <= awaited; ready++)
    EXPECT_EQ(read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  usleep(static_cast<useconds_t>(delay.count()));
  kill(child, SIGKILL);
  for (int number; read(ends[0], &number, sizeof number) == sizeof number;) last = number;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer failed: " << WEXITSTATUS(status);
  return last;
}

TEST(StoreKill, LosesNothingThatWasCommittedAndKeepsNothingHalf) {
  TemporaryDirectory scratch(TemporaryDirectory::Place::kMemory);
  std::mt19937 random(3);
  int last = 0, committed_unreported = 0;
  for (int round = 0; round < 60; round++) {
    const auto delay = std::chrono::microseconds(random() % 5'000);
    const int reported = kill_a_writer(scratch.path(), last + 1, round % 4, delay);
    const auto findings = check_store(scratch.path());
    ASSERT_TRUE(findings.is_ok());
    ASSERT_TRUE(findings->empty()) << round << ": " << (*findings)[0].problem;
    const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kCreate, "");
    ASSERT_TRUE(store.is_ok()) << round << ": " << store.status().message();
    const auto versions = (*store)->list(StoreKind::kOther, version_prefix("movies"));
    ASSERT_TRUE(versions.is_ok());
    const int newest = versions->empty() ? 0 : std::stoi(versions->back().second);
    // It may have been killed between the commit and the report.
    ASSERT_TRUE(newest == reported || newest == reported + 1) << newest << " " << reported;
    committed_unreported += newest != reported;
    ASSERT_EQ(versions->size(), static_cast<size_t>(std::min(newest, kKept)));
    ASSERT_EQ((*store)->list(StoreKind::kModel, "")->size(), versions->size());
    for (const auto& [key, number] : *versions) {
      const auto model = (*store)->get(StoreKind::kModel, key);
      ASSERT_TRUE(model.is_ok()) << model.status().message();
      ASSERT_EQ(*model, model_of(std::stoi(number)));
    }
    last = newest;
  }
  EXPECT_GE(last, 60 / 4 * (0 + 1 + 2 + 3));
  RecordProperty("committed_unreported", committed_unreported);
}

TEST(StoreKill, AStoreThatWasBeingMadeIsMadeByTheNext) {
  std::mt19937 random(4);
  for (int round = 0; round < 60; round++) {
    TemporaryDirectory scratch(TemporaryDirectory::Place::kMemory);
    const std::string directory = scratch / "db.personalize";
    kill_a_writer(directory, 1, 0, std::chrono::microseconds(random() % 3000));
    const auto store = ModelStore::open(directory, kUuid, OpenMode::kCreate, "");
    ASSERT_TRUE(store.is_ok()) << round << ": " << store.status().message();
    ASSERT_TRUE(check_store(directory)->empty());
    ASSERT_TRUE(StateStore::open(directory, OpenMode::kReadWrite, "")->enabled());
  }
}

TEST(StoreKill, ProcessesThatCountTogetherLoseNoCount) {
  TemporaryDirectory scratch(TemporaryDirectory::Place::kMemory);
  constexpr int kCounts = 200, kProcesses = 3;
  const auto count = [&]() -> std::string {
    for (int i = 0; i < kCounts; i++) {
      // Opened anew each time: processes also meet while they open and close.
      const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kCreate, "");
      if (!store.is_ok()) return store.status().message();
      const Status written = (*store)->write([](StoreWriter& writer) -> Status {
        PERSONALIZE_ASSIGN_OR_RETURN(const auto old, writer.get(StoreKind::kOther, "count"));
        const int next = old ? std::stoi(*old) + 1 : 1;
        return writer.put(StoreKind::kOther, "count", std::to_string(next));
      });
      if (!written.is_ok()) return written.message();
    }
    return "";
  };
  std::vector<pid_t> others;
  for (int i = 0; i < kProcesses - 1; i++) {
    others.push_back(fork());
    if (others.back() == 0) _exit(count().empty() ? 0 : 1);
  }
  EXPECT_EQ(in_a_child(count), "");
  for (const pid_t other : others) {
    int status = 0;
    waitpid(other, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kReadOnly, "");
  EXPECT_EQ(**(*store)->get(StoreKind::kOther, "count"), std::to_string(kProcesses * kCounts));
}

}  // namespace
}  // namespace personalize
