#include "engine/store/shared_env.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "engine/store/env_registry.h"
#include "engine/store/store_file.h"
#include "tests/engine/store/forked.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr size_t kOther = 5;
constexpr auto kPatient = WriterLock::Wait::kPatient;

// A models.mdb that is mapped in a small piece of address space at first.
StoreFileKind small(bool may_grow) {
  StoreFileKind kind = kModelsFile;
  kind.map_size = 1 << 20;
  kind.may_grow = may_grow;
  return kind;
}

class SharedEnvTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(make_store_file(path_, kModelsFile, {}, "").is_ok()); }

  std::shared_ptr<SharedEnv> open(const StoreFileKind& kind) {
    auto env = EnvRegistry::instance().open(path_, kind, false, "");
    EXPECT_TRUE(env.is_ok()) << env.status().message();
    return env.is_ok() ? *env : nullptr;
  }

  static Status put(SharedEnv& env, std::string_view key, size_t size) {
    const std::vector<std::byte> value(size, std::byte{7});
    return env.write(
        [&](LmdbTxn& txn) { return put_framed(txn, kOther, FrameKind::kOther, key, value); },
        kPatient);
  }

  static size_t size_of(SharedEnv& env, std::string_view key) {
    Result<SharedEnv::Reading> reading = env.begin_read();
    if (!reading.is_ok()) return SIZE_MAX;
    const auto value = reading->txn().get(kOther, key);
    if (!value.is_ok() || !*value) return SIZE_MAX - 1;
    const auto payload = read_frame(FrameKind::kOther, key, **value);
    return payload.is_ok() ? payload->size() : SIZE_MAX - 2;
  }

  TemporaryDirectory scratch_{TemporaryDirectory::Place::kMemory};
  std::string path_ = scratch_ / "models.mdb";
};

TEST_F(SharedEnvTest, OpensAFileOnce) {
  const auto a = open(kModelsFile), b = open(kModelsFile);
  EXPECT_EQ(a.get(), b.get());
  std::filesystem::create_symlink(scratch_.path(), scratch_.path() + "-link");
  auto by_other_name =
      EnvRegistry::instance().open(scratch_.path() + "-link/models.mdb", kModelsFile, false, "");
  EXPECT_EQ(by_other_name->get(), a.get());
  std::filesystem::remove(scratch_.path() + "-link");
}

TEST_F(SharedEnvTest, GrowsItsMapAndWritesAgain) {
  const auto env = open(small(true));
  ASSERT_TRUE(put(*env, "first", 100).is_ok());
  int runs = 0;
  const std::vector<std::byte> value(5 << 20, std::byte{7});
  const Status written = env->write(
      [&](LmdbTxn& txn) {
        runs++;
        return put_framed(txn, kOther, FrameKind::kOther, "large", value);
      },
      kPatient);
  ASSERT_TRUE(written.is_ok()) << written.message();
  EXPECT_GT(runs, 1);
  EXPECT_EQ(size_of(*env, "first"), 100u);
  EXPECT_EQ(size_of(*env, "large"), value.size());
}

TEST_F(SharedEnvTest, IsFullIfItMayNotGrow) {
  const auto env = open(small(false));
  ASSERT_TRUE(put(*env, "first", 100).is_ok());
  EXPECT_EQ(put(*env, "large", 5 << 20).code(), StatusCode::kFull);
  EXPECT_EQ(size_of(*env, "first"), 100u);
  EXPECT_TRUE(put(*env, "second", 100).is_ok());
}

TEST_F(SharedEnvTest, ReadsWhatAnotherProcessWroteBeyondItsMap) {
  const auto env = open(small(true));
  ASSERT_TRUE(put(*env, "first", 100).is_ok());
  EXPECT_EQ(in_a_child([&] { return put(*open(kModelsFile), "large", 9 << 20).message(); }), "");
  EXPECT_EQ(size_of(*env, "large"), size_t{9} << 20);
  EXPECT_EQ(size_of(*env, "first"), 100u);
  EXPECT_EQ(in_a_child([&] { return put(*open(kModelsFile), "larger", 30 << 20).message(); }), "");
  EXPECT_TRUE(put(*env, "after", 10).is_ok());
  EXPECT_EQ(size_of(*env, "larger"), size_t{30} << 20);
}

