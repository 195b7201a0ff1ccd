// The engine's MetadataSource over a group's users or items, in the caller's connection and
// transaction: the shadow table of a native dataset, or the business table of one declared with
// content=.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/status.h"
#include "extension/catalog.h"
#include "extension/connection.h"
#include "extension/dataset_lookup.h"
#include "extension/metadata_value.h"

namespace personalize {

// The source of the group's users or items; nullptr if the group has no such dataset. Lives no
// longer than `connection` and than the dataset's definition (Connection::catalog_changes()); holds
// no open statement between calls, so it may be kept; row() looks up an index and sees the snapshot
// of the statement that calls it. Rows without an id (NULL, or what is no id: a business table may
// have some) are left out; of several rows with one id, row() gives the first. Errors:
// kInvalidInput if the business table has lost a column, which it names, or its index.
Result<std::unique_ptr<MetadataSource>> open_metadata_source(Connection& connection,
                                                             std::string_view schema,
                                                             std::string_view group,
                                                             DatasetKind kind);

// The same with chosen columns of a dataset of users or items, as filters want them.
Result<std::unique_ptr<MetadataSource>> open_metadata_source(Connection& connection,
                                                             const Dataset& dataset,
                                                             std::vector<MetadataColumn> columns);

}  // namespace personalize
