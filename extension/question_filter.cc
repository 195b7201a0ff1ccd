#include "extension/question_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/serving/filter_evaluation.h"
#include "extension/boundary.h"
#include "extension/column_types.h"
#include "extension/metadata_reader.h"
#include "extension/metadata_value.h"

namespace personalize {
namespace {

constexpr size_t kMostEmptied = 10;
constexpr size_t kShownBytes = 200;

Status led(const Status& status, std::string_view caller) {
  if (status.code() != StatusCode::kInvalidInput) return status;
  if (status.message().starts_with("InvalidInputException")) return status;
  return {status.code(), fmt::format("InvalidInputException: {}: {}", caller, status.message())};
}

FilterDataset dataset_of(const FilterClause& clause) {
  return clause.any_of.front().front().field.dataset;
}

// The row of a user or an item, in which the fields of CurrentUser or CurrentItem are looked up.
class CurrentRow {
 public:
  // `source` null: there is no such dataset.
  Status read(MetadataSource* source, std::string_view id) {
    source_ = source;
    values_.clear();
    if (source == nullptr || id.empty()) return Status::ok();
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, source->row(id, values_));
    if (!there) values_.clear();
    return Status::ok();
  }
  FieldValue value(std::string_view name) const {
    const int place = source_ == nullptr ? -1 : find_field(source_->fields(), name);
    return place < 0 || values_.empty() ? FieldValue::missing()
                                        : values_[static_cast<size_t>(place)];
  }
  FieldKind kind(std::string_view name) const {
    const int place = source_ == nullptr ? -1 : find_field(source_->fields(), name);
    return place < 0 ? FieldKind::kText : source_->fields()[static_cast<size_t>(place)].kind;
  }
  // All that a filter's result may depend on.
  void append_to(std::string& key) const {
    for (const FieldValue& value : values_)
      key +=
          fmt::format("{}:{}:{}{}", static_cast<int>(value.type), value.number, value.text, '\0');
    key += '\1';
  }

 private:
  MetadataSource* source_ = nullptr;
  std::vector<FieldValue> values_;
};

}  // namespace

// One question's evaluation.
struct QuestionFilters::Work {
  Connection& connection;
  const Responder& responder;
  const std::shared_ptr<const UnseenTable>& unseen;
  const FilterQuestion& question;
  const Filter& filter;
  const FilterValues& values;
  Group& group;
  CurrentRow user, item;

  size_t item_count() const {
    return responder.model->model->item_count() + (unseen == nullptr ? 0 : unseen->size());
  }

  FilterFieldValue current() const {
    return [this](const FilterField& field) {
      return (field.dataset == FilterDataset::kCurrentItem ? item : user).value(field.name);
    };
  }

  // What the filter's items depend on, but for the user's events.
  std::string key() const {
    std::string key = fmt::format("{}{}{}{}", filter.text, '\0', question.values, '\0');
    if (filter.reads_user) user.append_to(key);
    if (filter.reads_item) item.append_to(key);
    return key;
  }

  // Whether a clause's IF holds.
  Result<bool> applies(const FilterClause& clause) const {
    for (const FilterCondition& condition : clause.conditions_of_user) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<ReadyCondition> ready,
                                   ReadyCondition::make(condition, user.kind(condition.field.name),
                                                        false, values, current()));
      if (!ready || !ready->passes(user.value(condition.field.name))) return false;
    }
    return true;
  }

  // The items of a clause; nothing: it does not apply.
  Result<std::optional<ItemSet>> items_of(const FilterClause& clause) const {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool does_apply, applies(clause));
    if (!does_apply) return std::optional<ItemSet>();
    if (dataset_of(clause) == FilterDataset::kInteractions) return items_of_events(clause);
    PERSONALIZE_ASSIGN_OR_RETURN(
        const std::optional<ReadyClause> ready,
        ReadyClause::make(clause, group.items->fields(), values, current()));
    if (!ready) return std::optional<ItemSet>();
    return std::optional(
        group.items->passing([&](std::span<const FieldValue> row) { return ready->passes(row); }));
  }

  // The columns of the interactions that a clause reads.
  std::vector<MetadataColumn> columns_of(const FilterClause& clause) const {
    std::vector<MetadataColumn> columns;
    for (const MetadataColumn& column : group.event_columns)
      for (const auto& conditions : clause.any_of)
        if (std::any_of(conditions.begin(), conditions.end(), [&](const FilterCondition& one) {
              return upper_case(one.field.name) == column.field.name;
            })) {
          columns.push_back(column);
          break;
        }
    return columns;
  }

  // The items of the user's events that pass.
  Result<std::optional<ItemSet>> items_of_events(const FilterClause& clause) const {
    std::vector<MetadataField> fields;
    const std::vector<MetadataColumn> columns = columns_of(clause);
    std::string list = "ITEM_ID";
    for (const MetadataColumn& column : columns) {
      fields.push_back(column.field);
      list += ", " + sql_name(column.column.name);
    }
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<ReadyClause> ready,
                                 ReadyClause::make(clause, fields, values, current()));
    if (!ready) return std::optional<ItemSet>();
    ItemSet set = ItemSet::none(item_count());
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection.cached(fmt::format("SELECT {} FROM {} WHERE USER_ID = ?1", list, group.events)));
    statement.bind(1, question.user);
    std::vector<std::string> storage(fields.size());
    std::vector<FieldValue> row(fields.size());
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
      if (!there) return std::optional(std::move(set));
      for (size_t f = 0; f < fields.size(); f++)
        row[f] =
            field_value(columns[f], DatasetKind::kInteractions,
                        sqlite3_column_value(statement.get(), static_cast<int>(f) + 1), storage[f]);
      if (!ready->passes(row)) continue;
      const ItemIndex found = find_item(*responder.model, unseen.get(), statement.text(0));
      if (found != kNoItem) set.add(found);
    }
  }

  Result<std::shared_ptr<const ItemSet>> evaluate() const {
    std::optional<ItemSet> included;
    ItemSet excluded = ItemSet::none(item_count());
    for (const FilterClause& clause : filter.expression.clauses) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<ItemSet> items, items_of(clause));
      if (!items) continue;
      if (clause.verb == FilterVerb::kExclude) {
        excluded.add(*items);
      } else if (included) {
        included->add(*items);
      } else {
        included = *items;
      }
    }
    auto set =
        std::make_shared<ItemSet>(included ? *std::move(included) : ItemSet::all(item_count()));
    set->remove(excluded);
    return std::shared_ptr<const ItemSet>(std::move(set));
  }
};

