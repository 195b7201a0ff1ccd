#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/math/random.h"
#include "engine/serving/filter_expression.h"

namespace personalize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An expression, written out from what was understood.
std::string field_text(const FilterField& field) {
  constexpr const char* kNames[] = {"Interactions", "Items", "Users", "CurrentUser", "CurrentItem"};
  return std::string(kNames[static_cast<int>(field.dataset)]) + "." + field.name;
}

std::string operand_text(const FilterOperand& operand) {
  switch (operand.kind) {
    case FilterOperand::Kind::kText: {
      std::string quoted = "\"";
      for (const char c : operand.text)
        quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
      return quoted + "\"";
    }
    case FilterOperand::Kind::kNumber: {
      char number[40];
      std::snprintf(number, sizeof(number), "%.17g", operand.number);
      return number;
    }
    case FilterOperand::Kind::kAny:
      return "*";
    case FilterOperand::Kind::kParameter:
      return "$" + operand.text;
    case FilterOperand::Kind::kField:
      return field_text(operand.field);
  }
  return "";
}

std::string condition_text(const FilterCondition& condition) {
  constexpr const char* kOperators[] = {"IN", "NOT IN", "=", "!=", "<", "<=", ">", ">="};
  std::string text =
      field_text(condition.field) + " " + kOperators[static_cast<int>(condition.comparison)] + " (";
  for (size_t i = 0; i < condition.operands.size(); i++)
    text += (i > 0 ? ", " : "") + operand_text(condition.operands[i]);
  return text + ")";
}

std::string text_of(const FilterExpression& expression) {
  std::string text;
  for (const FilterClause& clause : expression.clauses) {
    if (!text.empty()) text += " | ";
    text += clause.verb == FilterVerb::kInclude ? "INCLUDE " : "EXCLUDE ";
    text += clause.subject == FilterSubject::kItem ? "ItemID WHERE " : "UserID WHERE ";
    for (size_t i = 0; i < clause.any_of.size(); i++)
      for (size_t j = 0; j < clause.any_of[i].size(); j++)
        text += (j > 0 ? " AND " : i > 0 ? " OR " : "") + condition_text(clause.any_of[i][j]);
    for (size_t i = 0; i < clause.conditions_of_user.size(); i++)
      text += (i > 0 ? " AND " : " IF ") + condition_text(clause.conditions_of_user[i]);
  }
  return text;
}

std::string understood(std::string_view expression) {
  const auto parsed = parse_filter(expression);
  return parsed.is_ok() ? text_of(*parsed) : parsed.status().message();
}

TEST(FilterParser, UnderstandsAmazonsExamples) {
  for (
      const char* expression : {
          R"(EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream"))",
          R"(INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= ($PRICE) IF CurrentUser.AGE > (18))",
          R"(INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY) | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("favorite"))",
          R"(EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($EVENT_TYPE))",
          R"(EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*))",
          R"(EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("shoe") AND Items.CATEGORY_L2 NOT IN ("boot"))",
          R"(INCLUDE ItemID WHERE Items.PRICE < (10) OR Items.PRICE > (100) AND Items.GENRE IN ("a b", "c|d"))",
          R"(INCLUDE UserID WHERE Users.MEMBERSHIP IN ("gold") | EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("buy"))",
          R"(INCLUDE ItemID WHERE Items.PRICE < (CurrentItem.PRICE) AND Items.GENRE IN (CurrentItem.GENRE))",
      })
    EXPECT_EQ(understood(expression), expression);
}

TEST(FilterParser, ReadsComparisonsAndFieldsWithoutParentheses) {
  EXPECT_EQ(understood("INCLUDE ItemID WHERE Items.PRICE <= $PRICE IF CurrentUser.AGE > 18"),
            "INCLUDE ItemID WHERE Items.PRICE <= ($PRICE) IF CurrentUser.AGE > (18)");
  EXPECT_EQ(understood("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN "
                       "CurrentItem.GENRE"),
            "INCLUDE ItemID WHERE Items.PRICE < (CurrentItem.PRICE) AND Items.GENRE IN "
            "(CurrentItem.GENRE)");
}

TEST(FilterParser, TakesKeywordsWhateverTheirCaseAndFieldsAsTheyAre) {
  EXPECT_EQ(understood("include itemid where items.Genre not in (\"x\")if currentuser.age!=-1.5e2"),
            R"(INCLUDE ItemID WHERE Items.Genre NOT IN ("x") IF CurrentUser.age != (-150))");
}

