#include "extension/metadata_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/extension/database_test.h"

namespace personalize {
namespace {

std::string shown(std::span<const FieldValue> values) {
  std::string text;
  for (const FieldValue& value : values) {
    if (!text.empty()) text += ", ";
    if (value.type == FieldValue::Type::kMissing) text += "-";
    if (value.type == FieldValue::Type::kNumber) text += fmt::format("{}", value.number);
    if (value.type == FieldValue::Type::kText) text += fmt::format("'{}'", value.text);
  }
  return text;
}

class Rows : public MetadataSink {
 public:
  Status row(std::string_view id, std::span<const FieldValue> values) override {
    rows.emplace(id, shown(values));  // the first of an id stays, as in MetadataTable
    return Status::ok();
  }
  std::map<std::string, std::string> rows;
};

class MetadataReader : public DatabaseTest {
 protected:
  std::unique_ptr<MetadataSource> source(DatasetKind kind = DatasetKind::kItems,
                                         const char* group = "default") {
    auto opened = open_metadata_source(*connection_, "main", group, kind);
    EXPECT_TRUE(opened.is_ok()) << opened.status().message();
    return opened.is_ok() ? std::move(*opened) : nullptr;
  }
  // All rows by scan(); each must be found by its id, too.
  std::map<std::string, std::string> rows_of(MetadataSource& source) {
    Rows all;
    const Status status = source.scan(all);
    EXPECT_TRUE(status.is_ok()) << status.message();
    for (const auto& [id, values] : all.rows) EXPECT_EQ(row(source, id), values) << id;
    return all.rows;
  }
  std::string row(MetadataSource& source, std::string_view id) {
    std::vector<FieldValue> values;
    const Result<bool> found = source.row(id, values);
    EXPECT_TRUE(found.is_ok()) << found.status().message();
    return found.is_ok() && *found ? shown(values) : "none";
  }
};

using Rendered = std::map<std::string, std::string>;

TEST_F(MetadataReader, FieldsAreTheColumnsThatModelsMayLearnFrom) {
  run("CREATE VIRTUAL TABLE items USING personalize_items(CREATION_TIMESTAMP long, NAME string, "
      "genres string categorical, TITLE string textual, PRICE float, STOCK int, ADULT boolean, "
      "SHELF int categorical)");
  run("CREATE VIRTUAL TABLE users USING personalize_users(AGE int, NAME string)");
  const std::vector<MetadataField> items = {{"CREATION_TIMESTAMP", FieldKind::kNumber},
                                            {"GENRES", FieldKind::kCategorical},
                                            {"TITLE", FieldKind::kText},
                                            {"PRICE", FieldKind::kNumber},
                                            {"STOCK", FieldKind::kNumber},
                                            {"ADULT", FieldKind::kBoolean},
                                            {"SHELF", FieldKind::kCategorical}};
  const auto source_of_items = source();
  const auto fields = source_of_items->fields();
  EXPECT_EQ(std::vector(fields.begin(), fields.end()), items);
  const auto users = source(DatasetKind::kUsers);
  ASSERT_EQ(users->fields().size(), 1u);
  EXPECT_EQ(users->fields()[0], (MetadataField{"AGE", FieldKind::kNumber}));
}

TEST_F(MetadataReader, GivesTheRowsOfANativeDatasetByScanAndById) {
  run("CREATE VIRTUAL TABLE items USING personalize_items(GENRES string categorical, NAME string, "
      "TITLE string textual, PRICE float, ADULT boolean, SHELF int categorical);"
      "INSERT INTO items VALUES (42, 'Comedy|Drama', 'left out', 'The Cat', '1.5', 'true', 7), "
      "('b', '', 'x', NULL, '', NULL, NULL), ('c', 5, NULL, 'c', 2, 0, '8')");
  const auto items = source();
  EXPECT_EQ(rows_of(*items), (Rendered{{"42", "'Comedy|Drama', 'The Cat', 1.5, 1, '7'"},
                                       {"b", "-, -, -, -, -"},
                                       {"c", "'5', 'c', 2, 0, '8'"}}));
  EXPECT_EQ(row(*items, "d"), "none");
  EXPECT_EQ(row(*items, "042"), "none");
  EXPECT_EQ(row(*items, ""), "none");
}

TEST_F(MetadataReader, ReadsABusinessTableInPlaceWhateverIsInIt) {
  run("CREATE TABLE films(film_id, genre, year, adult);"
      "CREATE INDEX films_id ON films(film_id);"
      "CREATE VIRTUAL TABLE items USING personalize_items(content='films', ITEM_ID='film_id', "
      "GENRES string categorical, YEAR int, ADULT boolean, GENRES='genre');"
      "INSERT INTO films VALUES (1, 'War', 1999, 1), ('2', 3.0, '2000', 'false'), "
      "(3.0, 2.5, 'soon', 7), ('x', x'00', 1e400, 'yes'), (NULL, 'a', 1, 1), ('', 'b', 1, 1), "
      "('y', '', '', ''), ('y', 'second', 2, 0)");
  const auto items = source();
  EXPECT_EQ(rows_of(*items), (Rendered{{"1", "'War', 1999, 1"},
                                       {"2", "'3', 2000, 0"},
                                       {"3", "'2.5', -, -"},
                                       {"x", "-, -, -"},
                                       {"y", "-, -, -"}}));
  EXPECT_EQ(row(*items, "01"), "none");
}

TEST_F(MetadataReader, AnIdOfAnIntegerColumnIsTheTextThatItWouldBeWrittenAs) {
  run("CREATE TABLE people(id INTEGER PRIMARY KEY, age);"
      "CREATE VIRTUAL TABLE users USING personalize_users(content='people', USER_ID='id', AGE int);"
      "INSERT INTO people VALUES (7, 30)");
  const auto users = source(DatasetKind::kUsers);
  EXPECT_EQ(rows_of(*users), (Rendered{{"7", "30"}}));
  EXPECT_EQ(row(*users, "07"), "none");
}

TEST_F(MetadataReader, SeesWhatItsTransactionWroteAndKeepsNothingOpen) {
  run("CREATE VIRTUAL TABLE items USING personalize_items(PRICE float)");
  const auto items = source();
  run("BEGIN; INSERT INTO items VALUES ('a', 1)");
  EXPECT_EQ(row(*items, "a"), "1");
  run("UPDATE items SET PRICE = 2");
  EXPECT_EQ(row(*items, "a"), "2");
  run("ROLLBACK");  // fails while a statement that writes is open, and a DROP while any is
  EXPECT_EQ(row(*items, "a"), "none");
  run("DROP TABLE items");
}

TEST_F(MetadataReader, TheTextsOfARowLiveUntilTheNextCall) {
  run("CREATE VIRTUAL TABLE items USING personalize_items(A string categorical, B string textual);"
      "INSERT INTO items VALUES ('1', 'first', 'long enough not to be kept in place'), "
      "('2', 'second', 'b')");
  const auto items = source();
  std::vector<FieldValue> values;
  ASSERT_TRUE(*items->row("1", values));
  run("UPDATE items SET A = 'changed', B = 'changed'");
  EXPECT_EQ(shown(values), "'first', 'long enough not to be kept in place'");
}

TEST_F(MetadataReader, AGroupWithoutTheDatasetHasNoSource) {
  EXPECT_EQ(source(), nullptr);
  run("CREATE VIRTUAL TABLE items USING personalize_items(PRICE float, group='shop')");
  EXPECT_EQ(source(), nullptr);
  EXPECT_EQ(source(DatasetKind::kUsers, "shop"), nullptr);
  EXPECT_NE(source(DatasetKind::kItems, "shop"), nullptr);
}

TEST_F(MetadataReader, ABusinessTableThatHasLostAColumnIsNamedWithIt) {
  run("CREATE TABLE films(film_id INTEGER PRIMARY KEY, genre, year);"
      "CREATE VIRTUAL TABLE items USING personalize_items(content='films', ITEM_ID='film_id', "
      "GENRES string categorical, GENRES='genre');"
      "ALTER TABLE films DROP COLUMN genre");
  const auto opened = open_metadata_source(*connection_, "main", "default", DatasetKind::kItems);
  EXPECT_EQ(opened.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(opened.status().message(),
            "items: 'films' has no column 'genre' for GENRES; name one of its columns by "
            "genres='...': film_id, year");
  run("DROP TABLE films");
  EXPECT_NE(open_metadata_source(*connection_, "main", "default", DatasetKind::kItems)
                .status()
                .message()
                .find("there is no such table"),
            std::string::npos);
}

}  // namespace
}  // namespace personalize
