#include "extension/put_rows_function.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "extension/boundary.h"
#include "extension/column_types.h"
#include "extension/dataset_lookup.h"
#include "extension/json_row.h"
#include "extension/request_json.h"
#include "extension/savepoint.h"

namespace personalize {
namespace {

using nlohmann::json;

// What the two functions differ in.
struct Put {
  const char* function;
  DatasetKind kind;
  std::string_view list;  // the key of the rows
  std::string_view id;    // the key of a row's id
  std::string_view id_column;
  std::string_view example;
};

constexpr Put kPutUsers = {"personalize_put_users",
                           DatasetKind::kUsers,
                           "users",
                           "userId",
                           "USER_ID",
                           R"({"users": [{"userId": "7", "properties": {"age": 30}}]})"};
constexpr Put kPutItems = {"personalize_put_items",
                           DatasetKind::kItems,
                           "items",
                           "itemId",
                           "ITEM_ID",
                           R"({"items": [{"itemId": "9", "properties": {"genres": "Drama"}}]})"};

Status refuse(std::string_view what) { return {StatusCode::kInvalidInput, std::string(what)}; }

// The group in arn:aws:personalize:<region>:<account>:dataset/<group>/USERS.
Result<std::string> group_of_arn(const Put& put, std::string_view arn) {
  constexpr std::string_view kDataset = ":dataset/";
  const size_t start = arn.find(kDataset);
  const size_t slash = arn.rfind('/');
  const bool fits = arn.starts_with("arn:") && start != std::string_view::npos &&
                    slash > start + kDataset.size() &&
                    upper_case(arn.substr(slash + 1)) == upper_case(put.list);
  if (fits) {
    const size_t group = start + kDataset.size();
    return std::string(arn.substr(group, slash - group));
  }
  return refuse(fmt::format("datasetArn is '{}'; it ends with :dataset/<dataset group>/{}", arn,
                            upper_case(put.list)));
}

// The group's dataset in the first catalog that has one.
Result<Dataset> dataset_of_group(Connection& connection, const Put& put, std::string_view group) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<std::string> schemas, catalog_schemas(connection));
  std::vector<std::string> groups;
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(std::optional<Dataset> dataset,
                                 find_dataset_of_group(connection, schema, group, put.kind));
    if (dataset) return std::move(*dataset);
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement others,
        connection.cached(fmt::format("SELECT dataset_group FROM {}.personalize_datasets WHERE "
                                      "kind = ?1 ORDER BY dataset_group",
                                      sql_name(schema))));
    others.bind(1, put.list);
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, others.step());
      if (!row) break;
      groups.emplace_back(others.text(0));
    }
  }
  return Status(StatusCode::kNotFound,
                fmt::format("ResourceNotFoundException: {}: dataset group '{}' has no {}; {}",
                            put.function, group, put.list,
                            groups.empty()
                                ? fmt::format("no group has: CREATE VIRTUAL TABLE {} USING {}(...)",
                                              put.list, module_name(put.kind))
                                : fmt::format("groups that have: {}", fmt::join(groups, ", "))));
}

// The dataset that the request names by datasetArn, dataset or datasetGroup.
Result<Dataset> find_target(Connection& connection, const Put& put, const json& request) {
  constexpr std::array<std::string_view, 3> kNames = {"datasetArn", "dataset", "datasetGroup"};
  std::string_view key;
  std::string name;
  for (const std::string_view one : kNames) {
    const json* value = find_json(request, one);
    if (value == nullptr) continue;
    if (!key.empty()) return refuse(fmt::format("{} and {} are given; one will do", key, one));
    if (!value->is_string() || value->get_ref<const std::string&>().empty())
      return refuse(fmt::format("{} is {}; it is a text", one, shown_json(*value)));
    key = one;
    name = value->get<std::string>();
  }
  if (key == "datasetArn") {
    PERSONALIZE_ASSIGN_OR_RETURN(name, group_of_arn(put, name));
  }
  if (key != "dataset") return dataset_of_group(connection, put, key.empty() ? "default" : name);
  PERSONALIZE_ASSIGN_OR_RETURN(Dataset dataset, find_dataset_table(connection, name, put.function));
  if (dataset.config.kind == put.kind) return dataset;
  return refuse(fmt::format("'{}' holds {}, not {}", dataset.entry.table,
                            dataset_kind_name(dataset.config.kind), put.list));
}

