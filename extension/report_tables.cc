#include "extension/report_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "engine/recipes/recipe.h"
#include "engine/store/versions.h"
#include "engine/training/abandoned_versions.h"
#include "engine/training/job.h"
#include "extension/report_table.h"
#include "extension/store_access.h"

namespace personalize {
namespace {

// The model store of a schema; nullptr where nothing was trained yet.
Result<std::shared_ptr<ModelStore>> store_of(const ReportRequest& request) {
  const Result<const Stores*> stores =
      open_stores(request.connection, request.schema, OpenMode::kReadWrite);
  if (stores.is_ok()) return (*stores)->models;
  if (stores.status().code() == StatusCode::kNotFound) return std::shared_ptr<ModelStore>();
  return stores.status();
}

bool in_progress(const VersionRecord& record) { return record.status == kVersionInProgress; }

// The versions asked for. A version whose process has died meanwhile is shown as failed.
Result<std::vector<VersionRecord>> versions_of(const ReportRequest& request, ModelStore& store) {
  if (request.version) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        std::optional<VersionRecord> record,
        find_version(store, request.version->solution, request.version->number));
    if (record && in_progress(*record) && !store.read_only()) {
      PERSONALIZE_RETURN_IF_ERROR(fail_abandoned_versions(store));
      PERSONALIZE_ASSIGN_OR_RETURN(
          record, find_version(store, request.version->solution, request.version->number));
    }
    if (!record) return std::vector<VersionRecord>();
    return std::vector<VersionRecord>{std::move(*record)};
  }
  PERSONALIZE_ASSIGN_OR_RETURN(std::vector<VersionRecord> records, list_versions(store, ""));
  if (store.read_only() || !std::any_of(records.begin(), records.end(), in_progress))
    return records;
  PERSONALIZE_RETURN_IF_ERROR(fail_abandoned_versions(store));
  return list_versions(store, "");
}

Status fill_versions(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<ModelStore> store, store_of(request));
  if (!store) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> records,
                               versions_of(request, *store));
  for (const VersionRecord& record : records) {
    ReportRow row;
    row.values = {record.name(),
                  record.solution,
                  int64_t{record.number},
                  record.dataset_group,
                  text_or_null(record.recipe),
                  record.status,
                  text_or_null(record.failure_reason),
                  record.training_mode,
                  record.created,
                  record.updated,
                  record.training_seconds,
                  record.users,
                  record.items,
                  record.events,
                  static_cast<int64_t>(record.seed),
                  int64_t{record.seeds},
                  record.evaluation,
                  text_or_null(record.event_type),
                  number_or_null(record.event_value_threshold),
                  text_or_null(record.tie_order),
                  static_cast<int64_t>(record.model_bytes),
                  text_or_null(record.build)};
    rows.push_back(std::move(row));
  }
  return Status::ok();
}

// Campaigns of the schema that answer from this version.
Result<std::vector<std::string>> campaigns_serving(Connection& connection,
                                                   const std::string& schema, ModelStore& store,
                                                   const VersionRecord& record) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<VersionRecord> latest,
                               latest_version(store, record.solution));
  const bool is_latest = latest && latest->number == record.number;
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("SELECT name FROM {}.personalize_campaigns WHERE version = ?1 "
                                    "OR (?3 AND version = ?2 || '/latest') ORDER BY name",
                                    sql_name(schema))));
  const std::string name = record.name();
  statement.bind(1, name).bind(2, record.solution).bind(3, int64_t{is_latest});
  std::vector<std::string> campaigns;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return campaigns;
    campaigns.emplace_back(statement.text(0));
  }
}

