#include "engine/dataset/metadata_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "tests/engine/testing/aligned_blob.h"

namespace personalize {
namespace {

using Row = std::vector<FieldValue>;

const std::vector<MetadataField> kFields = {{"GENRES", FieldKind::kCategorical},
                                            {"TITLE", FieldKind::kText},
                                            {"YEAR", FieldKind::kNumber},
                                            {"ADULT", FieldKind::kBoolean}};

// Three films. No word of the titles but "the" is in three rows; "Comedy" and "Drama" are in two.
MetadataTable films() {
  MetadataTable table(kFields);
  table.add("1", Row{FieldValue::of("Comedy|Drama"), FieldValue::of("The Cat"),
                     FieldValue::of(1999.0), FieldValue::of(0.0)});
  table.add("2",
            Row{FieldValue::of(" Drama | Comedy |Drama"), FieldValue::of("the cat and the dog"),
                FieldValue::of(2001.0), FieldValue::of(0.0)});
  table.add("3", Row{FieldValue::of("War"), FieldValue::of("THE a"), FieldValue::missing(),
                     FieldValue::of(1.0)});
  return table;
}

std::vector<std::string> names(const MetadataEncoder& encoder) {
  std::vector<std::string> found;
  for (size_t i = 0; i < encoder.size(); ++i)
    found.push_back(encoder.name(static_cast<ColumnIndex>(i)));
  return found;
}

// The columns of a row of fields as they were learnt.
std::vector<ColumnIndex> columns_of(const MetadataEncoder& encoder, const Row& row) {
  std::vector<ColumnIndex> columns;
  encoder.encode(encoder.places_in(encoder.fields()), row, 0, columns);
  return columns;
}

std::vector<std::string> names_of(const MetadataEncoder& encoder, const Row& row) {
  std::vector<std::string> found;
  for (const ColumnIndex column : columns_of(encoder, row)) found.push_back(encoder.name(column));
  return found;
}

using Texts = std::vector<std::string>;

TEST(MetadataEncoder, LearnsAColumnForEachValueThatEnoughRowsHave) {
  EXPECT_EQ(names(MetadataEncoder::learn(films())),
            (Texts{"GENRES Comedy", "GENRES Drama", "TITLE the", "YEAR under 2001",
                   "YEAR from 2001", "ADULT false"}));
}

TEST(MetadataEncoder, GivesARowItsColumnsAscendingEachOnceCountedFromFirst) {
  const MetadataEncoder encoder = MetadataEncoder::learn(films());
  std::vector<ColumnIndex> columns = {9};
  encoder.encode(encoder.places_in(kFields),
                 Row{FieldValue::of("Drama|Comedy|Drama"), FieldValue::of("the The THE"),
                     FieldValue::of(2001.0), FieldValue::of(0.0)},
                 100, columns);
  EXPECT_EQ(columns, (std::vector<ColumnIndex>{9, 100, 101, 102, 104, 105}));
}

TEST(MetadataEncoder, ValuesThatAreMissingUnknownOrOfTheWrongTypeHaveNoColumns) {
  const MetadataEncoder encoder = MetadataEncoder::learn(films());
  EXPECT_EQ(columns_of(encoder, Row(4)), std::vector<ColumnIndex>());
  EXPECT_EQ(names_of(encoder, Row{FieldValue::of("comedy|War|Dram|Dramas"), FieldValue::of("cat a"),
                                  FieldValue::missing(), FieldValue::of(1.0)}),
            Texts());
  EXPECT_EQ(names_of(encoder, Row{FieldValue::of(1.0), FieldValue::of(1.0), FieldValue::of("1999"),
                                  FieldValue::of("false")}),
            Texts());
  EXPECT_EQ(columns_of(encoder, Row{}), std::vector<ColumnIndex>());
}

TEST(MetadataEncoder, FindsFieldsByNameAndTakesThoseOfAnotherKindAsLost) {
  const MetadataEncoder encoder = MetadataEncoder::learn(films());
  // TITLE is gone, YEAR has become a text, PRICE is new, and the order is another.
  const std::vector<MetadataField> now = {{"YEAR", FieldKind::kCategorical},
                                          {"ADULT", FieldKind::kBoolean},
                                          {"PRICE", FieldKind::kNumber},
                                          {"GENRES", FieldKind::kCategorical}};
  const FieldPlaces places = encoder.places_in(now);
  EXPECT_EQ(places.places, (std::vector<int>{3, -1, -1, 1}));
  std::vector<ColumnIndex> columns;
  encoder.encode(places,
                 Row{FieldValue::of("2001"), FieldValue::of(0.0), FieldValue::of(2001.0),
                     FieldValue::of("Drama")},
                 0, columns);
  EXPECT_EQ(columns, (std::vector<ColumnIndex>{1, 5}));
  EXPECT_EQ(encoder.places_in({}).places, (std::vector<int>{-1, -1, -1, -1}));
}

TEST(MetadataEncoder, PutsNumbersNeverSeenIntoTheBucketAroundThem) {
  MetadataTable table(std::vector<MetadataField>{{"PRICE", FieldKind::kNumber}});
  for (int i = 0; i < 1600; ++i)
    table.add(std::to_string(i), Row{FieldValue::of(static_cast<double>(i))});
  const MetadataEncoder encoder = MetadataEncoder::learn(table);
  EXPECT_EQ(encoder.size(), 20u);
  EXPECT_EQ(names_of(encoder, Row{FieldValue::of(250.5)}),
            (Texts{"PRICE 200 to under 300", "PRICE under 400"}));
  EXPECT_EQ(names_of(encoder, Row{FieldValue::of(-1e300)}),
            (Texts{"PRICE under 100", "PRICE under 400"}));
  EXPECT_EQ(names_of(encoder, Row{FieldValue::of(1e300)}),
            (Texts{"PRICE from 1500", "PRICE from 1200"}));
}

TEST(MetadataEncoder, AgreesWithAMapOfTextsOnRandomRows) {
  std::mt19937 random(3);
  const std::vector<MetadataField> fields = {{"A", FieldKind::kCategorical},
                                             {"B", FieldKind::kText}};
  const auto text = [&](const char* between) {
    std::string made;
    for (size_t n = random() % 5; n > 0; --n) made += "v" + std::to_string(random() % 60) + between;
    return made;
  };
  std::vector<std::pair<std::string, std::string>> rows(150);
  MetadataTable table(fields);
  std::map<std::string, std::set<size_t>> having;  // name of a column: rows
  for (size_t row = 0; row < rows.size(); ++row) {
    rows[row] = {text("|"), text(", ")};
    table.add(std::to_string(row),
              Row{FieldValue::of(rows[row].first), FieldValue::of(rows[row].second)});
    for (size_t v = 0; v < 60; ++v) {
      const std::string value = "v" + std::to_string(v);
      if (("|" + rows[row].first).find("|" + value + "|") != std::string::npos)
        having["A " + value].insert(row);
      if ((" " + rows[row].second).find(" " + value + ",") != std::string::npos)
        having["B " + value].insert(row);
    }
  }
  std::erase_if(having, [](const auto& entry) {
    return entry.second.size() < (entry.first[0] == 'A' ? 2u : 3u);
  });
  const MetadataEncoder encoder = MetadataEncoder::learn(table);
  Texts expected;
  for (const auto& [name, unused] : having) expected.push_back(name);
  ASSERT_EQ(names(encoder), expected);
  for (size_t row = 0; row < rows.size(); ++row) {
    Texts columns;
    for (const auto& [name, known] : having)
      if (known.count(row)) columns.push_back(name);
    ASSERT_EQ(
        names_of(encoder, Row{FieldValue::of(rows[row].first), FieldValue::of(rows[row].second)}),
        columns);
  }
}

TEST(MetadataEncoder, KeepsTheColumnsThatMostRowsHaveOfACategoryWithTenThousandValues) {
  MetadataTable table(std::vector<MetadataField>{{"BRAND", FieldKind::kCategorical},
                                                 {"PRICE", FieldKind::kNumber}});
  // Brand i has 2 rows, brands 0 .. 99 have 3.
  for (int i = 0; i < 20'100; ++i)
    table.add(std::to_string(i), Row{FieldValue::of("b" + std::to_string(i % 10'000)),
                                     FieldValue::of(static_cast<double>(i % 7))});
  const MetadataEncoder encoder = MetadataEncoder::learn(table);
  ASSERT_EQ(encoder.size(), kMostColumns);
  for (const int brand : {0, 57, 99})
    EXPECT_EQ(names_of(encoder, Row{FieldValue::of("b" + std::to_string(brand)), {}}),
              Texts{"BRAND b" + std::to_string(brand)});
  // All numbers are had by more rows than any brand.
  for (int price = 0; price < 7; ++price)
    EXPECT_GE(columns_of(encoder, Row{{}, FieldValue::of(static_cast<double>(price))}).size(), 1u);
  // Among equals the order of the text decides, so that it is the same each time.
  EXPECT_EQ(names(encoder), names(MetadataEncoder::learn(table)));
}

TEST(MetadataEncoder, WithoutATableHasNoColumns) {
  const MetadataEncoder none;
  EXPECT_EQ(none.size(), 0u);
  EXPECT_TRUE(none.fields().empty());
  EXPECT_EQ(none.name(0), "");
  std::vector<ColumnIndex> columns;
  none.encode(none.places_in(kFields), Row(4), 0, columns);
  EXPECT_TRUE(columns.empty());
  EXPECT_EQ(MetadataEncoder::learn(MetadataTable(kFields)).size(), 0u);
  EXPECT_EQ(MetadataEncoder::learn(MetadataTable()).size(), 0u);
}

TEST(MetadataEncoder, IsTheSameAfterItWasStored) {
  const MetadataEncoder encoder = MetadataEncoder::learn(films());
  BlobWriter writer;
  encoder.write("items", writer);
  MetadataEncoder().write("users", writer);
  MetadataEncoder::learn(MetadataTable(kFields)).write("context", writer);
  const AlignedBlob blob(writer);
  const auto opened = MetadataEncoder::open("items", blob.view());
  ASSERT_TRUE(opened.is_ok()) << opened.status().message();
  EXPECT_EQ(names(*opened), names(encoder));
  EXPECT_TRUE(std::equal(kFields.begin(), kFields.end(), opened->fields().begin()));
  const Row row{FieldValue::of("Drama"), FieldValue::of("the"), FieldValue::of(1.0),
                FieldValue::of(0.0)};
  EXPECT_EQ(columns_of(*opened, row), columns_of(encoder, row));
  EXPECT_EQ(MetadataEncoder::open("users", blob.view())->size(), 0u);
  EXPECT_EQ(MetadataEncoder::open("context", blob.view())->fields().size(), 4u);
  EXPECT_EQ(MetadataEncoder::open("context", blob.view())->size(), 0u);
}

TEST(MetadataEncoder, ReadsNoDamagedBlobPastItsEnds) {
  BlobWriter writer;
  const MetadataEncoder encoder = MetadataEncoder::learn(films());
  encoder.write("items", writer);
  const std::vector<std::byte> good = writer.finish();
  // Behind the header and the table of five sections: BlobView looks after these itself.
  const size_t begin = 24 + 5 * 72;
  std::mt19937 random(1);
  int refused = 0, names_read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bytes = good;
    for (size_t n = 1 + random() % 3; n > 0; --n)
      bytes[begin + random() % (bytes.size() - begin)] =
          static_cast<std::byte>(random() % 3 ? random() % 8 : 255);
    const AlignedBlob blob(bytes);
    const auto opened = MetadataEncoder::open("items", blob.view());
    if (!opened.is_ok()) {
      EXPECT_EQ(opened.status().code(), StatusCode::kCorrupt);
      ++refused;
      continue;
    }
    for (const std::string& name : names(*opened)) names_read += static_cast<int>(name.size());
    const size_t size = opened->size();
    for (const ColumnIndex column :
         columns_of(*opened, Row{FieldValue::of("Comedy|Drama"), FieldValue::of("the"),
                                 FieldValue::of(2000.0), FieldValue::of(0.0)}))
      EXPECT_LT(column, size);
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(names_read, 1000);
}

}  // namespace
}  // namespace personalize
