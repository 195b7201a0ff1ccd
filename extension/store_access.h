// From a schema to its stores on disk: which directory, which uuid, opened how.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "engine/store/model_store.h"
#include "engine/store/recommendation_store.h"
#include "engine/store/state_store.h"
#include "extension/connection.h"

namespace personalize {

// The stores of one schema. Cached in the connection (cheap to ask for again); dropped when the
// catalog's uuid, the file behind the schema, or the settings change.
struct Stores {
  std::string directory;
  std::shared_ptr<ModelStore> models;
  std::shared_ptr<StateStore> states;
  std::shared_ptr<RecommendationStore> recommendations;
  uint64_t state_secret = 0;
};

// The directory is '<database file>.personalize'; or what the setting store_path says (relative to
// the database's directory); or '$PERSONALIZE_STORE/<uuid>.personalize'.
//
// With kCreate makes what is missing (training does; questions do not). ':memory:' and temp
// databases get a temporary directory that is removed when the connection closes. A read-only
// database, or a directory that may not be written to, opens read-only. What comes back lives until
// the next call for the same schema. Errors as ModelStore::open, kNotFound with "no model here:
// SELECT personalize_train(...)".
Result<const Stores*> open_stores(Connection& connection, std::string_view schema, OpenMode mode);

// The directory alone, whether it exists or not.
Result<std::string> store_directory(Connection& connection, std::string_view schema);

// The file behind a schema; "" if there is none on a disk: ':memory:', temp, or a host whose files
// only its own VFS knows. The store's files get its rights.
std::string database_file(Connection& connection, std::string_view schema);

// Closes what a connection has open of all stores but those of `schemas`.
void keep_stores(Connection& connection, std::span<const std::string> schemas);

}  // namespace personalize
