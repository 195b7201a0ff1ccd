// The columns of a dataset as fields of metadata, and their values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "extension/dataset_config.h"
#include "extension/sqlite_api.h"

namespace personalize {

// A column, and the field it is to models or filters.
struct MetadataColumn {
  DatasetColumn column;
  MetadataField field;
};

// Those of a dataset, in its order: what is categorical, textual (items alone have such columns), a
// number, a time or a boolean; none of the columns that every dataset of the kind has but
// CREATION_TIMESTAMP. Amazon's rule: text that is neither categorical nor textual is for filters
// and people only.
std::vector<MetadataColumn> metadata_columns(const DatasetConfig& config);

// Every column of a dataset, as filters see it: a text that is not categorical is one value.
std::vector<MetadataColumn> filter_columns(const DatasetConfig& config);

// The value of `column` in a row. NULL, an empty text and what no such column may hold (a text in a
// column of numbers; a business table may have one) are missing. Numbers in categorical columns are
// texts, 42.0 and 42 the same. The text is a view of `value`
// or of `storage`.
FieldValue field_value(const MetadataColumn& column, DatasetKind kind, sqlite3_value* value,
                       std::string& storage);

}  // namespace personalize
