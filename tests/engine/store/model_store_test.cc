#include "engine/store/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "engine/store/state_store.h"
#include "engine/store/store_check.h"
#include "tests/engine/store/forked.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr const char* kUuid = "0f6e8a12-0000-4000-8000-000000000001";

std::shared_ptr<ModelStore> open_store(const std::string& directory,
                                       OpenMode mode = OpenMode::kCreate) {
  auto store = ModelStore::open(directory, kUuid, mode, "");
  EXPECT_TRUE(store.is_ok()) << store.status().message();
  return store.is_ok() ? *store : nullptr;
}

TEST(ModelStore, GivesBackWhatWasWritten) {
  TemporaryDirectory scratch;
  const auto store = open_store(scratch / "db.personalize");
  ASSERT_NE(store, nullptr);
  const std::string model(3'000'000, 'm');
  const Status written = store->write([&](StoreWriter& writer) {
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kVersion, version_key("movies", 1), "one"));
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kModel, version_key("movies", 1), model));
    EXPECT_EQ(**writer.get(StoreKind::kVersion, version_key("movies", 1)), "one");
    return writer.put(StoreKind::kOther, "empty", "");
  });
  ASSERT_TRUE(written.is_ok()) << written.message();
  EXPECT_EQ(**store->get(StoreKind::kVersion, version_key("movies", 1)), "one");
  EXPECT_EQ(**store->get(StoreKind::kOther, "empty"), "");
  EXPECT_FALSE(store->get(StoreKind::kVersion, version_key("movies", 2))->has_value());
  const auto aligned = store->get_aligned(StoreKind::kModel, version_key("movies", 1));
  ASSERT_TRUE(aligned.is_ok()) << aligned.status().message();
  EXPECT_EQ(reinterpret_cast<uintptr_t>((*aligned)->bytes().data()) % 64, 0u);
  ASSERT_EQ((*aligned)->bytes().size(), model.size());
  EXPECT_EQ(memcmp((*aligned)->bytes().data(), model.data(), model.size()), 0);
  EXPECT_EQ(store->get_aligned(StoreKind::kModel, "none").status().code(), StatusCode::kNotFound);
}

TEST(ModelStore, ListsInOrderOfTheVersionNumber) {
  TemporaryDirectory scratch;
  const auto store = open_store(scratch.path());
  ASSERT_TRUE(
      store
          ->write([&](StoreWriter& writer) {
            for (const int number : {10, 9, 100, 1})
              PERSONALIZE_RETURN_IF_ERROR(writer.put(
                  StoreKind::kVersion, version_key("movies", number), std::to_string(number)));
            PERSONALIZE_RETURN_IF_ERROR(
                writer.put(StoreKind::kVersion, version_key("movies-sims", 5), "other"));
            EXPECT_EQ(writer.keys(StoreKind::kVersion, version_prefix("movies"))->size(), 4u);
            return writer.erase(StoreKind::kVersion, version_key("movies", 9));
          })
          .is_ok());
  const auto listed = store->list(StoreKind::kVersion, version_prefix("movies"));
  ASSERT_TRUE(listed.is_ok());
  std::vector<std::string> values;
  for (const auto& [key, value] : *listed) values.push_back(value);
  EXPECT_EQ(values, (std::vector<std::string>{"1", "10", "100"}));
  EXPECT_EQ(store->list(StoreKind::kVersion, "")->size(), 4u);
}

TEST(ModelStore, AWriteThatFailsLeavesNothing) {
  TemporaryDirectory scratch;
  const auto store = open_store(scratch.path());
  const uint64_t before = *store->last_transaction();
  const Status failed = store->write([&](StoreWriter& writer) {
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kOther, "key", "value"));
    return Status(StatusCode::kInterrupted, "stop");
  });
  EXPECT_EQ(failed.code(), StatusCode::kInterrupted);
  EXPECT_FALSE(store->get(StoreKind::kOther, "key")->has_value());
  EXPECT_EQ(*store->last_transaction(), before);
  ASSERT_TRUE(
      store->write([](StoreWriter& writer) { return writer.put(StoreKind::kOther, "k", "v"); })
          .is_ok());
  EXPECT_GT(*store->last_transaction(), before);
}

