// Amazon Personalize's dataset schemas: Avro records written in JSON.
#pragma once

#include <string_view>
#include <vector>

#include "engine/status.h"
#include "extension/dataset_config.h"

namespace personalize {

// The fields of a schema, in its order; nullable where the type is a union with "null". Errors:
// kInvalidInput naming the field and what would be right.
Result<std::vector<DatasetColumn>> parse_avro_schema(DatasetKind kind, std::string_view json);

}  // namespace personalize