Status read_row(const Put& put, const json& entry, size_t id_column, JsonRow& row) {
  const std::array<std::string_view, 2> keys = {put.id, "properties"};
  if (!entry.is_object())
    return refuse(fmt::format("it is {}; it must be an object with {} and properties",
                              shown_json(entry), put.id));
  PERSONALIZE_RETURN_IF_ERROR(check_json_keys(entry, "", keys));
  const json* id = find_json(entry, put.id);
  if (id == nullptr) return refuse(fmt::format("{} is missing", put.id));
  row.clear();
  PERSONALIZE_RETURN_IF_ERROR(row.set(id_column, *id, put.id));
  if (const json* properties = find_json(entry, "properties"))
    PERSONALIZE_RETURN_IF_ERROR(row.set_properties(*properties));
  return row.check_complete();
}

// Writes the rows, all or none.
Status write_rows(Connection& connection, const Put& put, const Dataset& dataset,
                  const json& list) {
  PERSONALIZE_ASSIGN_OR_RETURN(Savepoint savepoint,
                               Savepoint::open(connection, dataset.entry.schema, put.function));
  {
    JsonRow row(dataset);
    const auto id_column = static_cast<size_t>(dataset.config.find(put.id_column));
    PERSONALIZE_ASSIGN_OR_RETURN(Statement insert,
                                 row.prepare_insert(connection, "INSERT OR REPLACE"));
    for (size_t i = 0; i < list.size(); i++) {
      Status status = read_row(put, list[i], id_column, row);
      if (status.is_ok()) status = row.insert(insert);
      if (!status.is_ok())
        return at_place(status, put.function, fmt::format("{}[{}]", put.list, i));
    }
  }
  return savepoint.release();
}

Result<int64_t> put_rows(Connection& connection, const Put& put, sqlite3_value* argument) {
  const auto failed = [&](const Status& status) { return at_place(status, put.function, ""); };
  const std::array<std::string_view, 4> keys = {"datasetArn", "dataset", "datasetGroup", put.list};
  const Result<json> request = parse_json_object(argument, "the request", put.example);
  if (!request.is_ok()) return failed(request.status());
  if (const Status status = check_json_keys(*request, "", keys); !status.is_ok())
    return failed(status);
  const Result<const json*> list = json_list(*request, put.list);
  if (!list.is_ok()) return failed(list.status());
  const Result<Dataset> dataset = find_target(connection, put, *request);
  if (!dataset.is_ok())
    return dataset.status().code() == StatusCode::kInvalidInput ? failed(dataset.status())
                                                                : dataset.status();
  if (const Status status = check_takes_rows(*dataset); !status.is_ok()) return failed(status);
  PERSONALIZE_RETURN_IF_ERROR(write_rows(connection, put, *dataset, **list));
  return static_cast<int64_t>((*list)->size());
}

template <const Put& put>
void function(sqlite3_context* context, int, sqlite3_value** values) {
  guarded_function(context, [&]() -> Status {
    PERSONALIZE_ASSIGN_OR_RETURN(const int64_t rows,
                                 put_rows(connection_of(context), put, values[0]));
    sqlite3_result_int64(context, rows);
    return Status::ok();
  });
}

}  // namespace

Status register_put_rows_functions(const std::shared_ptr<Connection>& connection) {
  PERSONALIZE_RETURN_IF_ERROR(
      register_scalar(connection, kPutUsers.function, 1, SQLITE_DIRECTONLY, function<kPutUsers>));
  return register_scalar(connection, kPutItems.function, 1, SQLITE_DIRECTONLY, function<kPutItems>);
}

}  // namespace personalize
