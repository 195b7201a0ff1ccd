#include "engine/serving/filter_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/math/random.h"

namespace personalize {
namespace {

using testing::HasSubstr;

const std::vector<MetadataField> kFields = {{"GENRE", FieldKind::kCategorical},
                                            {"PRICE", FieldKind::kNumber},
                                            {"ON_SALE", FieldKind::kBoolean},
                                            {"TITLE", FieldKind::kText}};

FieldValue nothing(const FilterField&) { return FieldValue::missing(); }

// Whether the row passes the first clause's WHERE: "yes", "no", "ignored", or the error.
std::string verdict(const std::string& where, std::vector<FieldValue> row,
                    std::string_view values = "", const FilterFieldValue& current = nothing) {
  const auto parsed = parse_filter("EXCLUDE ItemID WHERE " + where);
  if (!parsed.is_ok()) return parsed.status().message();
  const auto given = FilterValues::parse(values);
  const auto clause = ReadyClause::make(parsed->clauses[0], kFields, *given, current);
  if (!clause.is_ok()) return clause.status().message();
  if (!clause->has_value()) return "ignored";
  return (*clause)->passes(row) ? "yes" : "no";
}

const std::vector<FieldValue> kFilm = {FieldValue::of("Comedy|Film Noir"), FieldValue::of(9.5),
                                       FieldValue::of(1.0), FieldValue::of("A|B")};
const std::vector<FieldValue> kUnknown(4);

TEST(FilterEvaluation, FindsOnePieceOfACategoricalField) {
  EXPECT_EQ(verdict("Items.Genre IN (\"Drama\", \"Film Noir\")", kFilm), "yes");
  EXPECT_EQ(verdict("Items.Genre IN (\"Comedy|Film Noir\")", kFilm), "no");
  EXPECT_EQ(verdict("Items.Genre IN (\"comedy\")", kFilm), "no");
  EXPECT_EQ(verdict("Items.Genre NOT IN (\"Comedy\")", kFilm), "no");
  EXPECT_EQ(verdict("Items.Genre NOT IN (\"Drama\")", kFilm), "yes");
  EXPECT_EQ(verdict("Items.Genre IN (*)", kFilm), "yes");
}

TEST(FilterEvaluation, TakesOtherTextsWhole) {
  EXPECT_EQ(verdict("Items.TITLE IN (\"A\")", kFilm), "no");
  EXPECT_EQ(verdict("Items.TITLE = \"A|B\"", kFilm), "yes");
}

TEST(FilterEvaluation, ComparesNumbers) {
  EXPECT_EQ(verdict("Items.PRICE < 10", kFilm), "yes");
  EXPECT_EQ(verdict("Items.PRICE <= 9.5", kFilm), "yes");
  EXPECT_EQ(verdict("Items.PRICE < 9.5", kFilm), "no");
  EXPECT_EQ(verdict("Items.PRICE > 9.4", kFilm), "yes");
  EXPECT_EQ(verdict("Items.PRICE >= 9.6", kFilm), "no");
  EXPECT_EQ(verdict("Items.PRICE = 9.5", kFilm), "yes");
  EXPECT_EQ(verdict("Items.PRICE != 9.5", kFilm), "no");
  EXPECT_EQ(verdict("Items.PRICE IN (1, 9.5)", kFilm), "yes");
  EXPECT_EQ(verdict("Items.PRICE <= $P", kFilm, R"({"P": "12"})"), "yes");
}

TEST(FilterEvaluation, ComparesBooleans) {
  EXPECT_EQ(verdict("Items.ON_SALE = \"true\"", kFilm), "yes");
  EXPECT_EQ(verdict("Items.ON_SALE = 1", kFilm), "yes");
  EXPECT_EQ(verdict("Items.ON_SALE IN (\"False\")", kFilm), "no");
  EXPECT_EQ(verdict("Items.ON_SALE = $B", kFilm, R"({"B": true})"), "yes");
}

TEST(FilterEvaluation, TakesAMissingValueForNothing) {
  EXPECT_EQ(verdict("Items.Genre IN (*)", kUnknown), "no");
  EXPECT_EQ(verdict("Items.Genre NOT IN (\"Comedy\")", kUnknown), "yes");
  EXPECT_EQ(verdict("Items.PRICE != 1", kUnknown), "no");
  EXPECT_EQ(verdict("Items.PRICE < 1 OR Items.PRICE >= 1", kUnknown), "no");
}

TEST(FilterEvaluation, BindsAndCloserThanOr) {
  EXPECT_EQ(
      verdict("Items.PRICE > 100 AND Items.GENRE IN (\"Comedy\") OR Items.ON_SALE = 1", kFilm),
      "yes");
  EXPECT_EQ(verdict("Items.ON_SALE = 1 OR Items.PRICE > 100 AND Items.GENRE IN (\"Drama\")", kFilm),
            "yes");
  EXPECT_EQ(verdict("Items.ON_SALE = 0 OR Items.PRICE < 100 AND Items.GENRE IN (\"Drama\")", kFilm),
            "no");
}

TEST(FilterEvaluation, ComparesWithTheCurrentItem) {
  const FilterFieldValue current = [](const FilterField& field) {
    return field.name == "PRICE" ? FieldValue::of(10.0) : FieldValue::of("Drama|Comedy");
  };
  EXPECT_EQ(verdict("Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE", kFilm,
                    "", current),
            "yes");
  EXPECT_EQ(verdict("Items.PRICE > CurrentItem.PRICE", kFilm, "", current), "no");
  EXPECT_EQ(verdict("Items.GENRE IN CurrentItem.GENRE", kFilm), "no")
      << "an item of which nothing is known";
}

TEST(FilterEvaluation, IgnoresACaseWhoseParameterWasLeftOut) {
  EXPECT_EQ(verdict("Items.GENRE IN ($GENRE)", kFilm), "ignored");
  EXPECT_EQ(verdict("Items.GENRE IN ($GENRE)", kFilm, R"({"GENRE": []})"), "no");
}

TEST(FilterEvaluation, IgnoresTheCaseOfEventTypes) {
  const auto parsed = parse_filter("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"Click\")");
  const std::vector<MetadataField> fields = {{"EVENT_TYPE", FieldKind::kText}};
  const auto clause = ReadyClause::make(parsed->clauses[0], fields, FilterValues(), nothing);
  const std::vector<FieldValue> row = {FieldValue::of("cLICK")};
  EXPECT_TRUE((*clause)->passes(row));
}

TEST(FilterEvaluation, RefusesWhatCannotBeCompared) {
  EXPECT_THAT(verdict("Items.GENRE < 5", kFilm), HasSubstr("GENRE is a text"));
  EXPECT_THAT(verdict("Items.PRICE = \"cheap\"", kFilm),
              HasSubstr("PRICE is a number, and is compared with 'cheap'"));
  EXPECT_THAT(verdict("Items.COLOUR IN (\"red\")", kFilm),
              HasSubstr("no field 'COLOUR'; there are: GENRE, PRICE"));
}

// Random conditions on random rows, against the same questions asked the plain way.
TEST(FilterEvaluation, AgreesWithAPlainReadingOfRandomFilters) {
  Random random(3, 0);
  const std::vector<std::string> genres = {"a", "b", "c", "d"};
  int passed = 0;
  for (int round = 0; round < 3'000; round++) {
    std::vector<std::string> has, wanted;
    for (const std::string& genre : genres) {
      if (random.uniform() < 0.4) has.push_back(genre);
      if (random.uniform() < 0.4) wanted.push_back(genre);
    }
    if (wanted.empty()) wanted.push_back("a");
    const double price = std::floor(random.uniform() * 5);
    const double bound = std::floor(random.uniform() * 5);
    const bool negated = random.uniform() < 0.5;
    const bool either = random.uniform() < 0.5;
    std::string joined, list;
    for (const std::string& genre : has) joined += (joined.empty() ? "" : "|") + genre;
    for (const std::string& genre : wanted) list += (list.empty() ? "\"" : ", \"") + genre + "\"";
    const std::string where = std::string("Items.GENRE ") + (negated ? "NOT " : "") + "IN (" +
                              list + ") " + (either ? "OR" : "AND") +
                              " Items.PRICE >= " + std::to_string(bound);
    std::vector<FieldValue> row(4);
    if (!has.empty()) row[0] = FieldValue::of(joined);
    row[1] = FieldValue::of(price);
    const bool shares = std::any_of(has.begin(), has.end(), [&](const std::string& genre) {
      return std::find(wanted.begin(), wanted.end(), genre) != wanted.end();
    });
    const bool genre_passes = shares != negated;
    const bool price_passes = price >= bound;
    const bool expected = either ? genre_passes || price_passes : genre_passes && price_passes;
    passed += expected;
    ASSERT_EQ(verdict(where, row), expected ? "yes" : "no")
        << where << " of " << joined << ", " << price;
  }
  EXPECT_GT(passed, 500);
  EXPECT_LT(passed, 2'500);
}

}  // namespace
}  // namespace personalize