TEST(ModelStore, SaysWhatToDoWhereThereIsNoModel) {
  TemporaryDirectory scratch;
  for (const std::string& directory : {scratch / "missing", scratch.path()})
    for (const OpenMode mode : {OpenMode::kReadOnly, OpenMode::kReadWrite}) {
      const auto store = ModelStore::open(directory, kUuid, mode, "");
      EXPECT_EQ(store.status().code(), StatusCode::kNotFound);
      EXPECT_EQ(store.status().message(), "no model here: there is no " + directory +
                                              "/models.mdb; SELECT personalize_train(...)");
    }
}

TEST(ModelStore, RefusesAnotherDatabasesDirectory) {
  TemporaryDirectory scratch;
  ASSERT_NE(open_store(scratch.path()), nullptr);
  const auto foreign = ModelStore::open(scratch.path(), "another", OpenMode::kCreate, "");
  EXPECT_EQ(foreign.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(foreign.status().message(), ::testing::HasSubstr(std::string("its uuid is ") + kUuid +
                                                               ", this database's another"));
}

TEST(ModelStore, GivesItsFilesTheRightsOfTheDatabase) {
  TemporaryDirectory scratch;
  const std::string database = scratch / "db";
  std::ofstream(database) << "x";
  ASSERT_EQ(chmod(database.c_str(), 0660), 0);
  const std::string directory = database + ".personalize";
  const mode_t old = umask(0077);
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kCreate, database);
  const auto states = StateStore::open(directory, OpenMode::kReadWrite, database);
  EXPECT_TRUE(states->enabled());
  umask(old);
  const auto mode = [](const std::string& path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  };
  EXPECT_EQ(mode(directory), 0770u);
  for (const char* name : {"models.mdb", "models.mdb-lock", "states.mdb", "states.mdb-lock"})
    EXPECT_EQ(mode(directory + "/" + name), 0660u) << name;
}

TEST(ModelStore, OpenedForReadingRefusesWritesBesideOneThatWrites) {
  TemporaryDirectory scratch;
  ASSERT_NE(open_store(scratch.path()), nullptr);
  const auto reader = open_store(scratch.path(), OpenMode::kReadOnly);
  const auto nothing = [](StoreWriter&) { return Status::ok(); };
  EXPECT_EQ(reader->write(nothing).code(), StatusCode::kReadOnly);
  const auto writer = open_store(scratch.path(), OpenMode::kReadWrite);
  EXPECT_TRUE(
      writer->write([](StoreWriter& w) { return w.put(StoreKind::kOther, "k", "v"); }).is_ok());
  EXPECT_EQ(reader->write(nothing).code(), StatusCode::kReadOnly);
  EXPECT_EQ(**reader->get(StoreKind::kOther, "k"), "v");
}

// As a user who has no rights here.
TEST(ModelStore, AReadOnlyDirectoryAnswersButTakesNothing) {
  TemporaryDirectory scratch;
  ASSERT_TRUE(open_store(scratch.path())
                  ->write([](StoreWriter& w) { return w.put(StoreKind::kOther, "k", "v"); })
                  .is_ok());
  ASSERT_EQ(chmod(scratch.path().c_str(), 0555), 0);
  const std::string said = in_a_child([&]() -> std::string {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return "cannot be nobody";
    const auto reader = ModelStore::open(scratch.path(), kUuid, OpenMode::kReadOnly, "");
    if (!reader.is_ok()) return reader.status().message();
    const auto value = (*reader)->get(StoreKind::kOther, "k");
    if (!value.is_ok()) return value.status().message();
    const auto states = StateStore::open(scratch.path(), OpenMode::kReadWrite, "");
    if (states->enabled()) return "it would remember states";
    const auto made = ModelStore::open(scratch / "new", kUuid, OpenMode::kCreate, "");
    return **value + (made.status().code() == StatusCode::kReadOnly ? "" : "made");
  });
  EXPECT_EQ(said, "v");
  ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
}

