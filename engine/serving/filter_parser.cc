#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "engine/serving/filter_expression.h"
#include "engine/serving/filter_lexer.h"

namespace personalize {
namespace {

using Kind = FilterToken::Kind;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

struct DatasetName {
  std::string_view name;
  FilterDataset dataset;
};
constexpr DatasetName kDatasets[] = {
    {"Interactions", FilterDataset::kInteractions},
    {"Items", FilterDataset::kItems},
    {"Users", FilterDataset::kUsers},
    {"CurrentUser", FilterDataset::kCurrentUser},
    {"CurrentItem", FilterDataset::kCurrentItem},
};

struct OperatorName {
  std::string_view name;
  FilterOperator comparison;
};
constexpr OperatorName kOperators[] = {
    {"=", FilterOperator::kEqual},           {"!=", FilterOperator::kNotEqual},
    {"<=", FilterOperator::kLessOrEqual},    {"<", FilterOperator::kLess},
    {">=", FilterOperator::kGreaterOrEqual}, {">", FilterOperator::kGreater},
};

// Reads one expression, one token ahead.
class Parser {
 public:
  explicit Parser(std::string_view expression) : expression_(expression), lexer_(expression) {}

  Result<FilterExpression> run() {
    PERSONALIZE_RETURN_IF_ERROR(advance());
    FilterExpression result;
    do {
      PERSONALIZE_ASSIGN_OR_RETURN(FilterClause clause, this->clause());
      if (!result.clauses.empty() && clause.subject != result.clauses.front().subject)
        return wrong("ItemID and UserID cannot be filtered in one expression", clause_place_);
      result.clauses.push_back(std::move(clause));
    } while (takes_symbol("|"));
    PERSONALIZE_RETURN_IF_ERROR(status_);
    if (token_.kind != Kind::kEnd) return expected("AND, OR, IF, | or the end");
    result.parameters = std::move(parameters_);
    return result;
  }

 private:
  Status wrong(std::string_view message, size_t place) const {
    return {StatusCode::kInvalidInput, at_place(message, expression_, place)};
  }
  Status expected(std::string_view what) const {
    PERSONALIZE_RETURN_IF_ERROR(status_);
    return wrong(fmt::format("{} was expected here", what), token_.place);
  }

  Status advance() {
    PERSONALIZE_ASSIGN_OR_RETURN(token_, lexer_.next());
    return Status::ok();
  }

  bool is_word(std::string_view word) const {
    return token_.kind == Kind::kWord && same(token_.text, word);
  }
  bool is_symbol(std::string_view symbol) const {
    return token_.kind == Kind::kSymbol && token_.text == symbol;
  }
  // Consumes the token if it is this one. What goes wrong after it is kept in status_, which every
  // loop that ends asks.
  bool takes_word(std::string_view word) {
    if (!status_.is_ok() || !is_word(word)) return false;
    status_ = advance();
    return status_.is_ok();
  }
  bool takes_symbol(std::string_view symbol) {
    if (!status_.is_ok() || !is_symbol(symbol)) return false;
    status_ = advance();
    return status_.is_ok();
  }

  Result<FilterClause> clause() {
    FilterClause clause;
    clause_place_ = token_.place;
    if (takes_word("EXCLUDE"))
      clause.verb = FilterVerb::kExclude;
    else if (!takes_word("INCLUDE"))
      return expected("INCLUDE or EXCLUDE");
    if (is_word("ActionID"))
      return wrong("actions are not filtered here; there are ItemID and UserID", token_.place);
    if (takes_word("UserID"))
      clause.subject = FilterSubject::kUser;
    else if (!takes_word("ItemID"))
      return expected("ItemID or UserID");
    if (!takes_word("WHERE")) return expected("WHERE");
    PERSONALIZE_RETURN_IF_ERROR(where(clause));
    if (takes_word("IF")) {
      do {
        PERSONALIZE_ASSIGN_OR_RETURN(FilterCondition one, condition());
        if (one.field.dataset != FilterDataset::kCurrentUser)
          return wrong("IF asks about CurrentUser alone", one.field.place);
        clause.conditions_of_user.push_back(std::move(one));
      } while (takes_word("AND"));
    }
    PERSONALIZE_RETURN_IF_ERROR(status_);
    return clause;
  }

