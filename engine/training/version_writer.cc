#include "engine/training/version_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <random>

#include "engine/training/running_versions.h"

namespace personalize {
namespace {

constexpr auto kCommitEvery = std::chrono::milliseconds(250);

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Where the last number that a solution's versions had is kept, so that deleting the newest version
// does not free its number.
std::string counter_key(std::string_view solution) {
  return fmt::format("last-version/{}", solution);
}

// 0 if it is no number.
int to_number(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

Result<int> next_number(StoreWriter& writer, std::string_view solution) {
  PERSONALIZE_ASSIGN_OR_RETURN(const auto counter,
                               writer.get(StoreKind::kOther, counter_key(solution)));
  int last = counter ? to_number(*counter) : 0;
  const std::string prefix = version_prefix(solution);
  PERSONALIZE_ASSIGN_OR_RETURN(const auto keys, writer.keys(StoreKind::kVersion, prefix));
  for (const std::string& key : keys)
    last = std::max(last, to_number(std::string_view(key).substr(prefix.size())));
  PERSONALIZE_RETURN_IF_ERROR(
      writer.put(StoreKind::kOther, counter_key(solution), fmt::format("{}", last + 1)));
  return last + 1;
}

uint64_t random_id() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace

Result<std::unique_ptr<VersionWriter>> VersionWriter::begin(ModelStore& store, TrainingHost& host,
                                                            VersionRecord draft) {
  draft.status = kVersionInProgress;
  draft.created = draft.updated = static_cast<int64_t>(now());
  draft.process = getpid();
  draft.model_id = random_id();
  // The key must be among the running ones before anybody can see the record.
  std::string key;
  const Status status = store.write([&](StoreWriter& writer) -> Status {
    PERSONALIZE_ASSIGN_OR_RETURN(draft.number, next_number(writer, draft.solution));
    running_versions().remove(store.directory(), key);  // of a first attempt
    key = version_key(draft.solution, draft.number);
    running_versions().add(store.directory(), key);
    return writer.put(StoreKind::kVersion, key, encode(draft));
  });
  if (!status.is_ok()) {
    running_versions().remove(store.directory(), key);
    return status;
  }
  return std::unique_ptr<VersionWriter>(new VersionWriter(store, host, std::move(draft)));
}

VersionWriter::VersionWriter(ModelStore& store, TrainingHost& host, VersionRecord record)
    : store_(store),
      host_(host),
      record_(std::move(record)),
      key_(version_key(record_.solution, record_.number)),
      began_(std::chrono::steady_clock::now()) {}

VersionWriter::~VersionWriter() { running_versions().remove(store_.directory(), key_); }

void VersionWriter::show(LogRow& row) {
  row.sequence = next_sequence_++;
  row.time = now();
  host_.row(record_.name(), row);
}

Status VersionWriter::write_pending(StoreWriter& writer) const {
  for (const LogRow& row : pending_) {
    PERSONALIZE_RETURN_IF_ERROR(writer.put(
        StoreKind::kLog, log_key(record_.solution, record_.number, row.sequence), encode(row)));
  }
  return Status::ok();
}

Status VersionWriter::log(LogRow row) {
  show(row);
  pending_.push_back(std::move(row));
  const auto time = std::chrono::steady_clock::now();
  if (time - last_commit_ < kCommitEvery) return Status::ok();
  PERSONALIZE_RETURN_IF_ERROR(
      store_.write([this](StoreWriter& writer) { return write_pending(writer); }));
  pending_.clear();
  last_commit_ = time;
  return Status::ok();
}

Status VersionWriter::note(std::string_view text) {
  LogRow row;
  row.stage = "note";
  row.message = text;
  return log(std::move(row));
}

Status VersionWriter::finish(std::span<const std::byte> model,
                             const std::vector<MetricRow>& metrics) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began_;
  VersionRecord done = record_;
  done.status = kVersionActive;
  done.updated = static_cast<int64_t>(now());
  done.training_seconds = seconds.count();
  done.process = 0;
  done.model_bytes = model.size();
  LogRow row;
  row.stage = "store";
  row.message = fmt::format("{} bytes stored after {:.1f} s", model.size(), seconds.count());
  show(row);
  pending_.push_back(std::move(row));
  PERSONALIZE_RETURN_IF_ERROR(store_.write([&](StoreWriter& writer) -> Status {
    PERSONALIZE_ASSIGN_OR_RETURN(const auto there, writer.get(StoreKind::kVersion, key_));
    if (!there) {
      return {StatusCode::kNotFound,
              fmt::format("version '{}' was deleted while it was trained", record_.name())};
    }
    PERSONALIZE_RETURN_IF_ERROR(write_pending(writer));
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kModel, key_, model));
    PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kMetrics, key_, encode(metrics)));
    return writer.put(StoreKind::kVersion, key_, encode(done));
  }));
  pending_.clear();
  record_ = std::move(done);
  return Status::ok();
}

void VersionWriter::fail(std::string_view reason) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began_;
  record_.status = kVersionFailed;
  record_.failure_reason = reason;
  record_.updated = static_cast<int64_t>(now());
  record_.training_seconds = seconds.count();
  record_.process = 0;
  LogRow row;
  row.stage = "failed";
  row.message = reason;
  show(row);
  pending_.push_back(std::move(row));
  const auto mark = [&](bool with_log) {
    return store_.write([&](StoreWriter& writer) -> Status {
      PERSONALIZE_ASSIGN_OR_RETURN(const auto there, writer.get(StoreKind::kVersion, key_));
      if (!there) return Status::ok();
      if (with_log) PERSONALIZE_RETURN_IF_ERROR(write_pending(writer));
      return writer.put(StoreKind::kVersion, key_, encode(record_));
    });
  };
  // Where there is no room for the log there may still be some for the record. If not even that,
  // the version stays IN_PROGRESS until fail_abandoned_versions() finds it.
  if (!mark(true).is_ok()) static_cast<void>(mark(false));
}

}  // namespace personalize
