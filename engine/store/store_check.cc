#include "engine/store/store_check.h"

#include <fmt/format.h>

#include <cerrno>

#include "engine/store/io_status.h"
#include "engine/store/records.h"
#include "engine/store/store_file.h"
#include "engine/store/unique_fd.h"
#include "engine/store/value_frame.h"

namespace personalize {
namespace {

constexpr size_t kMostFindings = 100;

// Whether a value whose checksum is right is also what its kind says.
Status check_payload(const StoreFileKind& kind, const WalkedValue& value,
                     std::span<const std::byte> bytes) {
  const std::string_view payload(reinterpret_cast<const char*>(bytes.data()) + kFrameHeaderSize,
                                 bytes.size() - kFrameOverhead);
  if (&kind != &kModelsFile) return Status::ok();
  if (value.database == "version") return decode_version(payload).status();
  if (value.database == "metrics") return decode_metrics(payload).status();
  if (value.database == "log") return decode_log(payload).status();
  return Status::ok();
}

Status check_file(const std::string& directory, std::string_view name, const StoreFileKind& kind,
                  std::vector<StoreFinding>& findings) {
  const std::string path = fmt::format("{}/{}", directory, name);
  const UniqueFd fd = UniqueFd::open(path, O_RDONLY);
  if (!fd.is_open() && (errno == ENOENT || errno == ENOTDIR)) return Status::ok();
  if (!fd.is_open()) return io_status(errno, "read", path);
  const auto check = [&](const WalkedValue& value) -> Status {
    PERSONALIZE_RETURN_IF_ERROR(check_walked_value(fd.get(), value, kind, false));
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_walked(fd.get(), value));
    WalkedValue whole = value;
    whole.start = bytes;
    PERSONALIZE_RETURN_IF_ERROR(check_walked_value(fd.get(), whole, kind, true));
    return check_payload(kind, value, bytes);
  };
  PERSONALIZE_ASSIGN_OR_RETURN(const FileWalk walk,
                               walk_file_in_use(fd.get(), path, kMostFindings, check));
  for (const std::string& problem : walk.problems) findings.push_back({std::string(name), problem});
  if (walk.problems.empty())
    for (const std::string& database : missing_databases(walk, kind))
      findings.push_back({std::string(name), fmt::format("it has no database '{}'", database)});
  return Status::ok();
}

}  // namespace

Result<std::vector<StoreFinding>> check_store(const std::string& directory) {
  std::vector<StoreFinding> findings;
  PERSONALIZE_RETURN_IF_ERROR(check_file(directory, kModelsFileName, kModelsFile, findings));
  PERSONALIZE_RETURN_IF_ERROR(check_file(directory, kStatesFileName, kStatesFile, findings));
  return findings;
}

}  // namespace personalize
