#include "extension/import_function.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/json_text.h"
#include "extension/boundary.h"
#include "extension/column_types.h"
#include "extension/csv_import.h"
#include "extension/dataset_lookup.h"

namespace personalize {
namespace {

constexpr std::string_view kName = "personalize_import";

Status refuse(std::string_view what) {
  return {StatusCode::kInvalidInput, fmt::format("InvalidInputException: {}: {}", kName, what)};
}

std::string shown(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Status read_delimiter(const nlohmann::json& value, ImportOptions& options) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const bool right = text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80 &&
                     text[0] != '"' && text[0] != '\n' && text[0] != '\r' && text[0] != '\0';
  if (!right)
    return refuse(fmt::format("the delimiter is {}; it must be one ASCII character, and no quote",
                              shown(value)));
  options.delimiter = text[0];
  return Status::ok();
}

Status read_mode(const nlohmann::json& value, ImportOptions& options) {
  const std::string mode = value.is_string() ? upper_case(value.get<std::string>()) : "";
  if (mode != "FULL" && mode != "INCREMENTAL")
    return refuse(
        fmt::format("the mode is {}; it is FULL (the file takes the place of all rows) "
                    "or INCREMENTAL (it is added to them)",
                    shown(value)));
  options.is_full = mode == "FULL";
  return Status::ok();
}

// {"delimiter": ";", "mode": "FULL"}
Result<ImportOptions> parse_options(sqlite3_value* value) {
  ImportOptions options;
  if (sqlite3_value_type(value) == SQLITE_NULL) return options;
  const nlohmann::json json = parse_json(text_of(value));
  if (!json.is_object())
    return refuse(
        fmt::format("the options are '{}'; they must be a JSON object such as "
                    "{{\"delimiter\": \";\", \"mode\": \"FULL\"}}",
                    text_of(value).substr(0, 200)));
  for (const auto& [key, option] : json.items()) {
    if (key == "delimiter") {
      PERSONALIZE_RETURN_IF_ERROR(read_delimiter(option, options));
    } else if (key == "mode") {
      PERSONALIZE_RETURN_IF_ERROR(read_mode(option, options));
    } else {
      return refuse(fmt::format("there is no option '{}'; there are: delimiter, mode", key));
    }
  }
  return options;
}

Result<std::string> import(Connection& connection, sqlite3_value* table, sqlite3_value* path,
                           sqlite3_value* given) {
  const auto start = std::chrono::steady_clock::now();
  if (sqlite3_value_type(table) != SQLITE_TEXT || sqlite3_value_type(path) != SQLITE_TEXT)
    return refuse(
        "takes the name of a dataset and the path of a CSV file: SELECT "
        "personalize_import('interactions', 'interactions.csv')");
  ImportOptions options;
  if (given != nullptr) {
    PERSONALIZE_ASSIGN_OR_RETURN(options, parse_options(given));
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const Dataset dataset,
                               find_dataset_table(connection, text_of(table), kName));
  if (!dataset.config.content.empty())
    return refuse(
        fmt::format("'{}' reads the table '{}' in place (content=); import into that table",
                    dataset.entry.table, dataset.config.content));

  Result<ImportSummary> summary =
      import_csv(connection, dataset, std::string(text_of(path)), options);
  if (!summary.is_ok()) {
    const std::string& message = summary.status().message();
    if (message.starts_with("InvalidInputException: ")) return summary.status();
    if (summary.status().code() == StatusCode::kInvalidInput) return refuse(message);
    return Status(summary.status().code(), fmt::format("{}: {}", kName, message));
  }

  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  nlohmann::ordered_json json = {{"table", dataset.entry.table}, {"rows", summary->rows}};
  if (options.is_full) json["deleted"] = summary->deleted;
  if (dataset.config.kind == DatasetKind::kInteractions) json["users"] = summary->users;
  json["seconds"] = std::round(taken.count() * 1000) / 1000;
  if (!summary->ignored_columns.empty()) json["ignored_columns"] = summary->ignored_columns;
  return json.dump();
}

void personalize_import(sqlite3_context* context, int argc, sqlite3_value** argv) {
  guarded_function(context, [&]() -> Status {
    PERSONALIZE_ASSIGN_OR_RETURN(
        const std::string json,
        import(connection_of(context), argv[0], argv[1], argc > 2 ? argv[2] : nullptr));
    sqlite3_result_text64(context, json.data(), json.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return Status::ok();
  });
}

}  // namespace

Status register_import_function(const std::shared_ptr<Connection>& connection) {
  for (const int arguments : {2, 3})
    PERSONALIZE_RETURN_IF_ERROR(register_scalar(connection, kName.data(), arguments,
                                                SQLITE_DIRECTONLY, personalize_import));
  return Status::ok();
}

}  // namespace personalize
