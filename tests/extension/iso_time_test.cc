#include "extension/iso_time.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/extension/database_test.h"

namespace personalize {
namespace {

class IsoTimeTest : public DatabaseTest {
 protected:
  // What SQLite makes of it, which puts dates that are none into the next month.
  int64_t by_sqlite(const std::string& text) {
    Result<Statement> statement = connection_->prepare("SELECT unixepoch(?1)");
    EXPECT_TRUE(statement->bind(1, text).step().is_ok());
    return statement->integer(0);
  }
};

TEST_F(IsoTimeTest, SaysWhatSqliteSaysOfRandomTimes) {
  std::mt19937 random(7);
  const auto number = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(random);
  };
  for (int i = 0; i < 2000; i++) {
    char text[64];
    const int size = std::snprintf(text, sizeof(text), "%04d-%02d-%02d%c%02d:%02d", number(1, 9999),
                                   number(1, 12), number(1, 28), number(0, 1) ? 'T' : ' ',
                                   number(0, 23), number(0, 59));
    std::string time(text, static_cast<size_t>(size));
    if (number(0, 1)) {
      time += ":" + std::to_string(number(10, 59));
      if (number(0, 1)) time += "." + std::to_string(number(0, 4999));
    }
    if (const int zone = number(0, 3); zone == 1) {
      time += "Z";
    } else if (zone > 1) {
      time += (zone == 2 ? "+0" : "-0") + std::to_string(number(0, 9)) + ":" +
              std::to_string(number(10, 59));
    }
    EXPECT_EQ(parse_iso_time(time), by_sqlite(time)) << time;
  }
}

TEST_F(IsoTimeTest, TakesTheFormsThatSqliteDoesNot) {
  EXPECT_EQ(parse_iso_time("2024-05-01"), by_sqlite("2024-05-01"));
  EXPECT_EQ(parse_iso_time("2024-05-01T12:30:00+0200"), by_sqlite("2024-05-01T10:30:00"));
  EXPECT_EQ(parse_iso_time("2024-05-01t12:30:00,5z"), by_sqlite("2024-05-01T12:30:00"));
  EXPECT_EQ(parse_iso_time("2024-02-29"), by_sqlite("2024-02-29"));
}

TEST(IsoTime, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "now",
                           "2024",
                           "2024-05",
                           "24-05-01",
                           "2024-5-1",
                           "2024-13-01",
                           "2024-00-01",
                           "2024-04-31",
                           "2023-02-29",
                           "2024-05-01T",
                           "2024-05-01T12",
                           "2024-05-01T24:00",
                           "2024-05-01T12:60",
                           "2024-05-01T12:30:60",
                           "2024-05-01T12:30:",
                           "2024-05-01T12:30:00.",
                           "2024-05-01T12:30Zx",
                           "2024-05-01T12:30+2",
                           "2024-05-01T12:30+24:00",
                           "2024-05-01T12:30+02:60",
                           "2024-05-01 12:30 CET",
                           " 2024-05-01",
                           "2024-05-01 ",
                           "-2024-05-01",
                           "12:30",
                           "2460000.5"})
    EXPECT_EQ(parse_iso_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace personalize
