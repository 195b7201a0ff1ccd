// Filter expressions of Amazon Personalize: which items (or users) an answer may hold.
//
//   EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream")
//   INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE IF CurrentUser.AGE > 18
//   INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE
//   INCLUDE ... | EXCLUDE ...
//
// Source: Amazon Personalize developer guide, "Filter expression structure and elements".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace personalize {

// Amazon's limit is 2,500.
inline constexpr size_t kLongestFilterExpression = 100'000;
// Amazon's is 25.
inline constexpr size_t kMostFilterParameters = 1'000;

enum class FilterVerb { kInclude, kExclude };
enum class FilterSubject { kItem, kUser };  // ItemID, UserID

// Whose field a condition looks at, or a value comes from.
enum class FilterDataset { kInteractions, kItems, kUsers, kCurrentUser, kCurrentItem };

enum class FilterOperator {
  kIn,
  kNotIn,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
};

struct FilterField {
  FilterDataset dataset = FilterDataset::kItems;
  std::string name;  // as written
  size_t place = 0;  // of its first byte in the expression
};

// What a field is compared with.
struct FilterOperand {
  enum class Kind {
    kText,
    kNumber,
    kAny,        // *
    kParameter,  // $NAME, given with the question
    kField,      // CurrentUser.FIELD, CurrentItem.FIELD
  };
  Kind kind = Kind::kText;
  std::string text;  // the text, or the parameter's name
  double number = 0;
  FilterField field;
  size_t place = 0;
};

struct FilterCondition {
  FilterField field;
  FilterOperator comparison = FilterOperator::kIn;
  // At least one; exactly one unless the comparison is IN or NOT IN. A parameter or a field is
  // alone.
  std::vector<FilterOperand> operands;
};

// One expression between '|'.
struct FilterClause {
  FilterVerb verb = FilterVerb::kInclude;
  FilterSubject subject = FilterSubject::kItem;
  // WHERE: true where all conditions of one of the groups are (AND binds closer than OR). All look
  // at the same dataset.
  std::vector<std::vector<FilterCondition>> any_of;
  // IF: the clause counts only where all of these hold; of CurrentUser alone.
  std::vector<FilterCondition> conditions_of_user;
};

struct FilterExpression {
  std::vector<FilterClause> clauses;    // at least one, all with the same subject
  std::vector<std::string> parameters;  // names without '$', each once, in order of first sight
};

// Reads an expression. Keywords and names of datasets are matched whatever their case. Errors:
// kInvalidInput that says what was expected, and shows the place under the expression with a caret.
// Needs memory in proportion to the expression; nothing nests.
Result<FilterExpression> parse_filter(std::string_view expression);

// A message about a place in an expression: the message, then the line around the place and a caret
// below it.
std::string at_place(std::string_view message, std::string_view expression, size_t place);

}  // namespace personalize
