#include "engine/training/abandoned_versions.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

#include "engine/store/records.h"
#include "engine/training/running_versions.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

TEST(AbandonedVersions, AreThoseWhoseProcessIsGoneOrKnowsNothingOfThem) {
  TemporaryDirectory scratch;
  const auto opened = ModelStore::open(scratch.path(), "0f6e8a12-0000-4000-8000-000000000001",
                                       OpenMode::kCreate, "");
  ASSERT_TRUE(opened.is_ok()) << opened.status().message();
  ModelStore& store = **opened;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const auto put = [&](int number, int64_t process, std::string_view status) {
    VersionRecord record;
    record.solution = "shop";
    record.number = number;
    record.status = status;
    record.process = process;
    record.created = std::time(nullptr);
    EXPECT_TRUE(store
                    .write([&](StoreWriter& writer) {
                      return writer.put(StoreKind::kVersion, version_key("shop", number),
                                        encode(record));
                    })
                    .is_ok());
  };
  put(1, child, kVersionInProgress);
  put(2, getppid(), kVersionInProgress);
  put(3, getpid(), kVersionInProgress);
  put(4, child, kVersionActive);
  put(5, getpid(), kVersionInProgress);
  running_versions().add(store.directory(), version_key("shop", 5));
  EXPECT_TRUE(fail_abandoned_versions(store).is_ok());
  running_versions().remove(store.directory(), version_key("shop", 5));
  const auto stored = [&](int number) {
    return *decode_version(**store.get(StoreKind::kVersion, version_key("shop", number)));
  };
  EXPECT_EQ(stored(1).status, kVersionFailed);
  EXPECT_EQ(stored(1).failure_reason, "the process that trained it ended");
  EXPECT_EQ(stored(2).status, kVersionInProgress);
  EXPECT_EQ(stored(3).status, kVersionFailed);
  EXPECT_EQ(stored(4).status, kVersionActive);
  EXPECT_EQ(stored(5).status, kVersionInProgress);
}

}  // namespace
}  // namespace personalize
