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
  std::span<const FieldValue> values() const { return values_; }
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

  size_t item_count() const { return item_count_of(*responder.model, unseen.get()); }

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

  // Calls passing(item id) for each of the user's events that passes, until that is false; false:
  // the clause does not apply.
  template <typename Passing>
  Result<bool> look_at_events(const FilterClause& clause, const Passing& passing) const {
    std::vector<MetadataField> fields;
    const std::vector<MetadataColumn> columns = columns_of(clause);
    std::string list = "ITEM_ID";
    for (const MetadataColumn& column : columns) {
      fields.push_back(column.field);
      list += ", " + sql_name(column.column.name);
    }
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<ReadyClause> ready,
                                 ReadyClause::make(clause, fields, values, current()));
    if (!ready) return false;
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection.cached(fmt::format("SELECT {} FROM {} WHERE USER_ID = ?1", list, group.events)));
    statement.bind(1, question.user);
    std::vector<std::string> storage(fields.size());
    std::vector<FieldValue> row(fields.size());
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
      if (!there) return true;
      for (size_t f = 0; f < fields.size(); f++)
        row[f] =
            field_value(columns[f], DatasetKind::kInteractions,
                        sqlite3_column_value(statement.get(), static_cast<int>(f) + 1), storage[f]);
      if (ready->passes(row) && !passing(statement.text(0))) return true;
    }
  }

  // The items of the user's events that pass.
  Result<std::optional<ItemSet>> items_of_events(const FilterClause& clause) const {
    ItemSet set = ItemSet::none(item_count());
    PERSONALIZE_ASSIGN_OR_RETURN(
        const bool does_apply, look_at_events(clause, [&](std::string_view id) {
          const ItemIndex found = find_item(*responder.model, unseen.get(), id);
          if (found != kNoItem) set.add(found);
          return true;
        }));
    if (!does_apply) return std::optional<ItemSet>();
    return std::optional(std::move(set));
  }

  // Whether the user passes a clause about users; nothing: it does not apply.
  Result<std::optional<bool>> has_user(const FilterClause& clause) const {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool does_apply, applies(clause));
    if (!does_apply) return std::optional<bool>();
    if (dataset_of(clause) == FilterDataset::kInteractions) {
      bool any = false;
      PERSONALIZE_ASSIGN_OR_RETURN(const bool counts, look_at_events(clause, [&](std::string_view) {
                                     return !(any = true);
                                   }));
      return counts ? std::optional(any) : std::nullopt;
    }
    PERSONALIZE_ASSIGN_OR_RETURN(
        const std::optional<ReadyClause> ready,
        ReadyClause::make(clause, group.user_rows->fields(), values, current()));
    if (!ready) return std::optional<bool>();
    return std::optional(!user.values().empty() && ready->passes(user.values()));
  }

  Result<bool> user_passes() const {
    std::optional<bool> included;
    bool excluded = false;
    for (const FilterClause& clause : filter.expression.clauses) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<bool> has, has_user(clause));
      if (!has) continue;
      if (clause.verb == FilterVerb::kExclude)
        excluded |= *has;
      else
        included = included.value_or(false) || *has;
    }
    return included.value_or(true) && !excluded;
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

Result<QuestionFilters::Read> QuestionFilters::read(Connection& connection,
                                                    const Responder& responder,
                                                    const FilterQuestion& question,
                                                    FilterSubject subject) {
  const std::string_view caller = question.caller;
  Read read;
  PERSONALIZE_ASSIGN_OR_RETURN(read.now, DatasetStamp::of(connection, responder.schema));
  PERSONALIZE_ASSIGN_OR_RETURN(
      read.filter, connection.part<FilterLookup>().find(connection, responder.schema,
                                                        responder.model->record.dataset_group,
                                                        question.filter, read.now, caller));
  const auto refuse = [&](std::string_view what) {
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: filter: {}", caller, what));
  };
  const FilterExpression& expression = read.filter->expression;
  if (expression.clauses.front().subject != subject)
    return refuse(
        subject == FilterSubject::kItem
            ? fmt::format("it chooses users (UserID), and {} gives items (ItemID)", caller)
            : fmt::format("it chooses items (ItemID), and {} gives users (UserID)", caller));
  if ((read.filter->reads_user || read.filter->reads_interactions) && question.user.empty())
    return refuse(fmt::format("it speaks of the asking user, and {} was told none", caller));
  if (read.filter->reads_item && question.item.empty())
    return refuse(fmt::format("it speaks of CurrentItem, which {} has not", caller));
  Result<FilterValues> values = FilterValues::parse(question.values);
  if (!values.is_ok()) return filter_failure(values.status(), caller);
  if (const Status checked = values->check(expression); !checked.is_ok())
    return filter_failure(checked, caller);
  read.values = *std::move(values);
  PERSONALIZE_ASSIGN_OR_RETURN(read.group, group_of(connection, responder, read.now));
  return read;
}

Result<std::shared_ptr<const ItemSet>> QuestionFilters::allowed(
    Connection& connection, const Responder& responder,
    const std::shared_ptr<const UnseenTable>& unseen, const FilterQuestion& question) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Read read,
                               this->read(connection, responder, question, FilterSubject::kItem));
  const Filter& filter = *read.filter;
  Group& group = *read.group;
  Work work{connection, responder, unseen, question, filter, read.values, group, {}, {}};
  if (filter.reads_user)
    PERSONALIZE_RETURN_IF_ERROR(work.user.read(group.user_rows.get(), question.user));
  if (filter.reads_item)
    PERSONALIZE_RETURN_IF_ERROR(work.item.read(group.item_rows.get(), question.item));
  if (group.items != nullptr) {
    PERSONALIZE_RETURN_IF_ERROR(group.items->refresh(connection, read.now, filter.expression));
    group.items->number_by(responder.model, unseen);
  }
  const Result<std::shared_ptr<const ItemSet>> set =
      group.items == nullptr || filter.reads_interactions
          ? work.evaluate()
          : group.items->kept(work.key(), [&] { return work.evaluate(); });
  if (!set.is_ok()) return filter_failure(set.status(), question.caller);
  if ((*set)->is_empty(work.item_count())) note_emptied(responder, question, work.item_count());
  return set;
}

Result<bool> QuestionFilters::passes(Connection& connection, const Responder& responder,
                                     const FilterQuestion& question) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Read read,
                               this->read(connection, responder, question, FilterSubject::kUser));
  const std::shared_ptr<const UnseenTable> no_items;
  Work work{connection,  responder,   no_items, question, *read.filter,
            read.values, *read.group, {},       {}};
  if (read.group->user_rows != nullptr)
    PERSONALIZE_RETURN_IF_ERROR(work.user.read(read.group->user_rows.get(), question.user));
  const Result<bool> passes = work.user_passes();
  return passes.is_ok() ? passes : filter_failure(passes.status(), question.caller);
}

}  // namespace personalize
