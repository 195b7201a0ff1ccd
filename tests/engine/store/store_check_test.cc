#include "engine/store/store_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "engine/store/model_store.h"
#include "engine/store/records.h"
#include "engine/store/state_store.h"
#include "engine/store/unique_fd.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr const char* kUuid = "0f6e8a12-0000-4000-8000-000000000001";

std::shared_ptr<ModelStore> open_store(const std::string& directory, OpenMode mode) {
  auto store = ModelStore::open(directory, kUuid, mode, "");
  EXPECT_TRUE(store.is_ok()) << store.status().message();
  return store.is_ok() ? *store : nullptr;
}

// Versions movies/1 to movies/5 with models of 20,000 bytes of the number's digit.
void fill(const std::string& directory) {
  const auto store = open_store(directory, OpenMode::kCreate);
  for (int number = 1; number <= 5; number++) {
    VersionRecord record;
    record.solution = "movies";
    record.number = number;
    record.status = kVersionActive;
    const std::string key = version_key("movies", number);
    const Status written = store->write([&](StoreWriter& writer) {
      PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kVersion, key, encode(record)));
      PERSONALIZE_RETURN_IF_ERROR(
          writer.put(StoreKind::kMetrics, key, encode(std::vector<MetricRow>(2))));
      PERSONALIZE_RETURN_IF_ERROR(
          writer.put(StoreKind::kLog, log_key("movies", number, 0), encode(LogRow{})));
      return writer.put(StoreKind::kModel, key, std::string(20'000, char('0' + number)));
    });
    ASSERT_TRUE(written.is_ok()) << written.message();
  }
  StateStore::open(directory, OpenMode::kReadWrite, "")
      ->put(StateKey::make(1, "user", 2), 1, 1, std::vector<float>{1});
}

// Changes one byte in the middle of the model of `digit`.
void damage_model(const std::string& path, char digit) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const size_t at = bytes.find(std::string(1000, digit));
  ASSERT_NE(at, std::string::npos);
  const UniqueFd fd = UniqueFd::open(path, O_WRONLY);
  ASSERT_EQ(pwrite(fd.get(), "!", 1, static_cast<off_t>(at) + 5000), 1);
}

TEST(StoreCheck, FindsNothingInASoundStoreOrInNone) {
  TemporaryDirectory scratch;
  EXPECT_TRUE(check_store(scratch / "missing")->empty());
  EXPECT_TRUE(repair_store(scratch / "missing", kUuid, "")->empty());
  fill(scratch.path());
  const auto findings = check_store(scratch.path());
  ASSERT_TRUE(findings.is_ok());
  EXPECT_TRUE(findings->empty()) << (*findings)[0].problem;
  EXPECT_TRUE(repair_store(scratch.path(), kUuid, "")->empty());
}

TEST(StoreCheck, NamesTheValueThatIsDamagedAndRepairKeepsAllOthers) {
  TemporaryDirectory scratch;
  fill(scratch.path());
  damage_model(scratch / "models.mdb", '3');
  const auto findings = check_store(scratch.path());
  ASSERT_TRUE(findings.is_ok());
  ASSERT_EQ(findings->size(), 1u);
  EXPECT_EQ((*findings)[0].file, "models.mdb");
  EXPECT_EQ((*findings)[0].problem, "model 'movies/00000003': its checksum is wrong");
  {
    const auto store = open_store(scratch.path(), OpenMode::kReadWrite);
    const auto model = store->get_aligned(StoreKind::kModel, version_key("movies", 3));
    EXPECT_EQ(model.status().message(),
              scratch / "models.mdb" +
                  " is damaged ('movies/00000003': its checksum is wrong): run SELECT "
                  "personalize_repair()");
    EXPECT_EQ(repair_store(scratch.path(), kUuid, "").status().code(), StatusCode::kBusy);
  }
  const auto aside = repair_store(scratch.path(), kUuid, "");
  ASSERT_TRUE(aside.is_ok()) << aside.status().message();
  EXPECT_EQ(*aside, std::vector<std::string>{scratch / "models.mdb.damaged-1"});
  EXPECT_TRUE(check_store(scratch.path())->empty());
  const auto store = open_store(scratch.path(), OpenMode::kReadWrite);
  EXPECT_EQ(store->list(StoreKind::kVersion, version_prefix("movies"))->size(), 4u);
  EXPECT_FALSE(store->get(StoreKind::kVersion, version_key("movies", 3))->has_value());
  for (const int number : {1, 2, 4, 5}) {
    const auto model = store->get_aligned(StoreKind::kModel, version_key("movies", number));
    ASSERT_TRUE(model.is_ok()) << model.status().message();
    EXPECT_EQ((*model)->bytes()[19'999], std::byte('0' + number));
  }
  EXPECT_TRUE(
      store->write([](StoreWriter& w) { return w.put(StoreKind::kOther, "k", "v"); }).is_ok());
}

TEST(StoreCheck, RepairMakesAWorkingStoreOfAFileThatIsNoneAnyMore) {
  for (const size_t size : {size_t{0}, size_t{100}, size_t{5000}, size_t{50'000}}) {
    TemporaryDirectory scratch;
    fill(scratch.path());
    ASSERT_EQ(truncate((scratch / "models.mdb").c_str(), static_cast<off_t>(size)), 0);
    ASSERT_EQ(truncate((scratch / "states.mdb").c_str(), static_cast<off_t>(size / 2)), 0);
    const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kReadWrite, "");
    EXPECT_EQ(store.status().code(), StatusCode::kCorrupt);
    EXPECT_THAT(store.status().message(), ::testing::HasSubstr("personalize_repair()"));
    EXPECT_FALSE(check_store(scratch.path())->empty());
    EXPECT_EQ(repair_store(scratch.path(), kUuid, "")->size(), 2u);
    EXPECT_TRUE(check_store(scratch.path())->empty());
    EXPECT_NE(open_store(scratch.path(), OpenMode::kReadWrite), nullptr);
  }
}

TEST(StoreCheck, RepairLeavesAnotherDatabasesFileAlone) {
  TemporaryDirectory scratch;
  fill(scratch.path());
  damage_model(scratch / "models.mdb", '3');
  const auto aside = repair_store(scratch.path(), "another", "");
  EXPECT_EQ(aside.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(check_store(scratch.path())->size(), 1u);
}

TEST(StoreCheck, RepairWaitsUntilOtherProcessesHaveClosedTheFile) {
  TemporaryDirectory scratch;
  fill(scratch.path());
  damage_model(scratch / "models.mdb", '3');
  int ready[2], done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto store = ModelStore::open(scratch.path(), kUuid, OpenMode::kReadOnly, "");
    char byte = store.is_ok() ? 'y' : 'n';
    _exit(write(ready[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(repair_store(scratch.path(), kUuid, "").status().code(), StatusCode::kBusy);
  ASSERT_EQ(write(done[1], "x", 1), 1);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(repair_store(scratch.path(), kUuid, "")->size(), 1u);
}

}  // namespace
}  // namespace personalize