TEST_F(SharedEnvTest, GrowsUnderReadersInOtherThreads) {
  const auto env = open(small(true));
  ASSERT_TRUE(put(*env, "first", 100).is_ok());
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; i++)
    readers.emplace_back([&] {
      while (!done) EXPECT_EQ(size_of(*env, "first"), 100u);
    });
  for (size_t size = 1; size <= 32; size *= 2) EXPECT_TRUE(put(*env, "large", size << 20).is_ok());
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(SharedEnvTest, IsOfNoUseInAForkedChildWhichMayOpenItAnew) {
  const auto env = open(kModelsFile);
  ASSERT_TRUE(put(*env, "first", 100).is_ok());
  const std::string said = in_a_child([&] {
    const bool all = env->begin_read().status().code() == StatusCode::kInternal &&
                     put(*env, "x", 1).code() == StatusCode::kInternal &&
                     env->last_transaction().status().code() == StatusCode::kInternal;
    if (!all) return std::string("it was used");
    const auto own = open(kModelsFile);
    if (own == env || size_of(*own, "first") != 100) return std::string("it did not open anew");
    return put(*own, "second", 200).message() + env->begin_read().status().message();
  });
  EXPECT_EQ(said, path_ +
                      " was opened before this process was forked and cannot be used in it: open "
                      "the database connection after fork()");
  EXPECT_EQ(size_of(*env, "second"), 200u);
  EXPECT_TRUE(put(*env, "third", 1).is_ok());
}

TEST_F(SharedEnvTest, SeesThatItsFileWasRemoved) {
  const auto env = open(kModelsFile);
  std::filesystem::remove(path_);
  EXPECT_EQ(env->begin_read().status().code(), StatusCode::kNotFound);
  EXPECT_EQ(put(*env, "x", 1).code(), StatusCode::kNotFound);
}

TEST_F(SharedEnvTest, IsOpenedBySomebodyElseWhileAThreadWrites) {
  const auto env = open(kModelsFile);
  std::future<bool> other;
  const Status written = env->write(
      [&](LmdbTxn&) {
        other = std::async(std::launch::async, [&] { return open(kModelsFile) == env; });
        const bool done = other.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
        return done ? Status::ok() : Status(StatusCode::kBusy, "who opens the file waits for us");
      },
      kPatient);
  EXPECT_TRUE(written.is_ok()) << written.message();
  EXPECT_TRUE(other.get());
}

TEST_F(SharedEnvTest, RefusesAWriteInsideAWrite) {
  const auto env = open(kModelsFile);
  EXPECT_EQ(env->write([&](LmdbTxn&) { return put(*env, "x", 1); }, kPatient).code(),
            StatusCode::kInternal);
}

TEST_F(SharedEnvTest, DoesNotWaitForAStoppedWriterIfAskedNotTo) {
  const auto env = open(kModelsFile);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    (void)open(kModelsFile)
        ->write(
            [&](LmdbTxn&) {
              if (write(ready[1], "x", 1) == 1) pause();
              return Status::ok();
            },
            kPatient);
    _exit(0);
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const auto nothing = [](LmdbTxn&) { return Status::ok(); };
  EXPECT_EQ(env->write(nothing, WriterLock::Wait::kNever).code(), StatusCode::kBusy);
  EXPECT_TRUE(env->begin_read().is_ok());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(env->write(nothing, WriterLock::Wait::kNever).is_ok());
}

TEST_F(SharedEnvTest, UsesPagesAgainThatAKilledProcessWasReading) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto env = open(kModelsFile);
    Result<SharedEnv::Reading> reading = env->begin_read();
    (void)!write(ends[1], "r", 1);
    pause();
  }
  char ready;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  const auto env = open(kModelsFile);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  for (int i = 0; i < 500; i++) ASSERT_TRUE(put(*env, "same", 20'000).is_ok());
  // Each commit takes five pages for the value, and some of the trees.
  EXPECT_LT(std::filesystem::file_size(path_), size_t{1} << 20);
  for (const int end : ends) close(end);
}

}  // namespace
}  // namespace personalize