Status erase_version_row(Connection& connection, const ReportRow& row) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      const VersionName name,
      parse_version_name(std::get<std::string>(row.values[0]), "personalize_versions"));
  PERSONALIZE_ASSIGN_OR_RETURN(const Stores* const stores,
                               open_stores(connection, row.schema, OpenMode::kReadWrite));
  ModelStore& store = *stores->models;
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<VersionRecord> record,
                               find_version(store, name.solution, name.number));
  if (!record) return Status::ok();
  if (in_progress(*record))
    return {StatusCode::kInUse,
            fmt::format("ResourceInUseException: solution version '{}' is being trained by process "
                        "{}",
                        record->name(), record->process)};
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> campaigns,
                               campaigns_serving(connection, row.schema, store, *record));
  if (!campaigns.empty())
    return {StatusCode::kInUse,
            fmt::format("ResourceInUseException: solution version '{}' is served by campaign {}; "
                        "UPDATE personalize_campaigns SET version, or delete the campaign, first",
                        record->name(), fmt::join(campaigns, ", "))};
  return erase_version(store, name.solution, name.number);
}

Status fill_metrics(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<ModelStore> store, store_of(request));
  if (!store) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> records,
                               versions_of(request, *store));
  for (const VersionRecord& record : records) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<MetricRow> metrics,
                                 list_metrics(*store, record.solution, record.number));
    for (const MetricRow& metric : metrics) {
      ReportRow row;
      row.values = {record.name(),
                    metric.metric,
                    metric.k == 0 ? ReportValue() : ReportValue(int64_t{metric.k}),
                    metric.value,
                    number_or_null(metric.standard_error),
                    number_or_null(metric.seed_deviation),
                    number_or_null(metric.baseline),
                    number_or_null(metric.markov),
                    text_or_null(metric.seen)};
      rows.push_back(std::move(row));
    }
  }
  return Status::ok();
}

Status fill_training_log(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<ModelStore> store, store_of(request));
  if (!store) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> records,
                               versions_of(request, *store));
  for (const VersionRecord& record : records) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<LogRow> lines,
                                 list_log(*store, record.solution, record.number));
    for (const LogRow& line : lines) {
      const auto counted = [&](int number) {
        return line.epochs == 0 ? ReportValue() : ReportValue(int64_t{number});
      };
      ReportRow row;
      row.values = {record.name(),
                    line.sequence,
                    line.time,
                    line.stage,
                    counted(line.epoch),
                    counted(line.epochs),
                    number_or_null(line.loss),
                    number_or_null(line.events_per_second),
                    text_or_null(line.message)};
      rows.push_back(std::move(row));
    }
  }
  return Status::ok();
}

using Kind = HyperparameterSpec::Kind;

// A hyperparameter's value as SQL has it: "auto" stays a text.
ReportValue typed(const HyperparameterSpec& spec, const std::string& text) {
  const char* const end = text.data() + text.size();
  if (int64_t integer = 0; spec.kind == Kind::kInteger) {
    const auto [last, error] = std::from_chars(text.data(), end, integer);
    if (error == std::errc() && last == end) return integer;
  }
  if (double real = 0; spec.kind == Kind::kReal) {
    const auto [last, error] = std::from_chars(text.data(), end, real);
    if (error == std::errc() && last == end) return real;
  }
  return text;
}

// What every hyperparameter row ends with: default, range and meaning.
void add_spec(const HyperparameterSpec& spec, std::vector<ReportValue>& values) {
  const auto bound = [&](double limit) -> ReportValue {
    if (spec.kind == Kind::kInteger) return static_cast<int64_t>(limit);
    if (spec.kind == Kind::kReal) return limit;
    return {};
  };
  values.insert(values.end(),
                {typed(spec, spec.default_text), bound(spec.minimum), bound(spec.maximum),
                 text_or_null(fmt::format("{}", fmt::join(spec.choices, ", "))),
                 int64_t{spec.tunable}, text_or_null(spec.meaning)});
}

// What each version was trained with.
Status fill_hyperparameters(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<ModelStore> store, store_of(request));
  if (!store) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord> records,
                               versions_of(request, *store));
  for (const VersionRecord& record : records) {
    const Result<const Recipe*> recipe = find_recipe(record.recipe);
    // Of a build with other recipes: its values are still there to see.
    const std::span<const HyperparameterSpec> specs =
        recipe.is_ok() ? (*recipe)->hyperparameters() : std::span<const HyperparameterSpec>();
    for (const auto& [name, value] : record.hyperparameters) {
      const auto spec =
          std::find_if(specs.begin(), specs.end(),
                       [&name = name](const auto& candidate) { return candidate.name == name; });
      ReportRow row;
      row.values = {record.name(), name, value};
      if (spec != specs.end()) {
        row.values[2] = typed(*spec, value);
        add_spec(*spec, row.values);
      } else {
        row.values.resize(9);
      }
      row.values.emplace_back(int64_t{record.tuned.contains(name)});
      rows.push_back(std::move(row));
    }
  }
  return Status::ok();
}