TEST(ModelStore, AFullDiskIsAnErrorThatPasses) {
  TemporaryDirectory scratch(TemporaryDirectory::Place::kMemory);
  const std::string said = in_a_child([&]() -> std::string {
    signal(SIGXFSZ, SIG_IGN);
    const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kCreate, "");
    if (!store.is_ok()) return store.status().message();
    const auto put = [&](std::string_view key, size_t size) {
      return (*store)->write(
          [&](StoreWriter& w) { return w.put(StoreKind::kOther, key, std::string(size, 'x')); });
    };
    if (!put("first", 100).is_ok()) return "the first write failed";
    const rlimit small = {1 << 20, RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &small);
    // LMDB reports a short write as an I/O error; here the disk itself has room.
    const Status full = put("large", 5 << 20);
    if (full.code() != StatusCode::kFull && full.code() != StatusCode::kIo) return full.message();
    if ((*store)->get(StoreKind::kOther, "first")->value_or("").size() != 100) return "it is lost";
    if ((*store)->get(StoreKind::kOther, "large")->has_value()) return "half of it is there";
    setrlimit(RLIMIT_FSIZE, &large);
    if (const Status again = put("large", 5 << 20); !again.is_ok()) return again.message();
    const auto findings = check_store(scratch.path());
    return findings.is_ok() && findings->empty() ? "" : "it is damaged";
  });
  EXPECT_EQ(said, "");
}

TEST(ModelStore, AFullFileSystemIsSaidToBeFull) {
  TemporaryDirectory scratch;
  const std::string said = in_a_child([&]() -> std::string {
    // A file system of two megabytes that only this process sees.
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", scratch.path().c_str(), "tmpfs", 0, "size=2m") != 0)
      return "skip";
    const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kCreate, "");
    if (!store.is_ok()) return store.status().message();
    const auto put = [&](std::string_view key, size_t size) {
      return (*store)->write(
          [&](StoreWriter& w) { return w.put(StoreKind::kOther, key, std::string(size, 'x')); });
    };
    if (!put("first", 100'000).is_ok()) return "the first write failed";
    const Status full = put("large", 5 << 20);
    if (full.code() != StatusCode::kFull) return "not full: " + full.message();
    if ((*store)->get(StoreKind::kOther, "first")->value_or("").size() != 100'000) return "lost";
    if (const Status again = put("second", 100'000); !again.is_ok()) return again.message();
    // LMDB maps its lock file, and a write to a mapped file that finds no room is a SIGBUS.
    unlink((scratch / "models.mdb-lock").c_str());
    std::ofstream(scratch / "filler") << std::string(4 << 20, 'x');
    const auto fresh = in_a_child([&]() -> std::string {
      const auto again = ModelStore::open(scratch.path(), kUuid, OpenMode::kReadWrite, "");
      return again.status().code() == StatusCode::kFull ? "" : "open: " + again.status().message();
    });
    if (!fresh.empty()) return fresh;
    const auto findings = check_store(scratch.path());
    return findings.is_ok() && findings->empty() ? "" : "it is damaged";
  });
  if (said == "skip") GTEST_SKIP() << "mounting a file system takes rights that are not here";
  EXPECT_EQ(said, "");
}

TEST(ModelStore, OpensUnderALimitOfAddressSpace) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need all address space";
#endif
  TemporaryDirectory scratch(TemporaryDirectory::Place::kMemory);
  const std::string said = in_a_child([&]() -> std::string {
    const rlimit limit = {800 << 20, 800 << 20};
    setrlimit(RLIMIT_AS, &limit);
    const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kCreate, "");
    if (!store.is_ok()) return store.status().message();
    const auto put = [&](const std::string& value) {
      return (*store)->write([&](StoreWriter& w) { return w.put(StoreKind::kModel, "m", value); });
    };
    if (const Status large = put(std::string(120 << 20, 'x')); !large.is_ok())
      return large.message();
    if (put(std::string(300 << 20, 'x')).is_ok()) return "that cannot be";
    return (*store)->get_aligned(StoreKind::kModel, "m").status().message();
  });
  EXPECT_EQ(said, "");
}

TEST(ModelStore, IsSafeFromManyThreadsThatOpenAndCloseIt) {
  TemporaryDirectory scratch(TemporaryDirectory::Place::kMemory);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; thread++)
    threads.emplace_back([&scratch, thread] {
      for (int i = 0; i < 50; i++) {
        const auto store = open_store(scratch.path());
        const std::string key = version_key("thread", thread);
        const Status written = store->write([&](StoreWriter& writer) {
          return writer.put(StoreKind::kVersion, key, std::to_string(i));
        });
        ASSERT_TRUE(written.is_ok()) << written.message();
        ASSERT_EQ(**store->get(StoreKind::kVersion, key), std::to_string(i));
        ASSERT_TRUE(store->list(StoreKind::kVersion, "").is_ok());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(open_store(scratch.path())->list(StoreKind::kVersion, "")->size(), 4u);
}

}  // namespace
}  // namespace personalize
