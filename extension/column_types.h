// Amazon Personalize's column types and reserved columns: what a dataset of each kind must have and
// may call its fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "extension/dataset_config.h"

namespace personalize {

// "string", "int", "long", "float", "double", "boolean".
std::string_view column_type_name(ColumnType type);
std::optional<ColumnType> find_column_type(std::string_view name);

// The module's name, which leads messages: "personalize_interactions".
std::string_view module_name(DatasetKind kind);

// Upper-cases ASCII letters only.
std::string upper_case(std::string_view text);

// The name of a field: letters, digits and underscores, a letter first, upper-cased. Errors:
// kInvalidInput with what names are allowed.
Result<std::string> check_column_name(std::string_view name);

// Whether Amazon requires a dataset of the kind to have that column, and a value in each row.
bool is_required_column(DatasetKind kind, std::string_view name);

// Checks a dataset's complete columns against its kind: required ones, types of reserved ones,
// doubles, where textual and categorical fit, at least one field of users and items. Sets nullable
// to false where Amazon requires a value. Errors: kInvalidInput.
Status check_columns(DatasetKind kind, std::vector<DatasetColumn>& columns);

}  // namespace personalize
