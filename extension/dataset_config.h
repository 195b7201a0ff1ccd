// What CREATE VIRTUAL TABLE ... USING personalize_interactions / _users / _items was given: parsed,
// checked, complete.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "extension/catalog.h"

namespace personalize {

// Amazon Personalize's column types.
enum class ColumnType { kString, kInt, kLong, kFloat, kDouble, kBoolean };

struct DatasetColumn {
  std::string name;  // upper case as in Amazon's schemas: USER_ID, GENRES
  ColumnType type = ColumnType::kString;
  bool categorical = false;
  bool textual = false;
  bool nullable = true;
  bool hidden = false;         // SESSION_ID, IMPRESSION, ... of interactions
  std::string content_column;  // content=: the business table's column, else empty
};

struct DatasetConfig {
  DatasetKind kind = DatasetKind::kInteractions;
  std::string group = "default";
  std::string content;  // the business table read in place; empty: native (shadow tables)
  std::vector<DatasetColumn> columns;  // in the order of the declared table

  // `arguments` are xCreate's argv[3..]: group='...', schema='<Avro JSON>', content='...',
  // <role>='<column>' mappings, or column definitions NAME type [categorical] [textual], in any
  // order. Errors: kInvalidInput naming the argument and what would be right.
  static Result<DatasetConfig> parse(DatasetKind kind, std::span<const char* const> arguments);

  // The CREATE TABLE text for sqlite3_declare_vtab.
  std::string declaration() const;
  // Place of a column by name, whatever its case, or -1.
  int find(std::string_view name) const;

  std::string to_json() const;
  static Result<DatasetConfig> from_json(std::string_view json);
};

}  // namespace personalize