  Status where(FilterClause& clause) {
    clause.any_of.emplace_back();
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(FilterCondition one, condition());
      PERSONALIZE_RETURN_IF_ERROR(check_dataset(clause, one.field));
      clause.any_of.back().push_back(std::move(one));
      if (takes_word("OR")) {
        clause.any_of.emplace_back();
      } else if (!takes_word("AND")) {
        return status_;
      }
    }
  }

  Status check_dataset(const FilterClause& clause, const FilterField& field) const {
    if (field.dataset == FilterDataset::kCurrentUser ||
        field.dataset == FilterDataset::kCurrentItem)
      return wrong(
          "WHERE asks about Items, Users or Interactions; CurrentUser stands after IF, or "
          "CurrentItem to the right of a comparison",
          field.place);
    const bool of_users = field.dataset == FilterDataset::kUsers;
    if (field.dataset == FilterDataset::kItems && clause.subject == FilterSubject::kUser)
      return wrong("UserID is filtered by Users or Interactions", field.place);
    if (of_users && clause.subject == FilterSubject::kItem)
      return wrong(
          "ItemID is filtered by Items or Interactions; what the user is stands after IF, "
          "as CurrentUser",
          field.place);
    const FilterCondition* first =
        clause.any_of.front().empty() ? nullptr : &clause.any_of.front().front();
    if (first != nullptr && first->field.dataset != field.dataset)
      return wrong("AND and OR stay within one dataset; chain two expressions with |", field.place);
    return Status::ok();
  }

  Result<FilterField> field() {
    FilterField field;
    field.place = token_.place;
    const DatasetName* found =
        token_.kind != Kind::kWord
            ? nullptr
            : std::find_if(std::begin(kDatasets), std::end(kDatasets),
                           [&](const DatasetName& d) { return same(d.name, token_.text); });
    if (found == nullptr || found == std::end(kDatasets))
      return expected("Items, Users, Interactions, CurrentUser or CurrentItem");
    field.dataset = found->dataset;
    PERSONALIZE_RETURN_IF_ERROR(advance());
    if (!takes_symbol(".")) return expected(fmt::format("a '.' and a field of {}", found->name));
    if (token_.kind != Kind::kWord) return expected(fmt::format("a field of {}", found->name));
    field.name = token_.text;
    PERSONALIZE_RETURN_IF_ERROR(advance());
    return field;
  }

  Result<FilterCondition> condition() {
    FilterCondition condition;
    PERSONALIZE_ASSIGN_OR_RETURN(condition.field, field());
    if (takes_word("NOT")) {
      condition.comparison = FilterOperator::kNotIn;
      if (!takes_word("IN")) return expected("IN");
      PERSONALIZE_RETURN_IF_ERROR(list(condition));
      return condition;
    }
    if (takes_word("IN")) {
      PERSONALIZE_RETURN_IF_ERROR(list(condition));
      return condition;
    }
    for (const OperatorName& one : kOperators)
      if (takes_symbol(one.name)) {
        condition.comparison = one.comparison;
        PERSONALIZE_RETURN_IF_ERROR(compared(condition));
        return condition;
      }
    return expected("IN, NOT IN, =, !=, <, <=, > or >=");
  }

  // What stands to the right of a comparison, with or without parentheses.
  Status compared(FilterCondition& condition) {
    const bool inside = takes_symbol("(");
    PERSONALIZE_ASSIGN_OR_RETURN(FilterOperand one, operand());
    if (one.kind == FilterOperand::Kind::kAny) return wrong("* stands after IN alone", one.place);
    condition.operands.push_back(std::move(one));
    if (inside && !takes_symbol(")")) return expected(")");
    return status_;
  }

  // What stands after IN.
  Status list(FilterCondition& condition) {
    if (!is_symbol("(")) {
      PERSONALIZE_ASSIGN_OR_RETURN(FilterOperand one, operand());
      if (one.kind != FilterOperand::Kind::kField && one.kind != FilterOperand::Kind::kAny)
        return wrong("values after IN stand in parentheses", one.place);
      condition.operands.push_back(std::move(one));
      return check_list(condition);
    }
    (void)takes_symbol("(");
    do {
      PERSONALIZE_RETURN_IF_ERROR(status_);
      PERSONALIZE_ASSIGN_OR_RETURN(FilterOperand one, operand());
      condition.operands.push_back(std::move(one));
    } while (takes_symbol(","));
    if (!takes_symbol(")")) return expected(", or )");
    return check_list(condition);
  }

