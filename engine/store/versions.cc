#include "engine/store/versions.h"

#include <fmt/format.h>

#include <algorithm>

namespace personalize {

Result<std::optional<VersionRecord>> find_version(ModelStore& store, std::string_view solution,
                                                  int number) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                               store.get(StoreKind::kVersion, version_key(solution, number)));
  if (!value) return std::optional<VersionRecord>();
  PERSONALIZE_ASSIGN_OR_RETURN(VersionRecord record, decode_version(*value));
  return std::optional<VersionRecord>(std::move(record));
}

Result<std::vector<VersionRecord>> list_versions(ModelStore& store, std::string_view solution) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      const auto values,
      store.list(StoreKind::kVersion, solution.empty() ? "" : version_prefix(solution)));
  std::vector<VersionRecord> records;
  for (const auto& [key, value] : values) {
    PERSONALIZE_ASSIGN_OR_RETURN(VersionRecord record, decode_version(value));
    records.push_back(std::move(record));
  }
  return records;
}

Result<std::optional<VersionRecord>> latest_version(ModelStore& store, std::string_view solution) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::vector<VersionRecord> records, list_versions(store, solution));
  const auto active =
      std::find_if(records.rbegin(), records.rend(),
                   [](const VersionRecord& record) { return record.status == kVersionActive; });
  if (active == records.rend()) return std::optional<VersionRecord>();
  return std::optional<VersionRecord>(std::move(*active));
}

Result<std::vector<MetricRow>> list_metrics(ModelStore& store, std::string_view solution,
                                            int number) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                               store.get(StoreKind::kMetrics, version_key(solution, number)));
  if (!value) return std::vector<MetricRow>();
  return decode_metrics(*value);
}

Result<std::vector<LogRow>> list_log(ModelStore& store, std::string_view solution, int number) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      const auto values,
      store.list(StoreKind::kLog, fmt::format("{}/", version_key(solution, number))));
  std::vector<LogRow> rows;
  for (const auto& [key, value] : values) {
    PERSONALIZE_ASSIGN_OR_RETURN(LogRow row, decode_log(value));
    rows.push_back(std::move(row));
  }
  return rows;
}

Status erase_version(ModelStore& store, std::string_view solution, int number) {
  const std::string key = version_key(solution, number);
  return store.write([&](StoreWriter& writer) {
    for (const StoreKind kind : {StoreKind::kVersion, StoreKind::kModel, StoreKind::kMetrics})
      PERSONALIZE_RETURN_IF_ERROR(writer.erase(kind, key));
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                                 writer.keys(StoreKind::kLog, fmt::format("{}/", key)));
    for (const std::string& line : lines)
      PERSONALIZE_RETURN_IF_ERROR(writer.erase(StoreKind::kLog, line));
    return Status::ok();
  });
}

}  // namespace personalize
