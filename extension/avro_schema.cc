#include "extension/avro_schema.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/json_text.h"
#include "extension/column_types.h"

namespace personalize {
namespace {

using nlohmann::json;

constexpr std::string_view kExample =
    R"({"type":"record","name":"Users","fields":[{"name":"USER_ID","type":"string"},)"
    R"({"name":"AGE","type":["int","null"]}]})";

Status refuse(DatasetKind kind, std::string_view what) {
  return {StatusCode::kInvalidInput, fmt::format("{}: schema: {}", module_name(kind), what)};
}

// Amazon's names of the three records.
std::string_view record_name(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kInteractions:
      return "Interactions";
    case DatasetKind::kUsers:
      return "Users";
    case DatasetKind::kItems:
      break;
  }
  return "Items";
}

// "type": "int", or a union of one type and "null".
Status parse_type(DatasetKind kind, const json& type, DatasetColumn& column) {
  const json alternatives = type.is_array() ? type : json::array({type});
  column.nullable = false;
  std::optional<ColumnType> found;
  for (const json& alternative : alternatives) {
    const std::string name = alternative.is_string() ? alternative.get<std::string>() : "";
    if (name == "null") {
      column.nullable = true;
      continue;
    }
    const std::optional<ColumnType> known = find_column_type(name);
    if (!known || found)
      return refuse(kind, fmt::format("field {}: type {} is not one of string, int, long, float, "
                                      "double, boolean, or of these with null: [\"int\",\"null\"]",
                                      column.name, type.dump()));
    found = known;
  }
  if (!found)
    return refuse(kind, fmt::format("field {}: type {} holds {}", column.name, type.dump(),
                                    column.nullable ? "null alone" : "nothing"));
  if (column.nullable && is_required_column(kind, column.name))
    return refuse(kind, fmt::format("field {0}: type {1} allows null, but every row must have "
                                    "a value: write \"type\": \"{2}\"",
                                    column.name, type.dump(), column_type_name(*found)));
  column.type = *found;
  return Status::ok();
}

Status parse_flag(DatasetKind kind, const json& field, const char* name,
                  const DatasetColumn& column, bool& flag) {
  const auto found = field.find(name);
  if (found == field.end()) return Status::ok();
  if (!found->is_boolean())
    return refuse(kind, fmt::format("field {}: '{}' must be true or false", column.name, name));
  flag = found->get<bool>();
  return Status::ok();
}

Result<DatasetColumn> parse_field(DatasetKind kind, const json& field) {
  if (!field.is_object() || !field.contains("name") || !field["name"].is_string())
    return refuse(kind, fmt::format("a field has no name: {}", field.dump()));
  DatasetColumn column;
  Result<std::string> name = check_column_name(field["name"].get_ref<const std::string&>());
  if (!name.is_ok()) return refuse(kind, name.status().message());
  column.name = std::move(*name);
  if (!field.contains("type"))
    return refuse(kind, fmt::format("field {} has no type", column.name));
  PERSONALIZE_RETURN_IF_ERROR(parse_type(kind, field["type"], column));
  PERSONALIZE_RETURN_IF_ERROR(parse_flag(kind, field, "categorical", column, column.categorical));
  PERSONALIZE_RETURN_IF_ERROR(parse_flag(kind, field, "textual", column, column.textual));
  return column;
}

}  // namespace

Result<std::vector<DatasetColumn>> parse_avro_schema(DatasetKind kind, std::string_view text) {
  const json schema = parse_json(text);
  if (schema.is_discarded())
    return refuse(kind, fmt::format("it is no JSON; a schema looks like {}", kExample));
  if (!schema.is_object() || schema.value("type", json()) != "record" ||
      !schema.contains("fields") || !schema["fields"].is_array())
    return refuse(kind, fmt::format("it is no Avro record; a schema looks like {}", kExample));
  if (const auto name = schema.find("name"); name != schema.end()) {
    const std::string record = name->is_string() ? name->get<std::string>() : name->dump();
    if (upper_case(record) != upper_case(record_name(kind)))
      return refuse(
          kind, fmt::format("it describes '{}'; the name must be {}", record, record_name(kind)));
  }
  std::vector<DatasetColumn> columns;
  for (const json& field : schema["fields"]) {
    PERSONALIZE_ASSIGN_OR_RETURN(DatasetColumn column, parse_field(kind, field));
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace personalize