  Status check_list(const FilterCondition& condition) const {
    for (const FilterOperand& one : condition.operands) {
      const bool alone = one.kind == FilterOperand::Kind::kParameter ||
                         one.kind == FilterOperand::Kind::kField ||
                         one.kind == FilterOperand::Kind::kAny;
      if (alone && condition.operands.size() > 1)
        return wrong(
            "a parameter, a field or * is alone in its list; a parameter may hold several "
            "values",
            one.place);
      if (one.kind == FilterOperand::Kind::kParameter &&
          condition.comparison == FilterOperator::kNotIn)
        return wrong("no parameter stands after NOT IN; take IN and the opposite verb", one.place);
    }
    return Status::ok();
  }

  Result<FilterOperand> operand() {
    FilterOperand operand;
    operand.place = token_.place;
    switch (token_.kind) {
      case Kind::kText:
        operand.text = token_.text;
        break;
      case Kind::kNumber:
        operand.kind = FilterOperand::Kind::kNumber;
        operand.number = token_.number;
        break;
      case Kind::kParameter:
        operand.kind = FilterOperand::Kind::kParameter;
        operand.text = token_.text;
        if (std::find(parameters_.begin(), parameters_.end(), operand.text) == parameters_.end()) {
          if (parameters_.size() == kMostFilterParameters)
            return wrong(fmt::format("a filter has at most {} parameters", kMostFilterParameters),
                         operand.place);
          parameters_.push_back(operand.text);
        }
        break;
      case Kind::kWord: {
        if (is_word("TRUE") || is_word("FALSE")) {
          operand.text = token_.text;
          break;
        }
        operand.kind = FilterOperand::Kind::kField;
        PERSONALIZE_ASSIGN_OR_RETURN(operand.field, field());
        if (operand.field.dataset != FilterDataset::kCurrentItem &&
            operand.field.dataset != FilterDataset::kCurrentUser)
          return wrong("a field on the right is one of CurrentItem or CurrentUser", operand.place);
        return operand;
      }
      case Kind::kSymbol:
        if (is_symbol("*")) {
          operand.kind = FilterOperand::Kind::kAny;
          break;
        }
        [[fallthrough]];
      case Kind::kEnd:
        return expected("a text in double quotes, a number, $PARAMETER or CurrentItem.FIELD");
    }
    PERSONALIZE_RETURN_IF_ERROR(advance());
    return operand;
  }

  std::string_view expression_;
  FilterLexer lexer_;
  FilterToken token_;
  Status status_;
  size_t clause_place_ = 0;
  std::vector<std::string> parameters_;
};

}  // namespace

std::string at_place(std::string_view message, std::string_view expression, size_t place) {
  constexpr size_t kBefore = 40;
  constexpr size_t kShown = 76;
  size_t begin = place > kBefore ? place - kBefore : 0;
  // Not in the middle of a character.
  while (begin > 0 && (static_cast<unsigned char>(expression[begin]) & 0xC0) == 0x80) --begin;
  size_t end = std::min(expression.size(), begin + kShown);
  while (end < expression.size() && (static_cast<unsigned char>(expression[end]) & 0xC0) == 0x80)
    ++end;
  std::string line(expression.substr(begin, end - begin));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= '\t' && c <= '\r'; }, ' ');
  const std::string_view before = begin > 0 ? "... " : "";
  const std::string_view after = end < expression.size() ? " ..." : "";
  const auto characters = [&](size_t from) {
    const std::string_view part =
        expression.substr(from, std::min(place, expression.size()) - from);
    return std::count_if(part.begin(), part.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // continues no character
    });
  };
  return fmt::format("{} (character {})\n  {}{}{}\n  {:>{}}", message, characters(0) + 1, before,
                     line, after, "^", before.size() + static_cast<size_t>(characters(begin)) + 1);
}

Result<FilterExpression> parse_filter(std::string_view expression) {
  if (expression.size() > kLongestFilterExpression)
    return Status(StatusCode::kInvalidInput,
                  fmt::format("a filter expression has at most {} bytes, this one {}",
                              kLongestFilterExpression, expression.size()));
  return Parser(expression).run();
}

}  // namespace personalize
