#include "engine/store/records.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/json_text.h"

namespace personalize {
namespace {

using Json = nlohmann::json;

Status damaged(std::string_view what, std::string_view why) {
  return {StatusCode::kCorrupt, fmt::format("a stored {} is damaged: {}", what, why)};
}

// Bytes that are no UTF-8 are replaced, not thrown about.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON has no numbers for these; a loss may be one.
Json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

// Reads the fields of one JSON object, each of which must be there and of its type. Remembers the
// first that is not.
class FieldReader {
 public:
  explicit FieldReader(const Json& object) : object_(object) {
    if (!object.is_object()) problem_ = "it is no JSON object";
  }

  void read(const char* name, std::string& value) {
    if (const Json* json = find(name, &Json::is_string))
      value = json->get_ref<const std::string&>();
  }
  void read(const char* name, int64_t& value) {
    const Json* json = find(name, &Json::is_number_integer);
    if (json == nullptr) return;
    if (json->is_number_unsigned() && json->get<uint64_t>() > INT64_MAX) return set_problem(name);
    value = json->get<int64_t>();
  }
  void read(const char* name, int& value) {
    int64_t wide = 0;
    read(name, wide);
    if (wide < INT32_MIN || wide > INT32_MAX) return set_problem(name);
    value = static_cast<int>(wide);
  }
  void read(const char* name, uint64_t& value) {
    if (const Json* json = find(name, &Json::is_number_unsigned)) value = json->get<uint64_t>();
  }
  void read(const char* name, double& value) {
    const Json* json = find(name, nullptr);
    if (json != nullptr && !number_from(*json, value)) set_problem(name);
  }
  void read(const char* name, std::optional<double>& value) {
    const Json* json = find(name, nullptr);
    if (json == nullptr || json->is_null()) return;
    if (!number_from(*json, value.emplace())) set_problem(name);
  }
  void read(const char* name, std::optional<int64_t>& value) {
    const Json* json = find(name, nullptr);
    if (json != nullptr && !json->is_null()) read(name, value.emplace());
  }
  void read(const char* name, std::map<std::string, std::string>& values) {
    const Json* json = find(name, &Json::is_object);
    if (json == nullptr) return;
    for (const auto& [key, value] : json->items()) {
      if (!value.is_string()) return set_problem(name);
      values[key] = value.get_ref<const std::string&>();
    }
  }

  // A field that earlier builds did not write: `value` stays as it is if it is not there.
  template <typename Value>
  void read_if_there(const char* name, Value& value) {
    if (object_.contains(name)) read(name, value);
  }

  // Empty if all was well.
  const std::string& problem() const { return problem_; }

