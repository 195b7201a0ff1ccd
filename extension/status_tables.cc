#include "extension/status_tables.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "engine/store/store_check.h"
#include "engine/store/versions.h"
#include "extension/dataset_check.h"
#include "extension/filter_lookup.h"
#include "extension/question_filter.h"
#include "extension/report_table.h"
#include "extension/store_access.h"

namespace personalize {
namespace {

// What of a schema can be looked at; what cannot is told by `trouble`.
struct Store {
  std::string directory;
  std::shared_ptr<ModelStore> models;
  std::vector<VersionRecord> versions;
  Status trouble;
};

Store look(Connection& connection, const std::string& schema) {
  Store store;
  const Result<std::string> directory = store_directory(connection, schema);
  if (!directory.is_ok()) {
    store.trouble = directory.status();
    return store;
  }
  store.directory = *directory;
  const Result<const Stores*> stores = open_stores(connection, schema, OpenMode::kReadWrite);
  store.trouble = stores.status();
  if (!stores.is_ok()) return store;
  store.models = (*stores)->models;
  Result<std::vector<VersionRecord>> versions = list_versions(*store.models, "");
  store.trouble = versions.status();
  if (versions.is_ok()) store.versions = std::move(versions).value();
  return store;
}

// All campaigns, whether their solution exists or not.
struct CampaignRow {
  std::string name;
  std::string version;
};
Result<std::vector<CampaignRow>> campaigns_of(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format(
          "SELECT name, version FROM {}.personalize_campaigns ORDER BY name", sql_name(schema))));
  std::vector<CampaignRow> campaigns;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return campaigns;
    campaigns.push_back({std::string(statement.text(0)), std::string(statement.text(1))});
  }
}

// Why a campaign of this version can't answer; "" if it can.
std::string why_not(const Store& store, const std::string& version) {
  const Result<VersionName> name = parse_version_name(version, "personalize_campaigns");
  if (!name.is_ok()) return name.status().message();
  if (!store.trouble.is_ok()) return store.trouble.message();
  bool trained = false;
  for (const VersionRecord& record : store.versions) {
    if (record.solution != name->solution) continue;
    if (name->number == 0) {
      trained = trained || record.status == kVersionActive;
    } else if (record.number == name->number) {
      if (record.status == kVersionActive) return "";
      return fmt::format("{} is {}{}{}", version, record.status,
                         record.failure_reason.empty() ? "" : ": ", record.failure_reason);
    }
  }
  if (trained) return "";
  if (name->number != 0) return fmt::format("{} does not exist", version);
  return fmt::format("no version of {0} is ACTIVE: SELECT personalize_train('{0}')",
                     name->solution);
}

void add(std::vector<ReportRow>& rows, std::vector<ReportValue> values) {
  ReportRow row;
  row.values = std::move(values);
  rows.push_back(std::move(row));
}

void add_files(const std::string& directory, std::vector<ReportRow>& rows) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    std::error_code ignored;
    if (!entry.is_regular_file(ignored)) continue;
    add(rows, {"file",
               entry.path().filename().string(),
               {},
               {},
               static_cast<int64_t>(entry.file_size(ignored))});
  }
}

Status add_datasets(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      request.connection.cached(
          fmt::format("SELECT table_name, kind, dataset_group FROM {}.personalize_datasets "
                      "ORDER BY dataset_group, kind",
                      sql_name(request.schema))));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) return Status::ok();
    add(rows, {"dataset",
               std::string(statement.text(0)),
               "ACTIVE",
               fmt::format("{} of dataset group {}", statement.text(1), statement.text(2)),
               {}});
  }
}

std::string store_state(const Store& store) {
  if (store.trouble.code() == StatusCode::kNotFound) return "MISSING";
  if (!store.trouble.is_ok()) return "UNUSABLE";
  return store.models->read_only() ? "READ-ONLY" : "ACTIVE";
}

