// SELECT personalize_train('movies');
// SELECT personalize_train('movies', '{"evaluation": "leave-one-out", "seed": 7}');
//
// Reads the events in one statement of the caller's connection; all it writes goes to the model
// store. So it works inside BEGIN (and learns from what that has not committed), beside writers,
// and in WAL mode; a ROLLBACK does not take a version back.
#include "extension/train_function.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "engine/training/job.h"
#include "extension/boundary.h"
#include "extension/catalog.h"
#include "extension/progress_line.h"
#include "extension/store_access.h"
#include "extension/training_settings.h"
#include "extension/training_sources.h"

namespace personalize {
namespace {

constexpr std::string_view kCaller = "personalize_train";

class SqlTrainingHost final : public TrainingHost {
 public:
  explicit SqlTrainingHost(Connection& connection) : probe_(connection) {}

  bool stop() override { return probe_.interrupted(); }
  void row(std::string_view version, const LogRow& row) override { line_.show(version, row); }

 private:
  InterruptProbe probe_;
  ProgressLine line_;
};

// `status` led by who says it, unless it is already.
Status from_train(const Status& status) {
  if (status.message().find(kCaller) != std::string::npos ||
      status.message().find("Exception: ") != std::string::npos)
    return status;
  std::string_view exception;
  if (status.code() == StatusCode::kInvalidInput) exception = "InvalidInputException: ";
  if (status.code() == StatusCode::kNotFound) exception = "ResourceNotFoundException: ";
  if (status.code() == StatusCode::kLimitExceeded) exception = "LimitExceededException: ";
  return {status.code(), fmt::format("{}{}: {}", exception, kCaller, status.message())};
}

Result<VersionRecord> train_solution(Connection& connection, std::string_view name,
                                     std::string_view options_json) {
  PERSONALIZE_ASSIGN_OR_RETURN(const SolutionEntry entry, find_solution(connection, name, kCaller));
  PERSONALIZE_ASSIGN_OR_RETURN(TrainingOptions options, TrainingOptions::parse(options_json));
  PERSONALIZE_ASSIGN_OR_RETURN(options.max_memory, max_training_memory(connection, entry.schema));
  PERSONALIZE_ASSIGN_OR_RETURN(const OpenTrainingSources opened,
                               open_training_sources(connection, entry));
  PERSONALIZE_ASSIGN_OR_RETURN(const Stores* const stores,
                               open_stores(connection, entry.schema, OpenMode::kCreate));
  // Held by itself: a question inside the host's own functions could open the stores again.
  const std::shared_ptr<ModelStore> models = stores->models;
  SqlTrainingHost host(connection);
  return train(entry.solution, options, opened.sources(), *models, host);
}

void train_function(sqlite3_context* context, int count, sqlite3_value** values) {
  guarded_function(context, [&]() -> Status {
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
      return {StatusCode::kInvalidInput,
              "InvalidInputException: personalize_train: the solution's name is NULL"};
    const Result<VersionRecord> version =
        train_solution(connection_of(context), text_of(values[0]),
                       count > 1 ? text_of(values[1]) : std::string_view());
    if (!version.is_ok()) return from_train(version.status());
    const std::string name = version->name();
    sqlite3_result_text(context, name.data(), static_cast<int>(name.size()), SQLITE_TRANSIENT);
    return Status::ok();
  });
}

}  // namespace

Status register_train_function(const std::shared_ptr<Connection>& connection) {
  for (const int arguments : {1, 2})
    PERSONALIZE_RETURN_IF_ERROR(register_scalar(connection, "personalize_train", arguments,
                                                SQLITE_DIRECTONLY, train_function));
  return Status::ok();
}

}  // namespace personalize
