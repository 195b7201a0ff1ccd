#include "extension/dataset_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/json_text.h"
#include "extension/avro_schema.h"
#include "extension/column_types.h"
#include "extension/statement.h"

namespace personalize {
namespace {

using nlohmann::json;

constexpr size_t kMaxGroupBytes = 63;

// "key = value": group, schema, content and mappings of columns.
struct Option {
  std::string key;  // as it was written
  std::string value;
};
using Options = std::map<std::string, Option>;  // by upper-cased key

// The arguments, sorted by what they are.
struct Arguments {
  Options options;
  std::vector<DatasetColumn> definitions;
};

Status refuse(DatasetKind kind, std::string_view what) {
  return {StatusCode::kInvalidInput, fmt::format("{}: {}", module_name(kind), what)};
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// 'it''s' -> it's; the same for "..."; a bare word as it is. Nothing if a quote is not closed.
std::optional<std::string> unquoted(std::string_view text) {
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) return std::string(text);
  const char quote = text[0];
  std::string value;
  size_t i = 1;
  for (; i < text.size(); i++) {
    if (text[i] == quote) {
      if (i + 1 == text.size()) return value;
      if (text[i + 1] != quote) return std::nullopt;
      i++;
    }
    value += text[i];
  }
  return std::nullopt;
}

// The key of "key = value", or nothing: the text up to a '=' if that is one word.
std::optional<std::string_view> option_key(std::string_view argument) {
  const size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view key = trimmed(argument.substr(0, equals));
  const bool word = !key.empty() && std::none_of(key.begin(), key.end(), is_space);
  return word ? std::optional(key) : std::nullopt;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = trimmed(text)).empty()) {
    size_t end = 0;
    while (end < text.size() && !is_space(text[end])) end++;
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// NAME type [categorical] [textual]
Result<DatasetColumn> parse_definition(DatasetKind kind, std::string_view argument) {
  constexpr std::string_view kForm =
      "a column is written NAME type [categorical] [textual], with type string, int, long, float, "
      "double or boolean";
  const std::vector<std::string> words = words_of(argument);
  DatasetColumn column;
  Result<std::string> name = check_column_name(unquoted(words[0]).value_or(words[0]));
  if (!name.is_ok()) return refuse(kind, name.status().message());
  column.name = std::move(*name);
  if (words.size() < 2)
    return refuse(kind, fmt::format("the column {} has no type; {}", column.name, kForm));
  const std::optional<ColumnType> type = find_column_type(words[1]);
  if (!type)
    return refuse(kind, fmt::format("the column {} has the unknown type '{}'; {}", column.name,
                                    words[1], kForm));
  column.type = *type;
  for (size_t i = 2; i < words.size(); i++) {
    const std::string word = upper_case(words[i]);
    if (word == "CATEGORICAL") {
      column.categorical = true;
    } else if (word == "TEXTUAL") {
      column.textual = true;
    } else {
      return refuse(
          kind, fmt::format("the column {} is followed by '{}'; {}", column.name, words[i], kForm));
    }
  }
  return column;
}

Result<Arguments> sort_arguments(DatasetKind kind, std::span<const char* const> arguments) {
  Arguments sorted;
  for (const char* raw : arguments) {
    const std::string_view argument = trimmed(raw);
    if (argument.empty()) continue;
    if (const std::optional<std::string_view> key = option_key(argument)) {
      const std::optional<std::string> value =
          unquoted(trimmed(argument.substr(argument.find('=') + 1)));
      if (!value || value->empty())
        return refuse(kind, fmt::format("{} needs a value: {}='...'", *key, *key));
      if (!sorted.options.emplace(upper_case(*key), Option{std::string(*key), *value}).second)
        return refuse(kind, fmt::format("{} is given twice", *key));
    } else {
      PERSONALIZE_ASSIGN_OR_RETURN(DatasetColumn column, parse_definition(kind, argument));
      sorted.definitions.push_back(std::move(column));
    }
  }
  return sorted;
}

std::optional<std::string> take(Options& options, const char* key) {
  const auto found = options.find(key);
  if (found == options.end()) return std::nullopt;
  std::string value = std::move(found->second.value);
  options.erase(found);
  return value;
}

Status check_group(DatasetKind kind, std::string_view group) {
  const auto is_alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)); };
  const bool right = group.size() <= kMaxGroupBytes && is_alphanumeric(group[0]) &&
                     std::all_of(group.begin(), group.end(), [&](char c) {
                       return is_alphanumeric(c) || c == '-' || c == '_';
                     });
  if (right) return Status::ok();
  return refuse(kind, fmt::format("the group '{}' is no name; it must be 1 to {} letters, digits, "
                                  "'-' and '_', a letter or digit first",
                                  group, kMaxGroupBytes));
}

