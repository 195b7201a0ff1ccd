#include "extension/event_writer.h"

#include <gtest/gtest.h>

#include <map>

#include "extension/exposure_reader.h"
#include "extension/store_access.h"
#include "tests/extension/database_test.h"

namespace personalize {
namespace {

class EventWriterTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    run("CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  }
  std::map<std::string, int64_t> exposures() {
    std::map<std::string, int64_t> found;
    const auto reader = open_exposure_reader(*connection_, "main", "default");
    EXPECT_TRUE(reader.is_ok()) << reader.status().message();
    EXPECT_TRUE(
        (*reader)
            ->scan([&](std::string_view item, int64_t shown) { found.emplace(item, shown); })
            .is_ok());
    for (const auto& [item, shown] : found) EXPECT_EQ(*(*reader)->shown(item), shown);
    return found;
  }
  std::string impression_of_newest() {
    Result<Statement> statement =
        connection_->prepare("SELECT impression FROM interactions ORDER BY timestamp DESC LIMIT 1");
    EXPECT_TRUE(statement->step().is_ok());
    return statement->is_null(0) ? "NULL" : std::string(statement->text(0));
  }
  void remember(std::string_view id, std::vector<std::string_view> items) {
    const auto stores = open_stores(*connection_, "main", OpenMode::kCreate);
    ASSERT_TRUE(stores.is_ok()) << stores.status().message();
    (*stores)->recommendations->remember(id, items);
  }
};

using Counts = std::map<std::string, int64_t>;

TEST_F(EventWriterTest, ARecommendationIdImpliesTheListThatWasGivenOutUnderIt) {
  remember("RID-1", {"a", "b", "c"});
  remember("RID-2", {"x|y", "b"});
  run("INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id) VALUES "
      "('u', 'b', 1, 'RID-1')");
  EXPECT_EQ(impression_of_newest(), "a|b|c");
  run("INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id, impression) VALUES "
      "('u', 'b', 2, 'RID-2', '')");
  EXPECT_EQ(impression_of_newest(), R"(["x|y","b"])");
  EXPECT_EQ(exposures(), (Counts{{"a", 1}, {"b", 2}, {"c", 1}, {"x|y", 1}}));
}

TEST_F(EventWriterTest, AnExplicitImpressionWinsAndAnUnknownIdImpliesNothing) {
  remember("RID-1", {"a", "b"});
  run("INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id, impression) VALUES "
      "('u', 'z', 1, 'RID-1', 'z')");
  EXPECT_EQ(impression_of_newest(), "z");
  run("INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id) VALUES "
      "('u', 'z', 2, 'RID-3')");
  EXPECT_EQ(impression_of_newest(), "NULL");
  EXPECT_EQ(exposures(), (Counts{{"z", 1}}));
}

TEST_F(EventWriterTest, AnIdIsUnderstoodBeforeAnythingWasTrained) {
  run("INSERT INTO interactions(user_id, item_id, timestamp, recommendation_id) VALUES "
      "('u', 'z', 2, 'RID-3')");
  EXPECT_EQ(impression_of_newest(), "NULL");
}

TEST_F(EventWriterTest, ExposuresHaveAGenerationThatChangesWithThem) {
  const auto opened = open_exposure_reader(*connection_, "main", "default");
  ExposureReader& reader = **opened;
  const uint64_t first = *reader.generation();
  EXPECT_EQ(*reader.generation(), first);
  run("BEGIN; INSERT INTO interactions(user_id, item_id, timestamp, impression) VALUES "
      "('u', 'a', 1, 'a|b')");
  const uint64_t second = *reader.generation();
  EXPECT_NE(second, first);
  EXPECT_EQ(*reader.shown("b"), 1);
  run("ROLLBACK");
  EXPECT_NE(*reader.generation(), second);
  EXPECT_EQ(*reader.shown("b"), 0);
  EXPECT_EQ(*reader.shown("nothing"), 0);
}

TEST_F(EventWriterTest, ExposuresOfABusinessTableAreNotCounted) {
  run("CREATE TABLE visits(user_id, item_id, timestamp); CREATE INDEX visits_u ON visits(user_id);"
      "CREATE VIRTUAL TABLE v USING personalize_interactions(content='visits', group='visits')");
  EXPECT_EQ(*open_exposure_reader(*connection_, "main", "visits"), nullptr);
  EXPECT_EQ(open_exposure_reader(*connection_, "main", "other").status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace personalize
