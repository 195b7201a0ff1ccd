#include "extension/csv_import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "extension/column_types.h"
#include "extension/column_value.h"
#include "extension/csv_reader.h"
#include "extension/id_dictionary.h"
#include "extension/savepoint.h"

namespace personalize {
namespace {

constexpr int64_t kLinesBetweenPolls = 10'000;

class CsvImport {
 public:
  CsvImport(Connection& connection, const Dataset& dataset, std::string path)
      : connection_(connection),
        dataset_(dataset),
        config_(dataset.config),
        path_(std::move(path)) {}

  Result<ImportSummary> run(const ImportOptions& options) {
    Result<std::unique_ptr<CsvReader>> reader = CsvReader::open(path_, options.delimiter);
    if (!reader.is_ok())
      return Status(reader.status().code(), fmt::format("{} {}", path_, reader.status().message()));
    reader_ = std::move(*reader);
    PERSONALIZE_RETURN_IF_ERROR(read_header());
    PERSONALIZE_RETURN_IF_ERROR(prepare_insert());
    const bool are_events = config_.kind == DatasetKind::kInteractions;
    // What is wrong early in the file is found before anything is locked.
    if (are_events) PERSONALIZE_RETURN_IF_ERROR(collect_events(options.room));
    PERSONALIZE_ASSIGN_OR_RETURN(
        Savepoint savepoint,
        Savepoint::open(connection_, dataset_.entry.schema, "personalize_import"));
    if (options.is_full) PERSONALIZE_RETURN_IF_ERROR(delete_rows());
    if (!are_events) PERSONALIZE_RETURN_IF_ERROR(insert_rows());
    while (!rows_.empty()) {
      PERSONALIZE_RETURN_IF_ERROR(insert_events());
      PERSONALIZE_RETURN_IF_ERROR(collect_events(options.room));
    }
    summary_.users = static_cast<int64_t>(users_.size());
    PERSONALIZE_RETURN_IF_ERROR(savepoint.release());
    return std::move(summary_);
  }

 private:
  // A column that is in the file and in the dataset.
  struct Column {
    size_t field;  // place in the file's rows
    const DatasetColumn* column;
    bool is_id;
  };
  // An event of the file; its values lie in texts_, each behind its size.
  struct Row {
    uint32_t user;
    int64_t line;
    size_t values;
  };

  // `status` with the place it is about.
  Status at_line(int64_t line, const Status& status) const {
    std::string_view message = status.message();
    constexpr std::string_view kException = "InvalidInputException: ";
    if (message.starts_with(kException)) message.remove_prefix(kException.size());
    const bool is_row =
        status.code() == StatusCode::kConstraint || status.code() == StatusCode::kMismatch;
    return {is_row ? StatusCode::kInvalidInput : status.code(),
            fmt::format("{}, line {}: {}", path_, line, message)};
  }
  Status at_line(const Status& status) const { return at_line(reader_->line(), status); }
  Status refuse(std::string_view what) const {
    return at_line(Status(StatusCode::kInvalidInput, std::string(what)));
  }

  // The next row into fields_. False: the end.
  Result<bool> read_row() {
    Result<bool> row = reader_->next(fields_);
    if (!row.is_ok()) return at_line(row.status());
    return *row;
  }

  Status read_header() {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, read_row());
    if (!row)
      return {StatusCode::kInvalidInput,
              fmt::format("{} is empty; its first line must name the columns", path_)};
    for (size_t i = 0; i < fields_.size(); i++) {
      header_.emplace_back(fields_[i]);
      const int place = config_.find(fields_[i]);
      if (place < 0) {
        if (!is_utf8(fields_[i])) return refuse("the name of a column is not UTF-8");
        summary_.ignored_columns.emplace_back(fields_[i]);
        continue;
      }
      const DatasetColumn& column = config_.columns[static_cast<size_t>(place)];
      for (const Column& other : columns_)
        if (other.column == &column)
          return refuse(fmt::format("the column {} is there twice", column.name));
      columns_.push_back({i, &column, is_id_column(config_.kind, column.name)});
    }
    for (const DatasetColumn& column : config_.columns) {
      const bool there = std::any_of(columns_.begin(), columns_.end(),
                                     [&](const Column& one) { return one.column == &column; });
      if (!there && !column.nullable)
        return refuse(fmt::format("the column {} is missing; there are: {}", column.name,
                                  fmt::join(header_, ", ")));
    }
    return Status::ok();
  }