Result<QuestionFilters::Group*> QuestionFilters::group_of(Connection& connection,
                                                          const Responder& responder,
                                                          const DatasetStamp& now) {
  const std::string& schema = responder.schema;
  const std::string& name = responder.model->record.dataset_group;
  const std::string key = fmt::format("{}{}{}", schema, '\0', name);
  if (const auto found = groups_.find(key); found != groups_.end()) {
    if (found->second.declared.same_declarations(now)) return &found->second;
    groups_.erase(found);
  }
  Group group;
  group.declared = now;
  const auto open = [&](DatasetKind kind) {
    return find_dataset_of_group(connection, schema, name, kind);
  };
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<Dataset> users, open(DatasetKind::kUsers));
  if (users) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        group.user_rows, open_metadata_source(connection, *users, filter_columns(users->config)));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(std::optional<Dataset> items, open(DatasetKind::kItems));
  if (items) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        group.item_rows, open_metadata_source(connection, *items, filter_columns(items->config)));
    group.items = std::make_unique<FilterItems>(*std::move(items));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<Dataset> events,
                               open(DatasetKind::kInteractions));
  if (events) {
    group.event_columns = filter_columns(events->config);
    group.events = fmt::format("{}.{}", sql_name(schema), sql_name(events->entry.table));
  }
  return &(groups_[key] = std::move(group));
}

void QuestionFilters::note_emptied(const Responder& responder, const FilterQuestion& question,
                                   size_t item_count) {
  if (emptied_.size() >= kMostEmptied) emptied_.erase(emptied_.begin());
  std::string about =
      question.user.empty() ? std::string() : fmt::format(" for user '{}'", question.user);
  emptied_.push_back(
      {responder.schema, std::string(question.filter.substr(0, kShownBytes)),
       fmt::format("{}{} with {} left none of {} items", question.caller, about,
                   question.values.empty() ? "no values" : question.values.substr(0, kShownBytes),
                   item_count)});
}

Result<std::shared_ptr<const ItemSet>> QuestionFilters::allowed(
    Connection& connection, const Responder& responder,
    const std::shared_ptr<const UnseenTable>& unseen, const FilterQuestion& question) {
  const std::string_view caller = question.caller;
  PERSONALIZE_ASSIGN_OR_RETURN(const DatasetStamp now,
                               DatasetStamp::of(connection, responder.schema));
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::shared_ptr<const Filter> filter,
      connection.part<FilterLookup>().find(connection, responder.schema,
                                           responder.model->record.dataset_group, question.filter,
                                           now, caller));
  const auto refuse = [&](std::string_view what) {
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: filter: {}", caller, what));
  };
  const FilterExpression& expression = filter->expression;
  if (expression.clauses.front().subject == FilterSubject::kUser)
    return refuse(fmt::format("it chooses users (UserID), and {} gives items (ItemID)", caller));
  if ((filter->reads_user || filter->reads_interactions) && question.user.empty())
    return refuse(fmt::format("it speaks of the asking user, and {} was told none", caller));
  if (filter->reads_item && question.item.empty())
    return refuse(fmt::format("it speaks of CurrentItem, which {} has not", caller));
  const Result<FilterValues> values = FilterValues::parse(question.values);
  if (!values.is_ok()) return led(values.status(), caller);
  if (const Status checked = values->check(expression); !checked.is_ok())
    return led(checked, caller);

  PERSONALIZE_ASSIGN_OR_RETURN(Group* const group, group_of(connection, responder, now));
  Work work{connection, responder, unseen, question, *filter, *values, *group, {}, {}};
  if (filter->reads_user)
    PERSONALIZE_RETURN_IF_ERROR(work.user.read(group->user_rows.get(), question.user));
  if (filter->reads_item)
    PERSONALIZE_RETURN_IF_ERROR(work.item.read(group->item_rows.get(), question.item));
  Result<std::shared_ptr<const ItemSet>> set = std::shared_ptr<const ItemSet>();
  if (group->items != nullptr) {
    PERSONALIZE_RETURN_IF_ERROR(group->items->refresh(connection, now, expression));
    group->items->number_by(responder.model, unseen);
  }
  set = group->items == nullptr || filter->reads_interactions
            ? work.evaluate()
            : group->items->kept(work.key(), [&] { return work.evaluate(); });
  if (!set.is_ok()) return led(set.status(), caller);
  if ((*set)->is_empty(work.item_count())) note_emptied(responder, question, work.item_count());
  return set;
}

}  // namespace personalize