TEST(FilterParser, ReadsBooleansAsTexts) {
  const auto parsed =
      parse_filter("INCLUDE ItemID WHERE Items.ON_SALE = true AND Items.NEW IN (False)");
  ASSERT_TRUE(parsed.is_ok()) << parsed.status().message();
  const auto& group = parsed->clauses[0].any_of[0];
  EXPECT_EQ(operand_text(group[0].operands[0]), "\"true\"");
  EXPECT_EQ(operand_text(group[1].operands[0]), "\"False\"");
}

TEST(FilterParser, ListsEachParameterOnceInOrder) {
  const auto parsed = parse_filter(
      "EXCLUDE ItemID WHERE Items.A IN ($b) OR Items.C = $B AND Items.D < $b | INCLUDE ItemID "
      "WHERE Items.A = $a");
  ASSERT_TRUE(parsed.is_ok()) << parsed.status().message();
  EXPECT_THAT(parsed->parameters, ElementsAre("b", "B", "a"));
}

TEST(FilterParser, QuotesEscapedQuotesInTexts) {
  const auto parsed = parse_filter(R"(EXCLUDE ItemID WHERE Items.A IN ("a\"b\\c\d"))");
  ASSERT_TRUE(parsed.is_ok());
  EXPECT_EQ(parsed->clauses[0].any_of[0][0].operands[0].text, R"(a"b\c\d)");
}

TEST(FilterParser, ShowsThePlaceOfWhatIsWrong) {
  EXPECT_EQ(understood("EXCLUDE ItemID WHERE Items.GENRE IN ()"),
            "a text in double quotes, a number, $PARAMETER or CurrentItem.FIELD was expected here "
            "(character 38)\n"
            "  EXCLUDE ItemID WHERE Items.GENRE IN ()\n"
            "                                       ^");
}

TEST(FilterParser, CountsCharactersNotBytesToThePlace) {
  EXPECT_THAT(
      understood("EXCLUDE ItemID WHERE Items.\xC3\x84 IN [1]"),
      HasSubstr(
          "\n  EXCLUDE ItemID WHERE Items.\xC3\x84 IN [1]\n                                  ^"));
}

struct Wrong {
  const char* expression;
  const char* message;
};

class FilterParserWrong : public testing::TestWithParam<Wrong> {};

