#include "engine/training/abandoned_versions.h"

#include <unistd.h>

#include <ctime>
#include <string>
#include <string_view>

#include "engine/store/records.h"
#include "engine/training/running_versions.h"

namespace personalize {

Status fail_abandoned_versions(ModelStore& store) {
  if (store.read_only()) return Status::ok();
  const auto abandoned = [&](std::string_view key, const VersionRecord& record) {
    if (record.status != kVersionInProgress) return false;
    if (record.process == getpid())
      return !running_versions().contains(store.directory(), std::string(key));
    return !process_runs_since(record.process, record.created);
  };
  PERSONALIZE_ASSIGN_OR_RETURN(const auto versions, store.list(StoreKind::kVersion, ""));
  for (const auto& [key, value] : versions) {
    const auto record = decode_version(value);
    if (!record.is_ok() || !abandoned(key, *record)) continue;
    PERSONALIZE_RETURN_IF_ERROR(store.write([&, key = key](StoreWriter& writer) -> Status {
      PERSONALIZE_ASSIGN_OR_RETURN(const auto current, writer.get(StoreKind::kVersion, key));
      if (!current) return Status::ok();
      auto again = decode_version(*current);
      if (!again.is_ok() || !abandoned(key, *again)) return Status::ok();
      again->status = kVersionFailed;
      again->failure_reason = "the process that trained it ended";
      again->updated = std::time(nullptr);
      again->process = 0;
      return writer.put(StoreKind::kVersion, key, encode(*again));
    }));
  }
  return Status::ok();
}

}  // namespace personalize
