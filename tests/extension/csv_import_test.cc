#include "extension/csv_import.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "tests/extension/database_test.h"

namespace personalize {
namespace {

class CsvImportTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    run("CREATE VIRTUAL TABLE interactions USING personalize_interactions;"
        "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('old', 'a', 1)");
  }
  // Imports `rows` in pieces of one event or a few each.
  Result<ImportSummary> import(const std::string& rows) {
    const std::string path = "csv_import_test." + std::to_string(getpid()) + ".csv";
    std::FILE* file = std::fopen(path.c_str(), "w");
    std::fputs(("USER_ID,ITEM_ID,TIMESTAMP\n" + rows).c_str(), file);
    std::fclose(file);
    ImportOptions options;
    options.is_full = true;
    options.room = 200;
    const auto dataset = find_interactions(*connection_, "main", "default");
    EXPECT_TRUE(dataset.is_ok());
    auto summary = import_csv(*connection_, *dataset, path, options);
    unlink(path.c_str());
    return summary;
  }
  std::string events() {
    auto statement = connection_->prepare(
        "SELECT group_concat(user_id || item_id || timestamp, ' ') FROM "
        "(SELECT * FROM interactions ORDER BY user_id, timestamp)");
    EXPECT_TRUE(statement->step().is_ok());
    return std::string(statement->text(0));
  }
};

TEST_F(CsvImportTest, AFileThatIsLargerThanTheRoomIsImportedAsAWhole) {
  std::string rows, expected;
  for (int i = 0; i < 40; i++)
    rows += std::string(1, "abc"[i % 3]) + ",x," + std::to_string(100 + i) + "\n";
  for (int user = 0; user < 3; user++)
    for (int i = user; i < 40; i += 3)
      expected += (expected.empty() ? "" : " ") + std::string(1, "abc"[user]) + "x" +
                  std::to_string(100 + i);
  const auto summary = import(rows);
  ASSERT_TRUE(summary.is_ok()) << summary.status().message();
  EXPECT_EQ(summary->rows, 40);
  EXPECT_EQ(summary->users, 3);
  EXPECT_EQ(summary->deleted, 1);
  EXPECT_EQ(events(), expected);
}

TEST_F(CsvImportTest, AnErrorPastTheRoomLeavesNothingOfTheFile) {
  std::string rows;
  for (int i = 0; i < 40; i++) rows += "u,x," + std::to_string(100 + i) + "\n";
  const auto summary = import(rows + "u,x,yesterday\n");
  ASSERT_FALSE(summary.is_ok());
  EXPECT_NE(summary.status().message().find("line 42"), std::string::npos)
      << summary.status().message();
  EXPECT_EQ(events(), "olda1");
}

}  // namespace
}  // namespace personalize