 private:
  const Json* find(const char* name, bool (Json::*is_type)() const noexcept) {
    if (!problem_.empty()) return nullptr;
    const auto field = object_.find(name);
    if (field != object_.end() && (is_type == nullptr || ((*field).*is_type)())) return &*field;
    set_problem(name);
    return nullptr;
  }
  static bool number_from(const Json& json, double& value) {
    if (json.is_number()) {
      value = json.get<double>();
      return true;
    }
    if (json == "nan")
      value = std::nan("");
    else if (json == "inf")
      value = INFINITY;
    else if (json == "-inf")
      value = -INFINITY;
    else
      return false;
    return true;
  }
  void set_problem(const char* name) {
    if (problem_.empty()) problem_ = fmt::format("its field '{}' is missing or wrong", name);
  }
  const Json& object_;
  std::string problem_;
};

Json optional_number(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

Json json_of(const MetricRow& row) {
  return {{"metric", row.metric},
          {"k", row.k},
          {"value", number(row.value)},
          {"standard_error", optional_number(row.standard_error)},
          {"seed_deviation", optional_number(row.seed_deviation)},
          {"baseline", optional_number(row.baseline)},
          {"markov", optional_number(row.markov)},
          {"seen", row.seen}};
}

Result<MetricRow> metric_from(const Json& json) {
  MetricRow row;
  FieldReader fields(json);
  fields.read("metric", row.metric);
  fields.read("k", row.k);
  fields.read("value", row.value);
  fields.read_if_there("standard_error", row.standard_error);
  fields.read_if_there("seed_deviation", row.seed_deviation);
  fields.read("baseline", row.baseline);
  fields.read("markov", row.markov);
  fields.read("seen", row.seen);
  if (!fields.problem().empty()) return damaged("metric", fields.problem());
  return row;
}

// nlohmann parses nested arrays without recursion, so that deep nesting is harmless.
Result<Json> parse(std::string_view json, std::string_view what) {
  Json parsed = parse_json(json);
  if (parsed.is_discarded()) return damaged(what, "it is no JSON");
  return parsed;
}

}  // namespace

std::string encode(const VersionRecord& record) {
  return text_of({{"solution", record.solution},
                  {"number", record.number},
                  {"dataset_group", record.dataset_group},
                  {"recipe", record.recipe},
                  {"status", record.status},
                  {"failure_reason", record.failure_reason},
                  {"training_mode", record.training_mode},
                  {"created", record.created},
                  {"updated", record.updated},
                  {"training_seconds", number(record.training_seconds)},
                  {"users", record.users},
                  {"items", record.items},
                  {"events", record.events},
                  {"newest_event", record.newest_event ? Json(*record.newest_event) : Json()},
                  {"seed", record.seed},
                  {"seeds", record.seeds},
                  {"evaluation", record.evaluation},
                  {"event_type", record.event_type},
                  {"event_value_threshold", optional_number(record.event_value_threshold)},
                  {"tie_order", record.tie_order},
                  {"hyperparameters", record.hyperparameters},
                  {"tuned", record.tuned},
                  {"model_bytes", record.model_bytes},
                  {"model_id", record.model_id},
                  {"process", record.process},
                  {"build", record.build}});
}

Result<VersionRecord> decode_version(std::string_view json) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Json parsed, parse(json, "solution version"));
  VersionRecord record;
  FieldReader fields(parsed);
  fields.read("solution", record.solution);
  fields.read("number", record.number);
  fields.read("dataset_group", record.dataset_group);
  fields.read("recipe", record.recipe);
  fields.read("status", record.status);
  fields.read("failure_reason", record.failure_reason);
  fields.read("training_mode", record.training_mode);
  fields.read("created", record.created);
  fields.read("updated", record.updated);
  fields.read("training_seconds", record.training_seconds);
  fields.read("users", record.users);
  fields.read("items", record.items);
  fields.read("events", record.events);
  fields.read_if_there("newest_event", record.newest_event);
  fields.read("seed", record.seed);
  fields.read_if_there("seeds", record.seeds);
  fields.read("evaluation", record.evaluation);
  fields.read("event_type", record.event_type);
  fields.read("event_value_threshold", record.event_value_threshold);
  fields.read("tie_order", record.tie_order);
  fields.read("hyperparameters", record.hyperparameters);
  fields.read_if_there("tuned", record.tuned);
  fields.read("model_bytes", record.model_bytes);
  fields.read("model_id", record.model_id);
  fields.read("process", record.process);
  fields.read("build", record.build);
  if (!fields.problem().empty()) return damaged("solution version", fields.problem());
  if (record.status != kVersionInProgress && record.status != kVersionActive &&
      record.status != kVersionFailed)
    return damaged("solution version", fmt::format("its status is '{}'", record.status));
  return record;
}

std::string encode(const std::vector<MetricRow>& metrics) {
  Json rows = Json::array();
  for (const MetricRow& row : metrics) rows.push_back(json_of(row));
  return text_of(rows);
}

Result<std::vector<MetricRow>> decode_metrics(std::string_view json) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Json parsed, parse(json, "metric"));
  if (!parsed.is_array()) return damaged("metric", "it is no JSON array");
  std::vector<MetricRow> metrics;
  for (const Json& row : parsed) {
    PERSONALIZE_ASSIGN_OR_RETURN(MetricRow metric, metric_from(row));
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

std::string encode(const LogRow& row) {
  return text_of({{"sequence", row.sequence},
                  {"time", number(row.time)},
                  {"stage", row.stage},
                  {"epoch", row.epoch},
                  {"epochs", row.epochs},
                  {"loss", optional_number(row.loss)},
                  {"events_per_second", optional_number(row.events_per_second)},
                  {"message", row.message}});
}

Result<LogRow> decode_log(std::string_view json) {
  PERSONALIZE_ASSIGN_OR_RETURN(const Json parsed, parse(json, "log line"));
  LogRow row;
  FieldReader fields(parsed);
  fields.read("sequence", row.sequence);
  fields.read("time", row.time);
  fields.read("stage", row.stage);
  fields.read("epoch", row.epoch);
  fields.read("epochs", row.epochs);
  fields.read("loss", row.loss);
  fields.read("events_per_second", row.events_per_second);
  fields.read("message", row.message);
  if (!fields.problem().empty()) return damaged("log line", fields.problem());
  return row;
}

}  // namespace personalize