DatasetColumn column_of(std::string_view name, ColumnType type, bool hidden = false) {
  DatasetColumn column;
  column.name = name;
  column.type = type;
  column.hidden = hidden;
  return column;
}

bool has(const std::vector<DatasetColumn>& columns, std::string_view name) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const DatasetColumn& column) { return column.name == name; });
}

// A schema is the whole list of columns, and so are column definitions that name the id; others
// come after the columns that every dataset of the kind has. Interactions get what their list
// leaves out as hidden columns, so that every one of them can hold what an event of Amazon's holds.
std::vector<DatasetColumn> complete(DatasetKind kind, const std::vector<DatasetColumn>& given,
                                    bool is_schema) {
  const char* id = kind == DatasetKind::kItems ? "ITEM_ID" : "USER_ID";
  std::vector<DatasetColumn> columns;
  if (!is_schema && !has(given, id)) {
    columns.push_back(column_of(id, ColumnType::kString));
    if (kind == DatasetKind::kInteractions) {
      for (const char* name : {"ITEM_ID", "EVENT_TYPE"})
        if (!has(given, name)) columns.push_back(column_of(name, ColumnType::kString));
      if (!has(given, "EVENT_VALUE"))
        columns.push_back(column_of("EVENT_VALUE", ColumnType::kFloat));
      if (!has(given, "TIMESTAMP")) columns.push_back(column_of("TIMESTAMP", ColumnType::kLong));
    }
  }
  columns.insert(columns.end(), given.begin(), given.end());
  if (kind != DatasetKind::kInteractions) return columns;
  for (const char* name :
       {"EVENT_TYPE", "SESSION_ID", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"})
    if (!has(columns, name)) columns.push_back(column_of(name, ColumnType::kString, true));
  if (!has(columns, "EVENT_VALUE"))
    columns.push_back(column_of("EVENT_VALUE", ColumnType::kFloat, true));
  return columns;
}

// Which column of the business table each of ours reads: the one it is mapped to, else, for
// required columns and defined fields, the one of its own name.
void map_columns(Options& options, const std::vector<DatasetColumn>& defined,
                 std::vector<DatasetColumn>& columns) {
  for (DatasetColumn& column : columns) {
    const bool needed = !column.nullable || has(defined, column.name);
    if (std::optional<std::string> mapped = take(options, column.name.c_str())) {
      column.content_column = std::move(*mapped);
    } else if (needed) {
      column.content_column = column.name;
    }
  }
}

Status refuse_unknown_option(const DatasetConfig& config, const Options& options) {
  if (options.empty()) return Status::ok();
  const Option& option = options.begin()->second;
  std::string known = "group, schema, content";
  if (config.content.empty()) {
    if (config.find(option.key) >= 0)
      return refuse(config.kind, fmt::format("{}='{}' maps a column of a business table; name the "
                                             "table too: content='...'",
                                             option.key, option.value));
  } else {
    for (const DatasetColumn& column : config.columns) known += ", " + column.name;
  }
  return refuse(config.kind, fmt::format("'{}' is no argument; there are: {}; a column is written "
                                         "NAME type [categorical] [textual]",
                                         option.key, known));
}

std::string_view declared_type(ColumnType type) {
  switch (type) {
    case ColumnType::kString:
      return "TEXT";
    case ColumnType::kInt:
    case ColumnType::kLong:
      return "INTEGER";
    case ColumnType::kFloat:
    case ColumnType::kDouble:
      return "REAL";
    case ColumnType::kBoolean:
      break;
  }
  return "BOOLEAN";
}

}  // namespace

Result<DatasetConfig> DatasetConfig::parse(DatasetKind kind,
                                           std::span<const char* const> arguments) {
  PERSONALIZE_ASSIGN_OR_RETURN(Arguments sorted, sort_arguments(kind, arguments));
  DatasetConfig config;
  config.kind = kind;
  if (std::optional<std::string> group = take(sorted.options, "GROUP")) {
    PERSONALIZE_RETURN_IF_ERROR(check_group(kind, *group));
    config.group = std::move(*group);
  }
  if (std::optional<std::string> content = take(sorted.options, "CONTENT"))
    config.content = std::move(*content);
  std::vector<DatasetColumn> given = std::move(sorted.definitions);
  const std::optional<std::string> schema = take(sorted.options, "SCHEMA");
  if (schema) {
    if (!given.empty()) return refuse(kind, "takes schema='...' or column definitions, not both");
    PERSONALIZE_ASSIGN_OR_RETURN(given, parse_avro_schema(kind, *schema));
  }
  config.columns = complete(kind, given, schema.has_value());
  PERSONALIZE_RETURN_IF_ERROR(check_columns(kind, config.columns));
  if (!config.content.empty()) map_columns(sorted.options, given, config.columns);
  PERSONALIZE_RETURN_IF_ERROR(refuse_unknown_option(config, sorted.options));
  return config;
}

std::string DatasetConfig::declaration() const {
  std::string sql = "CREATE TABLE x(";
  for (const DatasetColumn& column : columns) {
    if (&column != columns.data()) sql += ", ";
    sql += fmt::format("{} {}{}", sql_name(column.name), declared_type(column.type),
                       column.hidden ? " HIDDEN" : "");
  }
  return sql + ")";
}

int DatasetConfig::find(std::string_view name) const {
  const std::string upper = upper_case(name);
  for (size_t i = 0; i < columns.size(); i++)
    if (columns[i].name == upper) return static_cast<int>(i);
  return -1;
}

std::string DatasetConfig::to_json() const {
  json list = json::array();
  for (const DatasetColumn& column : columns) {
    json entry = {{"name", column.name}, {"type", column_type_name(column.type)}};
    if (column.categorical) entry["categorical"] = true;
    if (column.textual) entry["textual"] = true;
    if (!column.nullable) entry["nullable"] = false;
    if (column.hidden) entry["hidden"] = true;
    if (!column.content_column.empty()) entry["content_column"] = column.content_column;
    list.push_back(std::move(entry));
  }
  json whole = {{"kind", dataset_kind_name(kind)}, {"group", group}, {"columns", std::move(list)}};
  if (!content.empty()) whole["content"] = content;
  return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<DatasetConfig> DatasetConfig::from_json(std::string_view text) {
  const Status damaged(StatusCode::kCorrupt,
                       fmt::format("personalize_datasets: arguments are damaged: {}", text));
  const json whole = parse_json(text);
  if (!whole.is_object() || !whole.contains("columns") || !whole["columns"].is_array())
    return damaged;
  const auto text_at = [](const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto flag_at = [](const json& object, const char* key, bool otherwise) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() ? found->get<bool>() : otherwise;
  };
  DatasetConfig config;
  const std::string kind = text_at(whole, "kind");
  bool known = false;
  for (const DatasetKind one :
       {DatasetKind::kInteractions, DatasetKind::kUsers, DatasetKind::kItems}) {
    if (dataset_kind_name(one) != kind) continue;
    config.kind = one;
    known = true;
  }
  if (!known) return damaged;
  config.group = text_at(whole, "group");
  config.content = text_at(whole, "content");
  for (const json& entry : whole["columns"]) {
    const std::optional<ColumnType> type = find_column_type(text_at(entry, "type"));
    if (!type) return damaged;
    DatasetColumn column;
    column.name = text_at(entry, "name");
    column.type = *type;
    column.categorical = flag_at(entry, "categorical", false);
    column.textual = flag_at(entry, "textual", false);
    column.nullable = flag_at(entry, "nullable", true);
    column.hidden = flag_at(entry, "hidden", false);
    column.content_column = text_at(entry, "content_column");
    config.columns.push_back(std::move(column));
  }
  PERSONALIZE_RETURN_IF_ERROR(check_columns(config.kind, config.columns));
  return config;
}

}  // namespace personalize