TEST_P(FilterParserWrong, SaysWhatWasExpected) {
  const auto parsed = parse_filter(GetParam().expression);
  ASSERT_FALSE(parsed.is_ok());
  EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(parsed.status().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, FilterParserWrong,
    testing::Values(
        Wrong{"", "INCLUDE or EXCLUDE was expected"}, Wrong{"DROP TABLE x", "INCLUDE or EXCLUDE"},
        Wrong{"INCLUDE", "ItemID or UserID"},
        Wrong{"INCLUDE ActionID WHERE", "actions are not filtered"},
        Wrong{"INCLUDE ItemID Items.A = 1", "WHERE was expected"},
        Wrong{"INCLUDE ItemID WHERE Things.A = 1", "Items, Users, Interactions"},
        Wrong{"INCLUDE ItemID WHERE Items A = 1", "a '.' and a field of Items"},
        Wrong{"INCLUDE ItemID WHERE Items.A", "IN, NOT IN, ="},
        Wrong{"INCLUDE ItemID WHERE Items.A = *", "* stands after IN alone"},
        Wrong{"INCLUDE ItemID WHERE Items.A IN 5", "stand in parentheses"},
        Wrong{"INCLUDE ItemID WHERE Items.A IN (5", ", or ) was expected"},
        Wrong{"INCLUDE ItemID WHERE Items.A IN (\"x)", "no closing"},
        Wrong{"INCLUDE ItemID WHERE Items.A IN ('x')", "not in single ones"},
        Wrong{"INCLUDE ItemID WHERE Items.A IN ($a, $b)", "alone in its list"},
        Wrong{"INCLUDE ItemID WHERE Items.A NOT IN ($a)", "no parameter stands after NOT IN"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1 AND Interactions.B = 2", "within one dataset"},
        Wrong{"INCLUDE ItemID WHERE CurrentUser.A = 1", "CurrentUser stands after IF"},
        Wrong{"INCLUDE ItemID WHERE Users.A = 1", "as CurrentUser"},
        Wrong{"INCLUDE UserID WHERE Items.A = 1", "UserID is filtered by Users"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1 IF Items.B = 2", "CurrentUser alone"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.B = 2 OR CurrentUser.C = 3",
              "AND, OR, IF, | or the end"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.B = 2 IF CurrentUser.C = 3",
              "the end was expected"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1 | INCLUDE UserID WHERE Users.B = 1",
              "in one expression"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1 |", "INCLUDE or EXCLUDE"},
        Wrong{"INCLUDE ItemID WHERE (Items.A = 1)", "Items, Users, Interactions"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 1e999", "a number was expected"},
        Wrong{"INCLUDE ItemID WHERE Items.A = 12abc", "a number was expected"},
        Wrong{"INCLUDE ItemID WHERE Items.A = $", "begins with this character"},
        Wrong{"INCLUDE ItemID WHERE Items.A = Items.B", "CurrentItem or CurrentUser"}));

TEST(FilterParser, RefusesWhatIsTooLongAndReadsWhatIsDeep) {
  EXPECT_THAT(understood(std::string(100'001, ' ')),
              HasSubstr("at most 100000 bytes, this one 100001"));
  EXPECT_THAT(understood("INCLUDE ItemID WHERE " + std::string(90'000, '(')),
              HasSubstr("was expected"));
  std::string many = "INCLUDE ItemID WHERE Items.A = 1";
  while (many.size() < 99'000) many += " OR Items.A = 1";
  EXPECT_TRUE(parse_filter(many).is_ok());
  std::string chain = "INCLUDE ItemID WHERE Items.A = 1";
  while (chain.size() < 99'000) chain += "|EXCLUDE ItemID WHERE Items.A = 1";
  EXPECT_TRUE(parse_filter(chain).is_ok());
  std::string parameters = "INCLUDE ItemID WHERE Items.A = $p0";
  for (int i = 1; i < 1'500; i++) parameters += " OR Items.A = $p" + std::to_string(i);
  EXPECT_THAT(understood(parameters), HasSubstr("at most 1000 parameters"));
}

// Pieces of expressions in any order, cut and changed at random: every one is understood or refused
// with its place, and what is understood means the same when it is written out again.
TEST(FilterParser, UnderstandsOrRefusesWhateverItIsGiven) {
  constexpr const char* kPieces[] = {"INCLUDE ",
                                     "EXCLUDE ",
                                     "ItemID ",
                                     "UserID ",
                                     "WHERE ",
                                     "Items.A ",
                                     "Interactions.EVENT_TYPE ",
                                     "Users.B ",
                                     "IN ",
                                     "NOT IN ",
                                     "(",
                                     ")",
                                     "\"x\"",
                                     "\"",
                                     ",",
                                     "= ",
                                     "<= ",
                                     "1",
                                     "-2.5",
                                     "$P ",
                                     "AND ",
                                     "OR ",
                                     "IF ",
                                     "CurrentUser.AGE ",
                                     "CurrentItem.C ",
                                     "| ",
                                     "*",
                                     "\\",
                                     "\x80",
                                     "\xC3\xA4",
                                     " ",
                                     "INCLUDE ItemID WHERE Items.A = 1 ",
                                     "EXCLUDE ItemID WHERE Items.A IN (\"x\", \"y\") ",
                                     "IF CurrentUser.AGE > 18 "};
  Random random(7, 0);
  int understood_count = 0;
  for (int round = 0; round < 30'000; round++) {
    std::string expression;
    const auto pieces = 1 + static_cast<int>(random.uniform() * 12);
    for (int i = 0; i < pieces; i++)
      expression += kPieces[static_cast<size_t>(random.uniform() * std::size(kPieces))];
    if (random.uniform() < 0.3 && !expression.empty())
      expression[static_cast<size_t>(random.uniform() * static_cast<double>(expression.size()))] =
          static_cast<char>(random.uniform() * 256);
    const auto parsed = parse_filter(expression);
    if (!parsed.is_ok()) {
      ASSERT_THAT(parsed.status().message(), HasSubstr("(character ")) << expression;
      continue;
    }
    understood_count++;
    const auto again = parse_filter(text_of(*parsed));
    ASSERT_TRUE(again.is_ok()) << expression << "\n" << text_of(*parsed);
    ASSERT_EQ(text_of(*again), text_of(*parsed));
  }
  EXPECT_GT(understood_count, 100);
}

}  // namespace
}  // namespace personalize