// What each recipe understands.
Status fill_recipe_hyperparameters(const ReportRequest&, std::vector<ReportRow>& rows) {
  for (const Recipe* recipe : all_recipes()) {
    for (const HyperparameterSpec& spec : recipe->hyperparameters()) {
      ReportRow row;
      row.values = {std::string(recipe->name()), spec.name};
      add_spec(spec, row.values);
      rows.push_back(std::move(row));
    }
  }
  return Status::ok();
}

std::string_view type_name(RecipeType type) {
  switch (type) {
    case RecipeType::kUserPersonalization:
      return "USER_PERSONALIZATION";
    case RecipeType::kPersonalizedRanking:
      return "PERSONALIZED_RANKING";
    case RecipeType::kRelatedItems:
      return "RELATED_ITEMS";
    case RecipeType::kUserSegmentation:
      return "USER_SEGMENTATION";
    case RecipeType::kTrendingNow:
      return "TRENDING_NOW";
  }
  return "";
}

Status fill_recipes(const ReportRequest&, std::vector<ReportRow>& rows) {
  for (const Recipe* recipe : all_recipes()) {
    ReportRow row;
    row.values = {std::string(recipe->name()), std::string(type_name(recipe->type())),
                  fmt::format("aws-{0}, arn:aws:personalize:::recipe/aws-{0}", recipe->name()),
                  int64_t{recipe->answers_similar_items()}};
    rows.push_back(std::move(row));
  }
  return Status::ok();
}

constexpr ReportDescriptor kReports[] = {
    {"personalize_versions",
     "version TEXT, solution TEXT, number INTEGER, dataset_group TEXT, recipe TEXT, status TEXT, "
     "failure_reason TEXT, training_mode TEXT, created INTEGER, updated INTEGER, training_seconds "
     "REAL, users INTEGER, items INTEGER, events INTEGER, seed INTEGER, seeds INTEGER, evaluation "
     "TEXT, "
     "event_type TEXT, event_value_threshold REAL, tie_order TEXT, model_bytes INTEGER, build TEXT",
     true, false, false, fill_versions, erase_version_row},
    {"personalize_metrics",
     "version TEXT, metric TEXT, k INTEGER, value REAL, standard_error REAL, "
     "seed_deviation REAL, baseline REAL, markov REAL, seen TEXT",
     true, false, true, fill_metrics, nullptr},
    {"personalize_training_log",
     "version TEXT, sequence INTEGER, time REAL, stage TEXT, epoch INTEGER, epochs INTEGER, loss "
     "REAL, events_per_second REAL, message TEXT",
     true, false, true, fill_training_log, nullptr},
    {"personalize_hyperparameters",
     "version TEXT, name TEXT, value, default_value, minimum, maximum, choices TEXT, "
     "tunable INTEGER, meaning TEXT, tuned INTEGER",
     true, false, true, fill_hyperparameters, nullptr},
    {"personalize_recipe_hyperparameters",
     "recipe TEXT, name TEXT, default_value, minimum, maximum, choices TEXT, tunable INTEGER, "
     "meaning TEXT",
     false, true, true, fill_recipe_hyperparameters, nullptr},
    {"personalize_recipes", "name TEXT, type TEXT, aliases TEXT, answers_similar_items INTEGER",
     false, true, true, fill_recipes, nullptr},
};

}  // namespace

Status register_report_tables(const std::shared_ptr<Connection>& connection) {
  for (const ReportDescriptor& report : kReports)
    PERSONALIZE_RETURN_IF_ERROR(register_report_table(connection, report));
  return Status::ok();
}

}  // namespace personalize