// Named filters that can't be applied any more, and those that left nothing lately.
Status add_filters(const ReportRequest& request, std::vector<ReportRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement, request.connection.cached(fmt::format(
                               "SELECT name, dataset_group, expression FROM {}.personalize_filters "
                               "ORDER BY dataset_group, name",
                               sql_name(request.schema))));
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
    if (!row) break;
    const Status checked =
        check_filter(request.connection, request.schema, statement.text(1), statement.text(2))
            .status();
    add(rows, {"filter",
               std::string(statement.text(0)),
               checked.is_ok() ? "ACTIVE" : "CAN'T BE APPLIED",
               checked.is_ok() ? std::string(statement.text(2)) : std::string(checked.message()),
               {}});
  }
  for (const QuestionFilters::Emptied& one : request.connection.part<QuestionFilters>().emptied())
    if (one.schema == request.schema)
      add(rows, {"question", one.filter, "LEFT NOTHING", one.detail, {}});
  return Status::ok();
}

Status fill_status(const ReportRequest& request, std::vector<ReportRow>& rows) {
  const Store store = look(request.connection, request.schema);
  add(rows,
      {"store", store.directory, store_state(store), text_or_null(store.trouble.message()), {}});
  add_files(store.directory, rows);
  PERSONALIZE_RETURN_IF_ERROR(add_datasets(request, rows));
  PERSONALIZE_RETURN_IF_ERROR(add_filters(request, rows));
  for (const VersionRecord& record : store.versions)
    add(rows, {"version", record.name(), record.status, text_or_null(record.failure_reason),
               static_cast<int64_t>(record.model_bytes)});
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<CampaignRow> campaigns,
                               campaigns_of(request.connection, request.schema));
  for (const CampaignRow& campaign : campaigns) {
    const std::string why = why_not(store, campaign.version);
    add(rows, {"campaign",
               campaign.name,
               why.empty() ? "ACTIVE" : "CAN'T ANSWER",
               why.empty() ? campaign.version : why,
               {}});
  }
  return Status::ok();
}

Status fill_check(const ReportRequest& request, std::vector<ReportRow>& rows) {
  const Result<std::string> directory = store_directory(request.connection, request.schema);
  if (!directory.is_ok()) {
    add(rows, {"personalize_identity", directory.status().message()});
    return Status::ok();
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<StoreFinding> findings, check_store(*directory));
  for (const StoreFinding& finding : findings) add(rows, {finding.file, finding.problem});
  if (findings.empty()) {
    const Store store = look(request.connection, request.schema);
    const bool untrained = store.trouble.code() == StatusCode::kNotFound;
    if (!store.trouble.is_ok() && !untrained) add(rows, {store.directory, store.trouble.message()});
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<CampaignRow> campaigns,
                                 campaigns_of(request.connection, request.schema));
    for (const CampaignRow& campaign : campaigns) {
      const std::string why = why_not(store, campaign.version);
      if (!why.empty())
        add(rows, {"personalize_campaigns",
                   fmt::format("campaign '{}' can't answer: {}", campaign.name, why)});
    }
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<DatasetFinding> lost,
                               check_datasets(request.connection, request.schema));
  for (const DatasetFinding& finding : lost) add(rows, {finding.table, finding.problem});
  return Status::ok();
}

constexpr ReportDescriptor kReports[] = {
    {"personalize_status", "kind TEXT, name TEXT, state TEXT, detail TEXT, bytes INTEGER", false,
     false, true, fill_status, nullptr},
    {"personalize_check", "place TEXT, problem TEXT", false, false, true, fill_check, nullptr},
};

}  // namespace

Status register_status_tables(const std::shared_ptr<Connection>& connection) {
  for (const ReportDescriptor& report : kReports)
    PERSONALIZE_RETURN_IF_ERROR(register_report_table(connection, report));
  return Status::ok();
}

}  // namespace personalize
