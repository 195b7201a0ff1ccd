#include "extension/filter_lookup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <vector>

#include "extension/catalog_checks.h"
#include "extension/dataset_lookup.h"

namespace personalize {
namespace {

constexpr size_t kMostFilters = 100;

DatasetKind kind_of(FilterDataset dataset) {
  switch (dataset) {
    case FilterDataset::kInteractions:
      return DatasetKind::kInteractions;
    case FilterDataset::kItems:
    case FilterDataset::kCurrentItem:
      return DatasetKind::kItems;
    case FilterDataset::kUsers:
    case FilterDataset::kCurrentUser:
      break;
  }
  return DatasetKind::kUsers;
}

// Calls each(field) for every field of an expression.
template <typename Each>
void for_each_field(const FilterExpression& expression, const Each& each) {
  const auto of = [&](const FilterCondition& condition) {
    each(condition.field);
    for (const FilterOperand& operand : condition.operands)
      if (operand.kind == FilterOperand::Kind::kField) each(operand.field);
  };
  for (const FilterClause& clause : expression.clauses) {
    for (const auto& group : clause.any_of)
      for (const FilterCondition& condition : group) of(condition);
    for (const FilterCondition& condition : clause.conditions_of_user) of(condition);
  }
}

// Looks each field up in the datasets of a group, of which each is looked up once.
class FieldCheck {
 public:
  FieldCheck(Connection& connection, std::string_view schema, std::string_view group)
      : connection_(connection), schema_(schema), group_(group) {}

  Status check(const FilterField& field, std::string_view text) {
    const DatasetKind kind = kind_of(field.dataset);
    const auto place = static_cast<size_t>(kind);
    if (!looked_[place]) {
      PERSONALIZE_ASSIGN_OR_RETURN(datasets_[place],
                                   find_dataset_of_group(connection_, schema_, group_, kind));
      looked_[place] = true;
    }
    const std::optional<Dataset>& dataset = datasets_[place];
    if (!dataset)
      return {StatusCode::kInvalidInput,
              at_place(fmt::format("filter: dataset group '{}' has no {} dataset", group_,
                                   dataset_kind_name(kind)),
                       text, field.place)};
    if (dataset->config.find(field.name) >= 0) return Status::ok();
    std::vector<std::string_view> names;
    for (const DatasetColumn& column : dataset->config.columns) names.push_back(column.name);
    return {StatusCode::kInvalidInput,
            at_place(fmt::format("filter: {} has no column '{}'; it has: {}", dataset->entry.table,
                                 field.name, fmt::join(names, ", ")),
                     text, field.place)};
  }

 private:
  Connection& connection_;
  std::string_view schema_, group_;
  bool looked_[3] = {};
  std::optional<Dataset> datasets_[3];
};

Result<std::string> named_filter(Connection& connection, const std::string& schema,
                                 const std::string& group, std::string_view name,
                                 std::string_view caller) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format(
          "SELECT expression FROM {}.personalize_filters WHERE name = ?1 AND dataset_group = ?2",
          sql_name(schema))));
  statement.bind(1, name);
  statement.bind(2, group);
  PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
  if (there) return std::string(statement.text(0));
  PERSONALIZE_ASSIGN_OR_RETURN(Statement all,
                               connection.cached(fmt::format(
                                   "SELECT group_concat(name, ', ') FROM (SELECT name FROM "
                                   "{}.personalize_filters WHERE dataset_group = ?1 ORDER BY name)",
                                   sql_name(schema))));
  all.bind(1, group);
  PERSONALIZE_RETURN_IF_ERROR(all.step().status());
  return Status(
      StatusCode::kNotFound,
      fmt::format("ResourceNotFoundException: {}: dataset group '{}' has no filter '{}'; there {}",
                  caller, group, name,
                  all.is_null(0) ? std::string("is none: INSERT INTO personalize_filters, or write "
                                               "the expression itself")
                                 : fmt::format("are: {}", all.text(0))));
}

}  // namespace

Result<Filter> check_filter(Connection& connection, std::string_view schema, std::string_view group,
                            std::string_view text) {
  Filter filter;
  filter.text = text;
  PERSONALIZE_ASSIGN_OR_RETURN(filter.expression, parse_filter(text));
  FieldCheck fields(connection, schema, group);
  Status status;
  for_each_field(filter.expression, [&](const FilterField& field) {
    if (status.is_ok()) status = fields.check(field, text);
    filter.reads_interactions |= field.dataset == FilterDataset::kInteractions;
    filter.reads_user |= field.dataset == FilterDataset::kCurrentUser;
    filter.reads_item |= field.dataset == FilterDataset::kCurrentItem;
  });
  PERSONALIZE_RETURN_IF_ERROR(status);
  return filter;
}

Status filter_failure(const Status& status, std::string_view caller) {
  if (status.code() != StatusCode::kInvalidInput) return status;
  if (status.message().starts_with("InvalidInputException")) return status;
  return {status.code(), fmt::format("InvalidInputException: {}: {}", caller, status.message())};
}

Result<std::shared_ptr<const Filter>> FilterLookup::find(
    Connection& connection, const std::string& schema, const std::string& group,
    std::string_view text, const DatasetStamp& now, std::string_view caller) {
  DatasetStamp& declared = declared_[schema];
  if (!now.same_declarations(declared) || filters_.size() >= kMostFilters) {
    filters_.clear();
    declared_.clear();
    declared_[schema] = now;
  }
  std::string named;
  if (check_name("filter", text).is_ok()) {
    PERSONALIZE_ASSIGN_OR_RETURN(named, named_filter(connection, schema, group, text, caller));
    text = named;
  }
  const std::string key = fmt::format("{}{}{}{}{}", schema, '\0', group, '\0', text);
  if (const auto found = filters_.find(key); found != filters_.end()) return found->second;
  Result<Filter> filter = check_filter(connection, schema, group, text);
  if (!filter.is_ok()) return filter_failure(filter.status(), caller);
  return filters_[key] = std::make_shared<const Filter>(*std::move(filter));
}

}  // namespace personalize
