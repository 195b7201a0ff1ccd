#include "engine/serving/filter_evaluation.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <optional>

namespace personalize {
namespace {

bool same_text(std::string_view a, std::string_view b, bool ignore_case) {
  return a.size() == b.size() &&
         (ignore_case ? strncasecmp(a.data(), b.data(), a.size()) == 0 : a == b);
}

// Calls piece(text) for each piece of "a|b" until one says true.
template <typename Piece>
bool any_piece(std::string_view text, const Piece& piece) {
  for (;;) {
    const size_t end = text.find('|');
    std::string_view one = text.substr(0, end);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (piece(one)) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

bool is_order(FilterOperator comparison) {
  return comparison == FilterOperator::kLess || comparison == FilterOperator::kLessOrEqual ||
         comparison == FilterOperator::kGreater || comparison == FilterOperator::kGreaterOrEqual;
}

FilterScalar scalar_of(const FieldValue& value) {
  if (value.type == FieldValue::Type::kNumber)
    return {true, value.number, fmt::format("{}", value.number)};
  return {false, 0, std::string(value.text)};
}

}  // namespace

Result<std::optional<ReadyCondition>> ReadyCondition::make(const FilterCondition& condition,
                                                           FieldKind kind, bool ignore_case,
                                                           const FilterValues& values,
                                                           const FilterFieldValue& current) {
  const bool numeric = kind == FieldKind::kNumber || kind == FieldKind::kBoolean;
  if (!numeric && is_order(condition.comparison))
    return Status(
        StatusCode::kInvalidInput,
        fmt::format("filter: {} is a text; <, <=, > and >= compare numbers", condition.field.name));
  ReadyCondition ready;
  ready.comparison_ = condition.comparison;
  ready.splits_ = kind == FieldKind::kCategorical;
  ready.ignore_case_ = ignore_case;
  for (const FilterOperand& operand : condition.operands) {
    switch (operand.kind) {
      case FilterOperand::Kind::kAny:
        ready.any_ = true;
        break;
      case FilterOperand::Kind::kText:
        ready.values_.push_back({false, 0, operand.text});
        break;
      case FilterOperand::Kind::kNumber:
        ready.values_.push_back({true, operand.number, fmt::format("{}", operand.number)});
        break;
      case FilterOperand::Kind::kParameter: {
        const std::vector<FilterScalar>* given = values.find(operand.text);
        if (given == nullptr) return std::optional<ReadyCondition>();
        ready.values_.insert(ready.values_.end(), given->begin(), given->end());
        break;
      }
      case FilterOperand::Kind::kField: {
        const FieldValue value = current(operand.field);
        if (value.type == FieldValue::Type::kMissing) break;
        if (value.type == FieldValue::Type::kText) {
          (void)any_piece(value.text, [&](std::string_view piece) {
            ready.values_.push_back({false, 0, std::string(piece)});
            return false;
          });
        } else {
          ready.values_.push_back(scalar_of(value));
        }
        break;
      }
    }
  }
  if (numeric) {
    for (const FilterScalar& scalar : ready.values_) {
      if (scalar.is_number) {
        ready.numbers_.push_back(scalar.number);
      } else if (kind == FieldKind::kBoolean &&
                 (same_text(scalar.text, "true", true) || same_text(scalar.text, "false", true))) {
        ready.numbers_.push_back(same_text(scalar.text, "true", true) ? 1 : 0);
      } else {
        return Status(StatusCode::kInvalidInput,
                      fmt::format("filter: {} is a number, and is compared with '{}'",
                                  condition.field.name, scalar.text));
      }
    }
    std::sort(ready.numbers_.begin(), ready.numbers_.end());
  }
  std::sort(ready.values_.begin(), ready.values_.end(),
            [](const FilterScalar& a, const FilterScalar& b) { return a.text < b.text; });
  return std::optional<ReadyCondition>(std::move(ready));
}

bool ReadyCondition::in_list(std::string_view text) const {
  if (ignore_case_)
    return std::any_of(values_.begin(), values_.end(), [&](const FilterScalar& value) {
      return same_text(value.text, text, true);
    });
  const auto found = std::lower_bound(
      values_.begin(), values_.end(), text,
      [](const FilterScalar& value, std::string_view wanted) { return value.text < wanted; });
  return found != values_.end() && found->text == text;
}

bool ReadyCondition::is_among(const FieldValue& value) const {
  if (value.type == FieldValue::Type::kMissing) return false;
  if (any_) return true;
  if (value.type == FieldValue::Type::kNumber)
    return std::binary_search(numbers_.begin(), numbers_.end(), value.number);
  if (!splits_) return in_list(value.text);
  return any_piece(value.text, [this](std::string_view piece) { return in_list(piece); });
}

bool ReadyCondition::passes(const FieldValue& value) const {
  switch (comparison_) {
    case FilterOperator::kIn:
    case FilterOperator::kEqual:
      return is_among(value);
    case FilterOperator::kNotIn:
      return !is_among(value);
    case FilterOperator::kNotEqual:
      return value.type != FieldValue::Type::kMissing && !is_among(value);
    default:
      break;
  }
  if (value.type != FieldValue::Type::kNumber || numbers_.empty()) return false;
  // Of several values of a parameter the comparison holds if it holds for one of them.
  switch (comparison_) {
    case FilterOperator::kLess:
      return value.number < numbers_.back();
    case FilterOperator::kLessOrEqual:
      return value.number <= numbers_.back();
    case FilterOperator::kGreater:
      return value.number > numbers_.front();
    default:
      return value.number >= numbers_.front();
  }
}

int find_field(std::span<const MetadataField> fields, std::string_view name) {
  for (size_t i = 0; i < fields.size(); i++)
    if (same_text(fields[i].name, name, true)) return static_cast<int>(i);
  return -1;
}

Result<std::optional<ReadyClause>> ReadyClause::make(const FilterClause& clause,
                                                     std::span<const MetadataField> fields,
                                                     const FilterValues& values,
                                                     const FilterFieldValue& current) {
  ReadyClause ready;
  for (const auto& group : clause.any_of) {
    auto& placed = ready.any_of_.emplace_back();
    for (const FilterCondition& condition : group) {
      const int field = find_field(fields, condition.field.name);
      if (field < 0) {
        std::string known;
        for (const MetadataField& one : fields) known += (known.empty() ? "" : ", ") + one.name;
        return Status(StatusCode::kInvalidInput,
                      fmt::format("filter: there is no field '{}'; there are: {}",
                                  condition.field.name, known));
      }
      const bool ignore_case = condition.field.dataset == FilterDataset::kInteractions &&
                               same_text(condition.field.name, "EVENT_TYPE", true);
      PERSONALIZE_ASSIGN_OR_RETURN(
          std::optional<ReadyCondition> one,
          ReadyCondition::make(condition, fields[static_cast<size_t>(field)].kind, ignore_case,
                               values, current));
      if (!one) return std::optional<ReadyClause>();
      placed.push_back({static_cast<size_t>(field), *std::move(one)});
    }
  }
  return std::optional<ReadyClause>(std::move(ready));
}

bool ReadyClause::passes(std::span<const FieldValue> row) const {
  return std::any_of(any_of_.begin(), any_of_.end(), [&](const std::vector<Placed>& group) {
    return std::all_of(group.begin(), group.end(), [&](const Placed& placed) {
      return placed.condition.passes(row[placed.field]);
    });
  });
}

}  // namespace personalize
