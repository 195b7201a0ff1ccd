// The data sets beside the source tree, for tests that want real data. They are not part of the
// project: a test that finds none skips itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/engine/testing/vector_source.h"

namespace personalize {

// Where the data sets are, and whatever else lies beside them.
std::string shared_data_folder();

// The rows of <shared data>/<name>/interactions.csv.xz, or nothing if it is not there or cannot be
// unpacked. The first line names the columns; no field is quoted.
std::optional<std::vector<SourceRow>> read_shared_data(const std::string& name);

}  // namespace personalize
