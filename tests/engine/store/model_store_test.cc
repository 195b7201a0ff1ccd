#include "engine/store/model_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "engine/store/records.h"
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

}  // namespace
}  // namespace personalize