  Status prepare_insert() {
    std::string names;
    std::string parameters;
    for (size_t i = 0; i < columns_.size(); i++) {
      const char* comma = i == 0 ? "" : ", ";
      names += comma + sql_name(columns_[i].column->name);
      parameters += fmt::format("{}?{}", comma, i + 1);
    }
    const bool replaces = config_.kind != DatasetKind::kInteractions;
    PERSONALIZE_ASSIGN_OR_RETURN(
        insert_,
        connection_.prepare(fmt::format(
            "INSERT{} INTO {}.{}({}) VALUES ({})", replaces ? " OR REPLACE" : "",
            sql_name(dataset_.entry.schema), sql_name(dataset_.entry.table), names, parameters)));
    return Status::ok();
  }

  Status delete_rows() {
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection_.prepare(fmt::format("DELETE FROM {}.{}", sql_name(dataset_.entry.schema),
                                        sql_name(dataset_.entry.table))));
    if (const Status status = statement.run(); !status.is_ok())
      return {status.code(), fmt::format("{}: {}", path_, status.message())};
    summary_.deleted = sqlite3_changes(connection_.db());
    return Status::ok();
  }

  // The next row, complete and with every value right for its column. False: the end.
  Result<bool> read_checked_row() {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool row, read_row());
    if (!row) return false;
    if (summary_.rows++ % kLinesBetweenPolls == 0 && connection_.interrupted())
      return Status(StatusCode::kInterrupted, fmt::format("{}: interrupted", path_));
    if (fields_.size() != header_.size())
      return refuse(fmt::format("there are {} values, but {} columns: {}", fields_.size(),
                                header_.size(), fmt::join(header_, ", ")));
    for (const Column& column : columns_) {
      const std::string_view text = fields_[column.field];
      if (!is_utf8(text))
        return refuse(fmt::format("{}.{} is not UTF-8", dataset_.entry.table, column.column->name));
      const Status status =
          column.is_id ? check_id(dataset_.entry.table, *column.column, text)
                       : checked_value(config_.kind, dataset_.entry.table, *column.column,
                                       text.empty() ? ColumnValue() : ColumnValue::of(text))
                             .status();
      if (!status.is_ok()) return at_line(status);
    }
    return true;
  }

  void bind(size_t i, std::string_view text) {
    const int parameter = static_cast<int>(i) + 1;
    if (text.empty()) {
      insert_.bind_null(parameter);
    } else {
      insert_.bind(parameter, text);
    }
  }

  Status insert_rows() {
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, read_checked_row());
      if (!row) return Status::ok();
      for (size_t i = 0; i < columns_.size(); i++) bind(i, fields_[columns_[i].field]);
      if (const Status status = insert_.run(); !status.is_ok()) return at_line(status);
    }
  }

  // Users are numbered in order of first sight.
  uint32_t user_number(std::string_view id) {
    if (const auto found = users_.find(id); found != users_.end()) return found->second;
    const auto number = static_cast<uint32_t>(users_.size());
    users_.emplace(id, number);
    return number;
  }

  // The next events of the file, as many as `room` bytes hold; none: the end.
  Status collect_events(size_t room) {
    rows_.clear();
    texts_.clear();
    const auto user = std::find_if(columns_.begin(), columns_.end(), [](const Column& column) {
      return column.column->name == "USER_ID";
    });
    while (rows_.empty() || texts_.size() + 2 * rows_.size() * sizeof(Row) < room) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, read_checked_row());
      if (!row) break;
      rows_.push_back({user_number(fields_[user->field]), reader_->line(), texts_.size()});
      for (const Column& column : columns_) {
        const std::string_view text = fields_[column.field];
        const auto size = static_cast<uint32_t>(text.size());
        texts_.append(reinterpret_cast<const char*>(&size), sizeof(size));
        texts_ += text;
      }
    }
    // So that a user's events go to one place of the clustered order; by file order inside.
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const Row& a, const Row& b) { return a.user < b.user; });
    return Status::ok();
  }

  Status insert_events() {
    for (const Row& row : rows_) {
      const char* next = texts_.data() + row.values;
      for (size_t i = 0; i < columns_.size(); i++) {
        uint32_t size = 0;
        std::copy_n(next, sizeof(size), reinterpret_cast<char*>(&size));
        next += sizeof(size);
        bind(i, {next, size});
        next += size;
      }
      if (const Status status = insert_.run(); !status.is_ok()) return at_line(row.line, status);
    }
    return Status::ok();
  }

  Connection& connection_;
  const Dataset& dataset_;
  const DatasetConfig& config_;
  const std::string path_;
  std::unique_ptr<CsvReader> reader_;
  std::vector<std::string> header_;
  std::vector<Column> columns_;
  std::vector<std::string_view> fields_;
  Statement insert_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> users_;
  std::vector<Row> rows_;
  std::string texts_;
  ImportSummary summary_;
};

}  // namespace

Result<ImportSummary> import_csv(Connection& connection, const Dataset& dataset,
                                 const std::string& path, const ImportOptions& options) {
  return CsvImport(connection, dataset, path).run(options);
}

}  // namespace personalize
