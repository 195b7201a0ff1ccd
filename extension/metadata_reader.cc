#include "extension/metadata_reader.h"

#include <fmt/format.h>

#include <utility>

#include "extension/boundary.h"
#include "extension/business_table.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

class MetadataReader : public MetadataSource {
 public:
  MetadataReader(Connection& connection, const Dataset& dataset,
                 std::vector<MetadataColumn> columns);

  std::span<const MetadataField> fields() const override { return fields_; }
  Status scan(MetadataSink& sink) override;
  Result<bool> row(std::string_view id, std::vector<FieldValue>& values) override;

 private:
  // The id of a statement's current row; nothing where it is none.
  static std::optional<std::string> id_of_row(const Statement& statement);
  // The values of a statement's current row, whose first column is the id. Texts are views of the
  // row or of storage_.
  void read_values(const Statement& statement, std::vector<FieldValue>& values);

  Connection& connection_;
  const DatasetKind kind_;
  const std::vector<MetadataColumn> columns_;
  std::vector<MetadataField> fields_;
  std::vector<std::string> storage_;  // one a field
  std::string scan_query_;
  std::string row_query_;  // with the id as bind_content_id sets it
};

MetadataReader::MetadataReader(Connection& connection, const Dataset& dataset,
                               std::vector<MetadataColumn> columns)
    : connection_(connection),
      kind_(dataset.config.kind),
      columns_(std::move(columns)),
      storage_(columns_.size()) {
  const bool is_native = dataset.config.content.empty();
  const DatasetColumn& id =
      dataset.config
          .columns[dataset.config.find(kind_ == DatasetKind::kUsers ? "USER_ID" : "ITEM_ID")];
  std::string list = sql_name(is_native ? id.name : id.content_column);
  for (const MetadataColumn& column : columns_) {
    fields_.push_back(column.field);
    list += ", ";
    list += is_native ? sql_name(column.column.name) : content_expression(column.column);
  }
  scan_query_ = fmt::format(
      "SELECT {} FROM {}", list,
      is_native
          ? shadow_table(dataset.entry.schema, dataset.entry.table, "row")
          : fmt::format("{}.{}", sql_name(dataset.entry.schema), sql_name(dataset.config.content)));
  row_query_ = fmt::format("{} WHERE {}", scan_query_,
                           content_id_condition(is_native ? id.name : id.content_column, 1));
}

std::optional<std::string> MetadataReader::id_of_row(const Statement& statement) {
  Result<std::string> id = id_of(sqlite3_column_value(statement.get(), 0), "");
  if (!id.is_ok()) return std::nullopt;
  return std::move(*id);
}

void MetadataReader::read_values(const Statement& statement, std::vector<FieldValue>& values) {
  values.clear();
  for (size_t f = 0; f < columns_.size(); ++f)
    values.push_back(field_value(columns_[f], kind_,
                                 sqlite3_column_value(statement.get(), static_cast<int>(f) + 1),
                                 storage_[f]));
}

Status MetadataReader::scan(MetadataSink& sink) {
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(scan_query_));
  std::vector<FieldValue> values;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) return Status::ok();
    const std::optional<std::string> id = id_of_row(statement);
    if (!id) continue;
    read_values(statement, values);
    PERSONALIZE_RETURN_IF_ERROR(sink.row(*id, values));
  }
}

Result<bool> MetadataReader::row(std::string_view id, std::vector<FieldValue>& values) {
  values.clear();
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection_.cached(row_query_));
  bind_content_id(statement, 1, id);
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) return false;
    // The business table's own comparison may be looser: '042' is 42 to an INTEGER column.
    if (id_of_row(statement) != id) continue;
    read_values(statement, values);
    // The row ends with the statement, the texts live on.
    for (size_t f = 0; f < values.size(); ++f) {
      if (values[f].type != FieldValue::Type::kText) continue;
      if (values[f].text.data() != storage_[f].data()) storage_[f] = values[f].text;
      values[f].text = storage_[f];
    }
    return true;
  }
}

}  // namespace

Result<std::unique_ptr<MetadataSource>> open_metadata_source(Connection& connection,
                                                             std::string_view schema,
                                                             std::string_view group,
                                                             DatasetKind kind) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<Dataset> dataset,
                               find_dataset_of_group(connection, schema, group, kind));
  if (!dataset) return std::unique_ptr<MetadataSource>();
  return open_metadata_source(connection, *dataset, metadata_columns(dataset->config));
}

Result<std::unique_ptr<MetadataSource>> open_metadata_source(Connection& connection,
                                                             const Dataset& dataset,
                                                             std::vector<MetadataColumn> columns) {
  if (!dataset.config.content.empty())
    PERSONALIZE_RETURN_IF_ERROR(inspect_business_table(connection, dataset.entry.schema,
                                                       dataset.config, dataset.entry.table)
                                    .status());
  return std::unique_ptr<MetadataSource>(
      std::make_unique<MetadataReader>(connection, dataset, std::move(columns)));
}

}  // namespace personalize
