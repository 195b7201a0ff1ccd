// The module behind the read-only tables that show what the engine has made: personalize_versions,
// personalize_metrics, ... One module; each table is a descriptor.
//
// All are eponymous, and read every catalog of the connection (main, then attached databases);
// WHERE schema = 'main' asks for one. WHERE version = 'movies/1' reads that version alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/status.h"
#include "extension/catalog.h"
#include "extension/connection.h"

namespace personalize {

using ReportValue = std::variant<std::monostate, int64_t, double, std::string>;

// A text, or NULL where it is empty.
ReportValue text_or_null(std::string_view text);
template <typename Number>
ReportValue number_or_null(const std::optional<Number>& number) {
  return number ? ReportValue(*number) : ReportValue();
}

// Makes `value` the result of a column; nothing: NULL.
void give(sqlite3_context* context, const ReportValue& value);

struct ReportRow {
  int64_t id = 0;  // the row's number, or with `erase` a hash of its first column
  std::string schema;
  std::vector<ReportValue> values;  // one a column, without the schema
};

// What a table is asked for.
struct ReportRequest {
  Connection& connection;
  std::string schema;
  std::optional<VersionName> version;  // this one alone
};

struct ReportDescriptor {
  const char* name;
  const char* columns;     // as in CREATE TABLE; a hidden column `schema` follows
  bool has_version;        // whether the first column is the version
  bool one_for_all;        // does not depend on a schema: filled once, with an empty one
  bool only_reads_itself;  // may be used in views and triggers whoever wrote them
  // Adds the rows of request.schema; only `values` need to be set.
  Status (*fill)(const ReportRequest& request, std::vector<ReportRow>& rows);
  // What DELETE does with a row; nullptr: the table may not be modified.
  Status (*erase)(Connection& connection, const ReportRow& row);
};

// `descriptor` must live for ever.
Status register_report_table(const std::shared_ptr<Connection>& connection,
                             const ReportDescriptor& descriptor);

}  // namespace personalize
