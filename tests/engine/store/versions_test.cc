#include "engine/store/versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr const char* kUuid = "0f6e8a12-0000-4000-8000-000000000001";

class Versions : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = ModelStore::open(scratch_ / "db.personalize", kUuid, OpenMode::kCreate, "");
    ASSERT_TRUE(opened.is_ok()) << opened.status().message();
    store_ = *opened;
  }

  void put(const std::string& solution, int number, std::string_view status) {
    VersionRecord record;
    record.solution = solution;
    record.number = number;
    record.dataset_group = "default";
    record.recipe = "markov";
    record.status = status;
    record.evaluation = "none";
    const Status written = store_->write([&](StoreWriter& writer) {
      const std::string key = version_key(solution, number);
      PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kVersion, key, encode(record)));
      PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kModel, key, "model"));
      PERSONALIZE_RETURN_IF_ERROR(
          writer.put(StoreKind::kMetrics, key,
                     encode(std::vector<MetricRow>{{"precision", 5, 0.5, 0.25, 0.3, "included"}})));
      for (int64_t sequence = 0; sequence < 12; sequence++) {
        LogRow row;
        row.sequence = sequence;
        row.stage = "fit";
        PERSONALIZE_RETURN_IF_ERROR(
            writer.put(StoreKind::kLog, log_key(solution, number, sequence), encode(row)));
      }
      return Status::ok();
    });
    ASSERT_TRUE(written.is_ok()) << written.message();
  }

  std::vector<std::string> names(std::string_view solution) {
    std::vector<std::string> names;
    const auto records = list_versions(*store_, solution);
    EXPECT_TRUE(records.is_ok()) << records.status().message();
    if (records.is_ok())
      for (const VersionRecord& record : *records) names.push_back(record.name());
    return names;
  }

  TemporaryDirectory scratch_;
  std::shared_ptr<ModelStore> store_;
};

TEST_F(Versions, AreListedByNameThenNumberAndOneSolutionIsNotItsNamesakesPrefix) {
  put("movies-sims", 1, kVersionActive);
  put("movies", 10, kVersionActive);
  put("movies", 9, kVersionActive);
  EXPECT_THAT(names(""), testing::UnorderedElementsAre("movies/9", "movies/10", "movies-sims/1"));
  EXPECT_THAT(names("movies"), testing::ElementsAre("movies/9", "movies/10"));
  EXPECT_THAT(names("movie"), testing::IsEmpty());
}

TEST_F(Versions, TheLatestIsTheHighestNumberThatIsActive) {
  EXPECT_FALSE(latest_version(*store_, "movies")->has_value());
  put("movies", 2, kVersionActive);
  put("movies", 10, kVersionActive);
  put("movies", 11, kVersionFailed);
  put("movies", 12, kVersionInProgress);
  EXPECT_EQ((*latest_version(*store_, "movies"))->name(), "movies/10");
  EXPECT_FALSE(latest_version(*store_, "movie")->has_value());
}

TEST_F(Versions, ErasingOneTakesItsModelMetricsAndLogAndNothingElse) {
  put("movies", 1, kVersionActive);
  put("movies", 2, kVersionActive);
  ASSERT_TRUE(erase_version(*store_, "movies", 1).is_ok());
  ASSERT_TRUE(erase_version(*store_, "movies", 7).is_ok());
  EXPECT_THAT(names(""), testing::ElementsAre("movies/2"));
  EXPECT_FALSE(find_version(*store_, "movies", 1)->has_value());
  EXPECT_FALSE(store_->get(StoreKind::kModel, version_key("movies", 1))->has_value());
  EXPECT_THAT(*list_metrics(*store_, "movies", 1), testing::IsEmpty());
  EXPECT_THAT(*list_log(*store_, "movies", 1), testing::IsEmpty());
  EXPECT_EQ(list_metrics(*store_, "movies", 2)->size(), 1u);
  const auto log = list_log(*store_, "movies", 2);
  ASSERT_EQ(log->size(), 12u);
  EXPECT_EQ(log->at(10).sequence, 10);
}

}  // namespace
}  // namespace personalize
